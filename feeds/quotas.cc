#include "feeds/quotas.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "feeds/queries.h"
#include "kernel/log.h"
#include "kernel/priority.h"
#include "kernel/snapshot.h"

namespace courant::feeds {
namespace {

using namespace std::chrono_literals;

constexpr int kCountingNiceness = 10;
constexpr auto kCountingRest = 1s;
constexpr auto kSumAnyhow = 5s;                 // what is dropped moves no feed
constexpr std::int64_t kCountedAtOnce = 5'000;  // entries that one call counts
constexpr int kMediaShare = 20;                 // media are summed a twentieth of the time at most
using Sums = std::map<std::string, std::int64_t, std::less<>>;
using LaneAndFeed = std::pair<std::int64_t, std::int64_t>;

}  // namespace

struct Quotas::State {
  State(const sql::Database& the_database, Directory& the_directory, const Clock& the_clock,
        std::function<const Workspaces&()> all)
      : database(the_database), directory(the_directory), clock(the_clock), workspaces(std::move(all)) {}

  const sql::Database& database;
  Directory& directory;
  const Clock& clock;
  const std::function<const Workspaces&()> workspaces;
  Snapshot<Sums> known{std::make_shared<const Sums>()};
  std::atomic<bool> is_counting{false};

  std::mutex mutex;  // guards what follows
  std::condition_variable wake;
  bool is_stopping = false;
  std::set<LaneAndFeed> grown;

  // The thread's own.
  struct Counted {
    std::int64_t media = 0;
    Ticks media_due{};
    Ticks sum_due{};
    bool has_grown = true;
  };
  std::unique_ptr<sql::Session> session;
  std::map<std::string, Counted, std::less<>> counted;  // by workspace; those whose feeds have all been looked at
  std::set<LaneAndFeed> to_count;
  std::thread thread;

  bool stops_within(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex);
    return wake.wait_for(lock, patience, [this] { return is_stopping; });
  }

  void run() {
    give_way(kCountingNiceness);
    do {
      try {
        look();
      } catch (const std::exception& error) {
        log_warning("what workspaces hold cannot be counted now", {{"why", error.what()}});
        forget();
      }
    } while (!stops_within(kCountingRest));
  }

  // Another process may count from now on.
  void forget() {
    session.reset();
    is_counting = false;
    counted.clear();
    to_count.clear();
  }

  void look() {
    std::vector<std::string> bounded;
    for (const auto& [name, settings] : workspaces()) {
      if (settings.max_bytes > 0) bounded.push_back(name);
    }
    if (bounded.empty()) return forget();
    if (!session) session = database.connect();
    if (!is_counting) is_counting = session->run(queries::become_counter)[0].boolean(0);
    if (is_counting) count(bounded);
    auto sums = std::make_shared<Sums>();
    const sql::Rows rows = session->run(queries::list_workspace_bytes);
    for (int i = 0; i < rows.size(); ++i) sums->emplace(rows[i].text(0), rows[i].integer(1));
    known.store(std::move(sums));
  }

  void count(const std::vector<std::string>& bounded) {
    std::erase_if(counted, [&](const auto& one) { return std::ranges::find(bounded, one.first) == bounded.end(); });
    {
      const std::lock_guard lock(mutex);
      to_count.merge(grown);
      grown.clear();
    }
    for (const std::string& name : bounded) {
      if (!counted.try_emplace(name).second) continue;
      for (const std::shared_ptr<LiveFeed>& feed : directory.all()) {
        if (feed->facts().workspace == name) to_count.emplace(feed->facts().key.lane, feed->facts().key.feed);
      }
    }
    const Ticks until = clock.ticks() + kCountingRest;
    while (!to_count.empty() && clock.ticks() < until && !stops_within(0ms)) {
      const LaneAndFeed key = *to_count.begin();
      if (!count_piece({key.first, key.second})) to_count.erase(key);
    }
    for (const std::string& name : bounded) sum(name, counted[name]);
  }

  // False: all of it has been counted.
  bool count_piece(FeedKey key) {
    std::shared_ptr<LiveFeed> feed = directory.find(key);
    if (!feed) feed = directory.load(*session, key);
    const auto workspace = feed ? counted.find(feed->facts().workspace) : counted.end();
    if (workspace == counted.end()) return false;
    workspace->second.has_grown = true;
    return session->run(queries::count_bytes, sql::Parameters().add(key.lane).add(key.feed).add(kCountedAtOnce))[0]
        .boolean(0);
  }

  void sum(const std::string& name, Counted& workspace) {
    const Ticks now = clock.ticks();
    if (!workspace.has_grown && now < workspace.sum_due) return;
    if (now >= workspace.media_due) {
      workspace.media = session->run(queries::media_bytes, sql::Parameters().add(name))[0].integer(0);
      workspace.media_due = clock.ticks() + kMediaShare * (clock.ticks() - now);
    }
    session->run(queries::put_workspace_bytes, sql::Parameters().add(name).add(workspace.media));
    workspace.has_grown = false;
    workspace.sum_due = now + kSumAnyhow;
  }
};

Quotas::Quotas(const sql::Database& database, Directory& directory, const Clock& clock,
               std::function<const Workspaces&()> workspaces)
    : state_(std::make_unique<State>(database, directory, clock, std::move(workspaces))) {
  state_->thread = std::thread([this] { state_->run(); });
}

Quotas::~Quotas() {
  stop();
}

std::optional<Problem> Quotas::refusal(std::string_view workspace, std::size_t bytes) const {
  const Workspaces& all = state_->workspaces();
  const auto settings = all.find(workspace);
  if (settings == all.end() || settings->second.max_bytes == 0) return std::nullopt;
  const std::shared_ptr<const Sums> known = state_->known.load();
  const auto found = known->find(workspace);
  const std::int64_t held = found == known->end() ? 0 : found->second;
  const std::int64_t most = settings->second.max_bytes;
  if (held + static_cast<std::int64_t>(bytes) <= most) return std::nullopt;
  return Problem(507, "The workspace " + std::string(workspace) + " holds " + std::to_string(held) +
                          " bytes, and may hold " + std::to_string(most) + " (max_bytes), which leaves no room for " +
                          std::to_string(bytes) +
                          ": keep less of its feeds (retain), delete some, or have its operator raise max_bytes")
      .with("Retry-After", "60");
}

void Quotas::require_room(std::string_view workspace, std::size_t bytes) const {
  if (std::optional<Problem> full = refusal(workspace, bytes)) throw *std::move(full);
}

void Quotas::moved(const std::vector<Advance>& advances) {
  if (!state_->is_counting) return;
  const std::lock_guard lock(state_->mutex);
  for (const Advance& advance : advances) {
    if (advance.feed.feed != 0) state_->grown.emplace(advance.feed.lane, advance.feed.feed);
  }
}

void Quotas::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->wake.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

}  // namespace courant::feeds
