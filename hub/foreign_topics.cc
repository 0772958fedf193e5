#include "hub/foreign_topics.h"

#include <algorithm>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "hub/foreign_store.h"
#include "hub/foreign_url.h"
#include "hub/pause.h"
#include "kernel/at_end.h"
#include "kernel/log.h"
#include "kernel/problem.h"

namespace courant::hub {

namespace asio = boost::asio;

namespace {

using End = Fetched::End;
using std::chrono::milliseconds;

constexpr int kFetchesAtOnce = 32;
constexpr std::size_t kFirstTries = 4;  // of a topic that somebody waits to subscribe to
constexpr std::int64_t kDuePerHost = 8;
constexpr milliseconds kLook{1'000};
constexpr milliseconds kPauseOfHeldBackFetch{1'000};
constexpr milliseconds kForgetEvery{60'000};
constexpr milliseconds kStoring{5'000};      // how much longer than a fetch its process is believed to be alive
constexpr milliseconds kCommitting{30'000};  // what is stored is seen no later than that (statement_timeout)

// What a fetch came to, once it is judged and stored.
struct Settled {
  std::optional<StoredForeign> stored;  // nullopt: another fetch was stored meanwhile, and this one is not
  std::int64_t entries = 0;
  std::string refused_because;  // the body; empty: it was taken
};

}  // namespace

struct ForeignTopics::State {
  State(ForeignOptions the_options, sql::Executor& the_executor, Transport& transport,
        std::shared_ptr<const http::AddressGuard> the_guard, const Clock& the_clock, Metrics& metrics)
      : options(std::move(the_options)),
        executor(the_executor),
        clock(the_clock),
        guard(std::move(the_guard)),
        store(options.interval, options.fetch.timeout + kStoring),
        fetcher(options.fetch, transport, guard, clock) {
    const auto counter = [&metrics](const char* outcome) -> Counter& {
      return metrics.counter("courant_hub_fetches_total", "Fetches of topics of other servers", {{"outcome", outcome}});
    };
    with_news = &counter("news");
    without_news = &counter("unchanged");
    failed = &counter("failed");
    held_back = &counter("held_back");
  }

  // The thread of fetches:
  void run(http::Task<void> task);
  void leave();
  http::Task<void> keep();
  http::Task<void> look();
  http::Task<void> fetch(ForeignTopic topic);
  http::Task<bool> settle(ForeignTopic topic, Fetched fetched);
  http::Task<void> disappointed(ForeignTopic topic, Fetched fetched);
  http::Task<void> put_back(ForeignTopic topic, milliseconds pause);

  // Database threads:
  Settled store_fetch(sql::Session& session, const ForeignTopic& topic, Fetched& fetched) const;

  // Any thread:
  void tell(const std::vector<Moved>& moves);
  bool fetches_here() const { return options.is_on && options.fetches; }
  void look_soon() {
    if (!fetches_here()) return;  // others look every second
    asio::post(io, [this] { between_looks.cut(); });
  }

  const ForeignOptions options;
  sql::Executor& executor;
  const Clock& clock;
  const std::shared_ptr<const http::AddressGuard> guard;
  const ForeignStore store;
  std::function<void(const std::vector<Moved>&)> moved;
  std::function<void()> settled;
  std::function<double()> share;

  // The thread of fetches alone:
  asio::io_context io{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work{io.get_executor()};
  Pause between_looks{io};
  ForeignFetcher fetcher;
  bool is_stopping = false;
  int running = 0;              // coroutines
  int fetches = 0;              // in progress
  std::optional<Ticks> looked;  // last with success
  Ticks forgets_at{};

  std::mutex mutex;  // guards what follows; held for moments only
  std::unordered_map<std::int64_t, std::int64_t> positions;

  Counter* with_news = nullptr;
  Counter* without_news = nullptr;
  Counter* failed = nullptr;
  Counter* held_back = nullptr;

  std::thread thread;
};

void ForeignTopics::State::run(http::Task<void> task) {
  ++running;
  asio::co_spawn(io, std::move(task), [this](const std::exception_ptr& error) {
    leave();
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& failure) {
      log_error("a fetch of another server's topic failed here", {{"error", failure.what()}});
    }
  });
}

// The last coroutine that ends lets the thread end.
void ForeignTopics::State::leave() {
  if (--running == 0 && is_stopping) work.reset();
}

http::Task<void> ForeignTopics::State::keep() {
  while (!is_stopping) {
    try {
      co_await look();
    } catch (const std::exception&) {
      // sql/ has logged why; what is due waits in the database
    }
    co_await between_looks.wait(kLook);
  }
}

// Hears what other processes have stored, and starts what is due.
http::Task<void> ForeignTopics::State::look() {
  struct Looked {
    std::vector<Moved> moves;
    std::vector<DueForeignTopic> due;
  };
  const Ticks now = clock.ticks();
  const milliseconds since = looked ? std::chrono::duration_cast<milliseconds>(now - *looked) : milliseconds(0);
  const bool forgets = now >= forgets_at;
  const double own_share = share();
  if (own_share > 0) fetcher.set_share(own_share);
  const int most = own_share > 0 ? kFetchesAtOnce : 0;
  const auto ask = [this, since, forgets, most](sql::Session& session) {
    if (forgets) store.forget_unwanted(session);
    // Commits become visible later than they say.
    return Looked{store.moved_within(session, since + kCommitting), store.due(session, kDuePerHost, most)};
  };
  const Looked found = co_await executor.run(ask);
  looked = now;
  if (forgets) forgets_at = now + kForgetEvery;
  tell(found.moves);
  std::vector<std::int64_t> mine;
  for (const DueForeignTopic& topic : found.due) {
    if (fetches + static_cast<int>(mine.size()) >= kFetchesAtOnce) break;
    if (fetcher.take_turn(topic.host)) mine.push_back(topic.number);
  }
  if (mine.empty() || is_stopping) co_return;
  const auto claim = [this, &mine](sql::Session& session) { return store.claim(session, mine); };
  std::vector<ForeignTopic> claimed = co_await executor.run(claim);
  for (ForeignTopic& topic : claimed) run(fetch(std::move(topic)));
}

http::Task<void> ForeignTopics::State::fetch(ForeignTopic topic) {
  ++fetches;
  const AtEnd leaving{[this] { --fetches; }};
  Fetched fetched = co_await fetcher.fetch(topic.url, topic.validators);
  if (fetched.end == End::kBody || fetched.end == End::kUnchanged) {
    const bool is_stored = co_await settle(topic, std::move(fetched));
    // Another process took us for dead and fetched it, maybe before there was the news of which we were told.
    if (!is_stored) co_await put_back(topic, milliseconds(0));
  } else if (fetched.end == End::kHeldBack || fetched.end == End::kStopped) {
    if (fetched.end == End::kHeldBack) held_back->add();
    co_await put_back(topic, kPauseOfHeldBackFetch);
  } else {
    co_await disappointed(topic, std::move(fetched));
  }
}

// Whether it is over: stored, or of no use.
http::Task<bool> ForeignTopics::State::settle(ForeignTopic topic, Fetched fetched) {
  const auto keep_it = [this, &topic, &fetched](sql::Session& session) { return store_fetch(session, topic, fetched); };
  const Settled outcome = co_await executor.run(keep_it);
  if (!outcome.refused_because.empty()) {
    Fetched refused;
    refused.end = End::kRefused;
    refused.why = outcome.refused_because;
    co_await disappointed(std::move(topic), std::move(refused));
    co_return true;
  }
  if (!outcome.stored) co_return false;
  (outcome.entries > 0 ? with_news : without_news)->add();
  if (outcome.entries > 0) tell({{kForeignLane, topic.number, outcome.stored->position}});
  if (outcome.stored->has_become_ready) settled();
  co_return true;
}

// A session's thread: what is fetched is compared and stored there, for both take time.
Settled ForeignTopics::State::store_fetch(sql::Session& session, const ForeignTopic& topic, Fetched& fetched) const {
  if (fetched.end == End::kUnchanged) return {store.record(session, topic, fetched.validators, nullptr), 0, {}};
  const std::optional<KnownOfForeign> known = store.known(session, topic);
  if (!known) return {};
  const Result<ForeignNews> news = news_of(std::move(fetched.body), fetched.content_type, known->known);
  if (!news) return {std::nullopt, 0, with_place(news.fault())};
  return {store.record(session, topic, fetched.validators, &*news), news->entries, {}};
}

http::Task<void> ForeignTopics::State::disappointed(ForeignTopic topic, Fetched fetched) {
  failed->add();
  std::optional<milliseconds> pause;
  const auto attempt = static_cast<std::size_t>(topic.attempts);
  const std::size_t tries = topic.fetches == 0 ? std::min(kFirstTries, options.retry.size()) : options.retry.size();
  if (fetched.end == End::kFailed && attempt < tries) {
    pause = std::max(options.retry[attempt], fetched.pause.value_or(milliseconds(0)));
  }
  log_info("a topic of another server could not be fetched",
           {{"topic", topic.url},
            {"why", fetched.why},
            {"next_in", pause ? format_duration(std::max(*pause, options.interval)) : "once it is pinged"}});
  const auto put_off = [this, &topic, &fetched, pause](sql::Session& session) {
    return store.failed(session, topic, pause, "The topic cannot be fetched: " + fetched.why);
  };
  const bool is_denied = co_await executor.run(put_off);
  if (is_denied) settled();
}

http::Task<void> ForeignTopics::State::put_back(ForeignTopic topic, milliseconds pause) {
  const auto work_of_it = [this, &topic, pause](sql::Session& session) {
    store.put_back(session, topic, pause);
    return true;
  };
  co_await executor.run(work_of_it);
}

void ForeignTopics::State::tell(const std::vector<Moved>& moves) {
  std::vector<Moved> news;
  {
    const std::lock_guard lock(mutex);
    for (const Moved& move : moves) {
      std::int64_t& position = positions[move.feed];
      if (move.position <= position) continue;
      position = move.position;
      news.push_back(move);
    }
  }
  if (!news.empty()) moved(news);
}

ForeignTopics::ForeignTopics(ForeignOptions options, sql::Executor& executor, Transport& transport,
                             std::shared_ptr<const http::AddressGuard> guard, const Clock& clock, Metrics& metrics)
    : state_(std::make_unique<State>(std::move(options), executor, transport, std::move(guard), clock, metrics)) {}

ForeignTopics::~ForeignTopics() {
  stop();
}

void ForeignTopics::start(std::function<void(const std::vector<Moved>&)> moved, std::function<void()> settled,
                          std::function<double()> share) {
  State& state = *state_;
  if (!state.fetches_here()) return;
  state.moved = std::move(moved);
  state.settled = std::move(settled);
  state.share = std::move(share);
  state.run(state.keep());
  state.thread = std::thread([&state] { state.io.run(); });
}

void ForeignTopics::stop() {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  asio::post(state.io, [&state] {
    state.is_stopping = true;
    state.between_looks.cut();
    if (state.running == 0) state.work.reset();
  });
  state.thread.join();
}

std::optional<Topic> ForeignTopics::find(sql::Session& session, const std::string& url) {
  if (!state_->options.is_on) return std::nullopt;
  const Result<ForeignUrl> read = read_foreign_url(url);
  if (!read) throw Problem(403, url + " is not a topic of this hub: " + read.fault().detail);
  if (const std::optional<std::string> why = state_->guard->refusal_of_literal(read->parts)) {
    throw Problem(403, url + " is not a topic of this hub: " + *why);
  }
  return Topic{read->text, kForeignLane, state_->store.find(session, read->text).value_or(0)};
}

Topic ForeignTopics::keep(sql::Session& session, const Topic& topic) {
  State& state = *state_;
  if (topic.feed == 0 && state.store.count(session, state.options.max_topics) >= state.options.max_topics) {
    throw Problem(429, "There are too many topics of other servers: try again later").with("Retry-After", "60");
  }
  const Result<ForeignUrl> url = read_foreign_url(topic.canonical);
  const std::int64_t number = state.store.keep(session, topic.canonical, url ? url->host : std::string());
  state.look_soon();
  return {topic.canonical, kForeignLane, number};
}

Admission ForeignTopics::admission(sql::Session& session, const Topic& topic) {
  return state_->store.admission(session, topic.feed);
}

bool ForeignTopics::pinged(sql::Session& session, const std::string& url) {
  const std::optional<Topic> topic = find(session, url);
  if (!topic) return false;
  state_->store.want(session, topic->canonical);
  state_->look_soon();
  return true;
}

std::int64_t ForeignTopics::position(sql::Session& session, const Topic& topic) {
  return state_->store.position(session, topic.feed);
}

std::int64_t ForeignTopics::known_position(std::int64_t, std::int64_t feed) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->positions.find(feed);
  return found == state_->positions.end() ? 0 : found->second;
}

std::optional<PushDocument> ForeignTopics::read(sql::Session& session, const Topic& topic, const std::string& self,
                                                std::int64_t from, std::int64_t upto, const PushLimits&) {
  std::optional<PushDocument> document = state_->store.read(session, topic.feed, from, upto);
  if (document) document->self = self;
  return document;
}

// Everything on such a topic concerns all its subscribers, so nobody looks for them.
std::vector<std::string> ForeignTopics::required_terms(const Topic&) {
  return {};
}

NewTerms ForeignTopics::new_terms(sql::Session&, std::int64_t, std::int64_t, std::int64_t from) {
  return {from, {}};
}

std::vector<std::optional<Instant>> ForeignTopics::first_after(sql::Session& session,
                                                               const std::vector<LogPlace>& places) {
  return state_->store.first_after(session, places);
}

}  // namespace courant::hub
