#include "hub/hub.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "hub/acceptance.h"
#include "hub/changes.h"
#include "hub/dispatcher.h"
#include "hub/lost_access.h"
#include "hub/pause.h"
#include "hub/self_service.h"
#include "hub/verifier.h"
#include "kernel/log.h"
#include "kernel/priority.h"

namespace courant::hub {

namespace asio = boost::asio;

struct Hub::State {
  State(HubOptions the_options, Vault vault, TopicSource& source, TopicInsight& insight, sql::Executor& executor,
        sql::Executor& readers, Transport& transport, std::shared_ptr<const http::AddressGuard> guard,
        const Clock& clock, Metrics& metrics)
      : options(std::move(the_options)),
        store(options.process, std::move(vault)),
        loop{options, source, executor, transport, store, clock, metrics, io, Shards(options.shard_lease)},
        acceptance(loop, std::move(guard)),
        dispatcher(loop),
        verifier(loop, dispatcher, [this] { requests_pause.cut(); }),
        census(loop, dispatcher),
        confirmations(loop, readers, options.max_waiting),
        lost_access(loop, dispatcher),
        changes(loop, dispatcher, owner_store, insight),
        self_service(options, owner_store, source, insight, executor, clock, [this] { look_for_changes(); }) {}

  // Any thread:
  void start();
  void look_for_changes();

  // The loop's thread:
  void begin_all();
  using Round = http::Task<void> (State::*)();
  using Rest = std::chrono::milliseconds (State::*)(Ticks::duration took) const;  // after a round that took so long
  void begin_rounds(Pause& pause, Round round, Rest rest) {
    ++keepers;
    loop.start(keep(pause, round, rest));
  }
  http::Task<void> keep(Pause& pause, Round round, Rest rest);
  http::Task<void> beat();
  http::Task<void> tend();
  http::Task<void> verify() { return verifier.look(); }
  http::Task<void> save();
  http::Task<void> count() { return census.take(); }
  std::chrono::milliseconds heartbeat(Ticks::duration) const { return options.heartbeat; }
  std::chrono::milliseconds rest_of_saving(Ticks::duration took) const;
  std::chrono::milliseconds rest_of_counting(Ticks::duration took) const;
  http::Task<void> load(ShardEpoch shard);
  http::Task<void> give_up_surplus(const KeptShards& kept);
  http::Task<void> finish();
  void take_moves();

  HubOptions options;  // what can change: the loop's thread's own; io threads have those of `acceptance`
  Store store;
  asio::io_context io{1};
  // For the transport's sake, until it has stopped; then the loop ends with its last coroutine.
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  Loop loop;
  Acceptance acceptance;
  Dispatcher dispatcher;
  Verifier verifier;
  Census census;
  Confirmations confirmations;
  LostAccess lost_access;
  const OwnerStore owner_store{store};
  Changes changes;
  SelfService self_service;
  Pause shards_pause{io};
  Pause subscriptions_pause{io};
  Pause requests_pause{io};
  Pause cursors_pause{io};
  Pause census_pause{io};
  int keepers = 0;         // coroutines of keep() that have not ended
  std::uint64_t keys = 0;  // which keys of secrets there were

  std::atomic<double> share{0};

  std::mutex mutex;                                                     // guards what follows; held for moments only
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> moves;  // not yet told to the loop, by lane and feed
  bool is_told = false;                                                 // the loop will take them

  std::thread thread;
};

void Hub::State::start() {
  thread = std::thread([this] {
    give_way(options.niceness);
    io.run();
  });
  loop.transport.live_on(io);
  if (options.delivers) asio::post(io, [this] { begin_all(); });
}

void Hub::State::begin_all() {
  begin_rounds(shards_pause, &State::beat, &State::heartbeat);
  begin_rounds(subscriptions_pause, &State::tend, &State::heartbeat);
  begin_rounds(requests_pause, &State::verify, &State::heartbeat);
  begin_rounds(cursors_pause, &State::save, &State::rest_of_saving);
  begin_rounds(census_pause, &State::count, &State::rest_of_counting);
}

// Its rounds again and again until the hub stops; with the last coroutine of this kind the hub ends.
http::Task<void> Hub::State::keep(Pause& pause, Round round, Rest rest) {
  while (!loop.is_stopping) {
    const Ticks begun = loop.clock.ticks();
    try {
      co_await (this->*round)();
    } catch (const std::exception&) {
      // sql/ has logged why. Shards are kept while their lease lasts, requests wait in the database, what could not be
      // loaded or saved is in the next round, and the census before stands.
    }
    co_await pause.wait((this->*rest)(loop.clock.ticks() - begun));
  }
  if (--keepers == 0) loop.start(finish());
}

// A heartbeat a second: keeps the shards of this process and takes free ones. What takes longer the more subscriptions
// there are is done beside it (tend), for a late heartbeat is a dead process's.
http::Task<void> Hub::State::beat() {
  const Ticks asked = loop.clock.ticks();
  struct Found {
    KeptShards kept;
    std::uint64_t keys = 0;
    std::set<FeedName> asked;
  };
  const auto keep = [this](sql::Session& session) {
    return Found{store.keep_shards(session, options.shard_lease), store.key_generation(), store.asked_feeds(session)};
  };
  Found found = co_await loop.executor.run(keep);
  const KeptShards& kept = found.kept;
  for (const std::int64_t shard : loop.shards.update(kept, asked)) dispatcher.drop_shard(shard);
  if (static_cast<std::int64_t>(kept.shards.size()) > kept.fair) co_await give_up_surplus(kept);
  share = loop.share();
  dispatcher.look_at_all();
  dispatcher.set_asked(std::move(found.asked));
  if (std::exchange(keys, found.keys) != found.keys) dispatcher.look_for_secrets();
  loop.start(lost_access.look());
  subscriptions_pause.cut();
}

// After each heartbeat, unless it is at it still: loads what is new, ends or renews what is due.
http::Task<void> Hub::State::tend() {
  for (const ShardEpoch& shard : loop.shards.unloaded()) {
    if (loop.is_stopping) co_return;
    co_await load(shard);
  }
  co_await dispatcher.keep_leases();
}

http::Task<void> Hub::State::load(ShardEpoch shard) {
  using Heads = std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t>;
  struct Loaded {
    std::vector<Subscription> subscriptions;
    Heads heads;
  };
  const auto read = [this, shard](sql::Session& session) {
    Loaded loaded;
    loaded.subscriptions = store.load(session, shard.shard);
    for (Subscription& subscription : loaded.subscriptions) {
      subscription.terms = loop.source.required_terms(subscription.topic);
      const auto place = loaded.heads.try_emplace({subscription.topic.lane, subscription.topic.feed}, -1).first;
      if (place->second < 0) place->second = loop.source.position(session, subscription.topic);
    }
    return loaded;
  };
  Loaded loaded = co_await loop.executor.run(read);
  if (!loop.shards.has(shard)) co_return;  // another process has had it meanwhile
  loop.shards.set_loaded(shard.shard);
  lost_access.look_again();
  for (Subscription& subscription : loaded.subscriptions) dispatcher.adopt(std::move(subscription));
  for (const auto& [name, head] : loaded.heads) dispatcher.moved(name.first, name.second, head);
}

// Another process has come: it gets its share. Cursors are saved first, so that nothing is repeated.
http::Task<void> Hub::State::give_up_surplus(const KeptShards& kept) {
  std::vector<std::int64_t> surplus;
  for (std::size_t i = static_cast<std::size_t>(kept.fair); i < kept.shards.size(); ++i) {
    surplus.push_back(kept.shards[i].shard);
  }
  co_await dispatcher.save();
  for (const std::int64_t shard : surplus) {
    loop.shards.drop(shard);
    dispatcher.drop_shard(shard);
  }
  const auto release = [this, &surplus](sql::Session& session) {
    store.release_shards(session, surplus);
    return true;
  };
  co_await loop.executor.run(release);
}

http::Task<void> Hub::State::save() {
  co_await changes.look();
  co_await dispatcher.save();
  co_await changes.settle();
}

// However much there is to save, it takes a tenth of the time at most, unless that were too seldom.
std::chrono::milliseconds Hub::State::rest_of_saving(Ticks::duration took) const {
  const auto nine_times = 9 * std::chrono::duration_cast<std::chrono::milliseconds>(took);
  return std::clamp(nine_times, options.save_every, options.save_at_least_every);
}

// However much there is to count, it takes a fifth of the time at most.
std::chrono::milliseconds Hub::State::rest_of_counting(Ticks::duration took) const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::max<Ticks::duration>(options.census_every, 4 * took));
}

// The last coroutine: what was in flight has been answered (kStopped, or better), cursors are saved, shards released.
http::Task<void> Hub::State::finish() {
  try {
    co_await dispatcher.save();
    const std::vector<std::int64_t> owned = loop.shards.all();
    const auto release = [this, &owned](sql::Session& session) {
      store.release_shards(session, owned);
      store.forget_process(session);
      return true;
    };
    co_await loop.executor.run(release);
  } catch (const std::exception& error) {
    log_warning("the hub could not save its last cursors: a little will be delivered again", {{"error", error.what()}});
  }
}

void Hub::State::take_moves() {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> taken;
  {
    const std::lock_guard lock(mutex);
    taken.swap(moves);
    is_told = false;
  }
  for (const auto& [name, position] : taken) dispatcher.moved(name.first, name.second, position);
}

void Hub::State::look_for_changes() {
  asio::post(io, [this] {
    changes.hurry();
    cursors_pause.cut();
  });
}

Hub::Hub(HubOptions options, Vault vault, TopicSource& source, TopicInsight& insight, sql::Executor& executor,
         sql::Executor& readers, Transport& transport, std::shared_ptr<const http::AddressGuard> guard,
         const Clock& clock, Metrics& metrics)
    : state_(std::make_unique<State>(std::move(options), std::move(vault), source, insight, executor, readers,
                                     transport, std::move(guard), clock, metrics)) {}

void Hub::change(const HubOptions& options) {
  state_->acceptance.change(options);
  asio::post(state_->io, [state = state_.get(), options] {
    state->options.document = options.document;
    state->options.signature = options.signature;
    state->options.delivery_timeout = options.delivery_timeout;
  });
}

Hub::~Hub() {
  stop();
}

Result<bool> Hub::start(sql::Session& session) {
  const Result<std::int64_t> shards = state_->store.open(session);
  if (!shards) return shards.fault();
  state_->loop.all_shards = *shards;
  state_->start();
  return true;
}

void Hub::moved(const std::vector<Moved>& feeds) {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    for (const Moved& feed : feeds) {
      std::int64_t& position = state.moves[{feed.lane, feed.feed}];
      position = std::max(position, feed.position);
    }
    if (state.is_told) return;
    state.is_told = true;
  }
  asio::post(state.io, [&state] { state.take_moves(); });
}

http::Task<int> Hub::take(std::string body, std::string identity, std::string client) {
  const int status = co_await state_->acceptance.take(std::move(body), std::move(identity), std::move(client));
  if (status == Acceptance::kWillBeAsked) look_at_requests();
  co_return status;
}

http::Task<Confirmed> Hub::confirmed(LogPlace place, Ticks until, http::Presence* asker) {
  return state_->confirmations.ask(place, until, asker);
}

double Hub::share() const {
  return state_->share;
}

std::shared_ptr<const Overview> Hub::overview() const {
  return state_->census.latest();
}

void Hub::let_go() {
  state_->confirmations.let_go();
}

std::vector<http::Route> Hub::self_service() {
  return state_->self_service.routes(state_->loop.all_shards);
}

void Hub::look_at_requests() {
  State& state = *state_;
  asio::post(state.io, [&state] { state.requests_pause.cut(); });
}

void Hub::stop() {
  State& state = *state_;
  if (!state.thread.joinable()) return;
  let_go();
  asio::post(state.io, [&state] {
    state.loop.is_stopping = true;
    state.shards_pause.cut();
    state.subscriptions_pause.cut();
    state.requests_pause.cut();
    state.cursors_pause.cut();
    state.census_pause.cut();
    state.dispatcher.stop();
  });
  state.loop.transport.stop();
  state.work.reset();
  state.thread.join();
}

}  // namespace courant::hub
