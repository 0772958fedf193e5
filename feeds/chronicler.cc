#include "feeds/chronicler.h"

#include <condition_variable>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>

#include "feeds/posting.h"
#include "feeds/queries.h"
#include "kernel/log.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 1s;      // how often there is a look for notices
constexpr auto kTakeover = 3s;  // how often a process asks whether it is the one that publishes them
constexpr std::int64_t kAtOnce = 100;

// The same notice makes the same entry, with the same id: published again, it is known already.
std::string event_of_notice(const sql::Row& row) {
  return nlohmann::json{{"specversion", "1.0"},
                        {"id", std::to_string(row.integer(0))},
                        {"source", "urn:courant"},
                        {"time", format_rfc3339(row.instant(2))},
                        {"type", row.text(3)},
                        {"subject", row.text(4)},
                        {"datacontenttype", "application/json"},
                        {"data", nlohmann::json::parse(row.text(5))}}
      .dump();
}

http::Task<void> publish_notice(Engine& engine, std::string feed_name, std::string event) {
  const std::string workspace(kOwnWorkspace);
  const std::shared_ptr<LiveFeed> feed = co_await engine.require_feed_for_publishing(workspace, feed_name);
  Posted posted = read_posted_event(event, post_rules(engine, feed->state()->settings, engine.feed_url(feed->facts())));
  const auto entry = std::make_shared<const PreparedEntry>(std::move(posted.entries.front()));
  const access::Identity identity = access::Identity::internal();
  const Published result = co_await engine.publish(identity, feed, entry);
  if (result.outcome != PublishOutcome::kCreated && result.outcome != PublishOutcome::kSame) {
    throw Problem(503, "a notice could not be published");
  }
}

// Runs a task on this thread, to its end. Throws what it throws. Whoever has brought the end about may still be leaving
// `io`, so it must outlive him.
void run_here(boost::asio::io_context& io, http::Task<void> task) {
  io.restart();
  std::exception_ptr failure;
  boost::asio::co_spawn(io, std::move(task), [&failure](const std::exception_ptr& error) { failure = error; });
  io.run();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void put_notice(sql::Session& session, const Notice& notice, Instant now) {
  sql::Parameters parameters;
  parameters.add(notice.feed).add(notice.type).add(notice.subject).add(notice.data).add(now);
  session.run(queries::put_notice, parameters);
}

void note_act(sql::Session& session, std::string_view actor, std::string_view act, std::string_view subject,
              nlohmann::json details, Instant now) {
  details["actor"] = actor;
  const auto replace = nlohmann::json::error_handler_t::replace;
  put_notice(
      session,
      {kAuditFeed, "courant.audit." + std::string(act), std::string(subject), details.dump(-1, ' ', false, replace)},
      now);
}

struct Chronicler::State {
  State(const sql::Database& the_database, Engine& the_engine, Report the_report)
      : database(the_database), engine(the_engine), report(std::move(the_report)) {}

  const sql::Database& database;
  Engine& engine;
  const Report report;
  std::mutex mutex;
  std::condition_variable wake;
  bool is_stopping = false;  // guarded by mutex

  // The thread's own.
  boost::asio::io_context io;  // until the engine has stopped
  std::unique_ptr<sql::Session> session;
  bool is_chosen = false;  // this process has the lock
  std::thread thread;

  void run() {
    for (auto rest = 0s; !stops_within(rest); rest = is_chosen ? kLook : kTakeover) try_to([this] { look(); });
    try_to([this] {
      if (!session) session = database.connect();
      report(*session, true);
    });
  }

  void look() {
    if (!session) session = database.connect();
    report(*session, false);
    if (!is_chosen) is_chosen = session->run(queries::become_chronicler)[0].boolean(0);
    if (is_chosen) publish_all();
  }

  void try_to(const std::function<void()>& work) {
    try {
      work();
    } catch (const std::exception& error) {
      log_warning("notices wait to be published", {{"reason", error.what()}});
      session.reset();
      is_chosen = false;
    }
  }

  bool stops_within(std::chrono::seconds patience) {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, patience, [this] { return is_stopping; });
  }

  void publish_all() {
    for (std::int64_t count = kAtOnce; count == kAtOnce && !stops_within(0s);) {
      const sql::Rows rows = session->run(queries::list_notices, sql::Parameters().add(kAtOnce));
      count = rows.size();
      for (int i = 0; i < rows.size() && !stops_within(0s); ++i) {
        run_here(io, publish_notice(engine, std::string(rows[i].text(1)), event_of_notice(rows[i])));
        session->run(queries::drop_notice, sql::Parameters().add(rows[i].integer(0)));
      }
    }
  }
};

Chronicler::Chronicler(const sql::Database& database, Engine& engine, Report report)
    : state_(std::make_unique<State>(database, engine, std::move(report))) {}

void Chronicler::start() {
  state_->thread = std::thread([this] { state_->run(); });
}

Chronicler::~Chronicler() {
  stop();
}

void Chronicler::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace courant::feeds
