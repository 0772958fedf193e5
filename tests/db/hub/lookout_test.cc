// Whom something new on a feed concerns: dispatcher, lookout and write-back over a database, as one process after
// another has them.
#include "hub/lookout.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <set>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "hub/dispatcher.h"
#include "kernel/text.h"
#include "tests/support/no_topics.h"
#include "tests/support/test_database.h"

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

using Terms = std::set<std::string>;
using Positions = std::vector<std::int64_t>;

// Topics are "*", which everything matches, "!a", which requires no term, and "a|b", which requires one of these.
bool is_match(const std::string& topic, const Terms& terms) {
  if (topic == "*") return true;
  if (topic.front() == '!') return !terms.contains(topic.substr(1));
  for (const std::string_view term : split(topic, '|')) {
    if (terms.contains(std::string(term))) return true;
  }
  return false;
}

// One feed of entries with terms. Its documents are the positions that match.
class TermFeed final : public test::NoTopics {
 public:
  void publish(Terms terms) {
    const std::lock_guard lock(mutex_);
    log_.push_back(std::move(terms));
  }
  std::int64_t head() const {
    const std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(log_.size());
  }
  Positions matches(const std::string& topic, std::int64_t after) const {
    const std::lock_guard lock(mutex_);
    Positions found;
    for (std::int64_t position = after + 1; position <= static_cast<std::int64_t>(log_.size()); ++position) {
      if (is_match(topic, log_[static_cast<std::size_t>(position - 1)])) found.push_back(position);
    }
    return found;
  }
  struct Counts {
    int reads = 0;  // of documents
    int looks = 0;
    std::int64_t first_look = -1;
  };
  Counts take_counts() {
    const std::lock_guard lock(mutex_);
    return std::exchange(counts_, {});
  }
  // What was committed up to now is known in memory.
  std::int64_t hear() {
    known_ = head();
    return known_;
  }

  std::int64_t position(sql::Session&, const Topic&) override { return head(); }
  std::int64_t known_position(std::int64_t, std::int64_t) override { return known_; }
  std::vector<std::string> required_terms(const Topic& topic) override {
    if (topic.canonical == "*" || topic.canonical.front() == '!') return {};
    std::vector<std::string> terms;
    for (const std::string_view term : split(topic.canonical, '|')) terms.emplace_back(term);
    return terms;
  }
  NewTerms new_terms(sql::Session&, std::int64_t, std::int64_t, std::int64_t from) override {
    constexpr std::int64_t kAtOnce = 3;  // entries
    const std::lock_guard lock(mutex_);
    if (counts_.looks++ == 0) counts_.first_look = from;
    Terms found;
    const std::int64_t to = std::min(static_cast<std::int64_t>(log_.size()), from + kAtOnce);
    for (std::int64_t at = from; at < to; ++at) found.merge(Terms(log_[static_cast<std::size_t>(at)]));
    return {to, {found.begin(), found.end()}};
  }
  std::optional<PushDocument> read(sql::Session&, const Topic& topic, const std::string& self, std::int64_t from,
                                   std::int64_t, const PushLimits&) override {
    constexpr std::size_t kMost = 2;
    const std::int64_t head_now = head();
    if (from >= head_now) return std::nullopt;
    Positions found = matches(topic.canonical, from);
    std::erase_if(found, [head_now](std::int64_t position) { return position > head_now; });
    std::int64_t to = head_now;
    if (found.size() >= kMost) {
      found.resize(kMost);
      to = found.back();
    }
    std::string body;
    for (const std::int64_t position : found) body += std::to_string(position) + " ";
    const std::lock_guard lock(mutex_);
    ++counts_.reads;
    return PushDocument{std::make_shared<const std::string>(body), "text/plain", self, from, to,
                        static_cast<std::int64_t>(found.size())};
  }

 private:
  mutable std::mutex mutex_;  // guards what follows
  std::vector<Terms> log_;
  Counts counts_;
  std::atomic<std::int64_t> known_{0};
};

// What callbacks were sent and have taken, by callback.
struct Taken {
  Positions positions;
  std::vector<std::pair<std::string, std::string>> ranges;  // Feed-Position-Previous and Feed-Position
};

// Answers what is sent as the test says: at once, or later.
class Callbacks final : public Transport {
 public:
  std::function<int()> status = [] { return 204; };  // 0: answered later
  std::map<std::string, Taken> taken;

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    held_.push_back({std::move(request), std::move(done)});
    const int said = status();
    if (said != 0) answer(held_.size() - 1, said);
  }
  void answer_all(int said) {
    while (!held_.empty()) answer(0, said);
  }
  void stop() override {
    for (const Held& held : held_) {
      http::ClientReply stopped;
      stopped.outcome = http::ClientReply::Outcome::kStopped;
      held.done(std::move(stopped));
    }
    held_.clear();
  }

 private:
  struct Held {
    http::ClientRequest request;
    std::function<void(http::ClientReply)> done;
  };

  void answer(std::size_t index, int said) {
    const Held held = std::move(held_[index]);
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
    if (said == 204) {
      Taken& place = taken[held.request.url];
      for (const std::string_view word : split(*held.request.body, ' ')) {
        if (!word.empty()) place.positions.push_back(std::stoll(std::string(word)));
      }
      const auto header = [&held](const std::string& name) {
        return std::find_if(held.request.headers.begin(), held.request.headers.end(),
                            [&name](const auto& field) { return field.first == name; })
            ->second;
      };
      place.ranges.emplace_back(header("Feed-Position-Previous"), header("Feed-Position"));
    }
    http::ClientReply reply;
    reply.outcome = http::ClientReply::Outcome::kAnswered;
    reply.status = said;
    held.done(std::move(reply));
  }

  std::vector<Held> held_;
};

class JumpingClock final : public Clock {
 public:
  std::chrono::seconds jumped{0};
  Instant now() const override { return system_.now(); }
  Ticks ticks() const override { return system_.ticks() + jumped; }

 private:
  SystemClock system_;
};

// A process that owns all shards, from its start to its end.
class OneProcess {
 public:
  OneProcess(const std::string& name, sql::Session& session, sql::Database& database, TermFeed& source,
             Callbacks& callbacks, std::chrono::milliseconds save_watches_every = 0ms)
      : session_(session),
        source_(source),
        executor_(database, 1, 1000),
        callbacks_(callbacks),
        store_(name, Vault(Sha256{1})),
        options_(quick_options(save_watches_every)),
        loop_{options_, source, executor_, callbacks, store_, clock_, metrics_, io_, Shards(1h)},
        dispatcher_(loop_) {
    session.execute_script("update hub_shards set owner = ''; delete from hub_processes");
    beat();
    for (const std::int64_t shard : loop_.shards.all()) {
      loop_.shards.set_loaded(shard);
      for (Subscription& subscription : store_.load(session, shard)) adopt(std::move(subscription));
    }
    tell();
  }
  // It is killed: what it has not given to the database is lost.
  ~OneProcess() {
    loop_.is_stopping = true;
    callbacks_.stop();
    executor_.stop();
    while (io_.poll() > 0) {
    }
  }

  void beat() { loop_.shards.update(store_.keep_shards(session_, 1h), clock_.ticks()); }
  // So much later than its last beat that its shards may be others'.
  void oversleep() { clock_.jumped += 2h; }
  void adopt(Subscription subscription) {
    subscription.terms = source_.required_terms(subscription.topic);
    dispatcher_.adopt(std::move(subscription));
  }
  void tell() { dispatcher_.moved(3, 1, source_.hear()); }
  void hear_who_waits() { dispatcher_.set_asked(store_.asked_feeds(session_)); }
  void begin_save() { loop_.start(dispatcher_.save()); }
  // Some of what is to be done.
  void run(int handlers) {
    for (int i = 0; i < handlers; ++i) {
      if (io_.poll_one() == 0) fence();
    }
  }
  bool run_until(const std::function<bool()>& holds) {
    const auto give_up = std::chrono::steady_clock::now() + 20s;
    while (!holds()) {
      io_.run_one_for(10ms);
      if (std::chrono::steady_clock::now() > give_up) return false;
    }
    return true;
  }
  // Until nothing is done any more, but for what rests.
  void run_until_quiet() {
    do {
      fence();
    } while (io_.poll() > 0);
  }

 private:
  static HubOptions quick_options(std::chrono::milliseconds save_watches_every) {
    HubOptions options;
    options.retry = {0ms, 1ms};
    options.in_flight_per_host = 100'000;
    options.in_flight = 100'000;
    options.save_watches_every = save_watches_every;
    return options;
  }
  // Until the executor, which has one thread, has done what it was given.
  void fence() {
    std::promise<void> reached;
    executor_.submit([&reached](sql::Session&) { reached.set_value(); },
                     [&reached](const std::exception_ptr&) { reached.set_value(); });
    reached.get_future().get();
  }

  sql::Session& session_;
  TermFeed& source_;
  sql::Executor executor_;
  Callbacks& callbacks_;
  JumpingClock clock_;
  Metrics metrics_;
  const Store store_;
  const HubOptions options_;
  boost::asio::io_context io_;
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  Loop loop_;
  Dispatcher dispatcher_;
};

class LookoutTest : public testing::Test {
 protected:
  // Few shards are soon loaded.
  LookoutTest() { session_.execute_script("delete from hub_shards where shard >= 4"); }

  static std::string callback(const std::string& topic) { return "http://x.example/" + topic; }

  // One subscription of each topic, spread over some shards.
  void subscribe(const std::vector<std::string>& topics, std::int64_t cursor = 0, std::int64_t first_shard = 0,
                 std::int64_t shards = 4) {
    constexpr sql::Query kSubscribe{
        "test.subscribe",
        "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
        "verified, lease_until, cursor) "
        "select $3::bigint + t.number % $4::bigint, sha256(t.topic::bytea), 3, 1, t.topic, t.topic, "
        "'http://x.example/' || t.topic, "
        "'x.example', '', false, now(), now() + interval '1 day', $2::bigint "
        "from unnest($1::text[]) with ordinality as t (topic, number)"};
    session_.run(kSubscribe, sql::Parameters().add(topics).add(cursor).add(first_shard).add(shards));
  }
  std::unique_ptr<OneProcess> start() {
    return std::make_unique<OneProcess>("process " + std::to_string(++processes_), session_, pool_, source_,
                                        callbacks_);
  }
  // How many rows of subscriptions have been written since the last call.
  std::int64_t written() {
    session_.execute_script("create table if not exists seen (subscription bigint primary key, version xid)");
    constexpr sql::Query kWritten{
        "test.written",
        "with changed as (select s.subscription, s.xmin as version from subscriptions s "
        "left join seen using (subscription) where seen.version is distinct from s.xmin), "
        "kept as (insert into seen select * from changed "
        "on conflict (subscription) do update set version = excluded.version) select count(*) from changed"};
    return session_.run(kWritten)[0].integer(0);
  }
  std::int64_t number(sql::Query query) { return session_.run(query)[0].integer(0); }
  std::int64_t lowest_watch() { return number({"test.watch", "select coalesce(min(position), 0) from hub_watches"}); }
  void save(OneProcess& process) {
    process.begin_save();
    process.run_until_quiet();
  }

  test::TestDatabase database_;
  sql::Session session_{database_.url()};
  sql::Database pool_{database_.options()};
  TermFeed source_;
  Callbacks callbacks_;
  int processes_ = 0;
};

std::vector<std::string> ten_thousand_other_topics() {
  std::vector<std::string> topics;
  for (int i = 0; i < 10'000; ++i) topics.push_back("other" + std::to_string(i));
  return topics;
}

// How far was looked is written down now and then, and with each save where somebody waits to hear of it.
TEST_F(LookoutTest, AWatchIsWrittenDownSoonerWhereSomebodyWaits) {
  subscribe({"red"});
  OneProcess process("slow", session_, pool_, source_, callbacks_, 1h);
  save(process);
  const std::int64_t before = lowest_watch();
  source_.publish({"blue"});
  process.tell();
  process.run_until_quiet();
  process.hear_who_waits();
  save(process);
  EXPECT_EQ(lowest_watch(), before);
  session_.execute_script("insert into hub_asked values (3, 1, now() + interval '1 hour'), (3, 2, now())");
  process.hear_who_waits();
  save(process);
  EXPECT_EQ(lowest_watch(), before + 1);
}

TEST_F(LookoutTest, WhatDoesNotConcernASubscriptionDoesNotTouchIt) {
  subscribe(ten_thousand_other_topics());
  subscribe({"red|green", "*"});
  const auto process = start();
  save(*process);
  EXPECT_EQ(written(), 10'002) << "all begin";
  source_.take_counts();

  source_.publish({"blue", "red"});
  process->tell();
  process->run_until_quiet();
  save(*process);
  const TermFeed::Counts counts = source_.take_counts();
  EXPECT_EQ(counts.looks, 1);
  EXPECT_EQ(counts.reads, 2);
  EXPECT_EQ(written(), 2);
  EXPECT_EQ(lowest_watch(), 1);
  EXPECT_EQ(callbacks_.taken[callback("red|green")].positions, Positions{1});
  EXPECT_EQ(callbacks_.taken[callback("*")].positions, Positions{1});
}

TEST_F(LookoutTest, WhoeverTakesOverLooksFromWhereWasLookedLast) {
  subscribe(ten_thousand_other_topics());
  subscribe({"red"});
  auto process = start();
  for (int i = 0; i < 100; ++i) source_.publish({"blue"});
  process->tell();
  process->run_until_quiet();
  save(*process);
  EXPECT_EQ(number({"test.cursors", "select max(cursor) from subscriptions"}), 0) << "no subscription was touched";
  written();
  process = nullptr;
  source_.take_counts();

  source_.publish({"other7", "red"});
  process = start();
  process->run_until_quiet();
  save(*process);
  const TermFeed::Counts counts = source_.take_counts();
  EXPECT_EQ(counts.looks, 1) << "for all shards";
  EXPECT_EQ(counts.first_look, 100);
  EXPECT_EQ(counts.reads, 2);
  EXPECT_EQ(written(), 2);
  const Taken seven = callbacks_.taken[callback("other7")];
  EXPECT_EQ(seven.positions, Positions{101});
  EXPECT_EQ(seven.ranges.at(0), std::make_pair(std::string("0"), std::string("101"))) << "what it was told last";
}

TEST_F(LookoutTest, AFloodIsLookedAtInPieces) {
  subscribe({"red", "green"});
  const auto process = start();
  process->run_until_quiet();
  source_.take_counts();
  for (int i = 0; i < 30; ++i) source_.publish({i == 20 ? "red" : "blue"});
  process->tell();
  process->run_until_quiet();
  EXPECT_EQ(source_.take_counts().looks, 10);
  EXPECT_EQ(callbacks_.taken[callback("red")].positions, Positions{21});
  EXPECT_TRUE(callbacks_.taken[callback("green")].positions.empty());
}

// It has a cursor of its own, which nobody's look moves; when it has taken all it shares the watch again.
TEST_F(LookoutTest, OneThatFailsStandsByItselfUntilItHasCaughtUp) {
  subscribe({"red", "green"});
  auto process = start();
  callbacks_.status = [] { return 0; };
  source_.publish({"red"});
  process->tell();
  process->run_until_quiet();
  source_.publish({"blue"});
  source_.publish({"red"});
  process->tell();
  process->run_until_quiet();
  save(*process);
  process = nullptr;  // while the document was on its way
  constexpr sql::Query kShares{"test.shares", "select count(*) from subscriptions where watch is not null"};
  EXPECT_EQ(number(kShares), 1);
  EXPECT_EQ(number({"test.frozen", "select frozen from subscriptions where topic = 'red'"}), 1);

  callbacks_.status = [] { return 204; };
  process = start();
  process->run_until_quiet();
  save(*process);
  EXPECT_EQ(callbacks_.taken[callback("red")].positions, (Positions{1, 3}));
  EXPECT_EQ(number(kShares), 2);
}

TEST_F(LookoutTest, AnOlderOwnersWatchIsNotWritten) {
  subscribe({"red"});
  const auto old = start();
  save(*old);
  const auto process = start();
  source_.publish({"blue"});
  old->tell();
  old->run_until_quiet();
  save(*old);
  EXPECT_EQ(lowest_watch(), 0);
  process->tell();
  process->run_until_quiet();
  save(*process);
  EXPECT_EQ(lowest_watch(), 1);
}

TEST_F(LookoutTest, WhatChangesWhileItIsNotSureWhoOwnsAShardIsSavedLater) {
  subscribe({"red", "green"}, 0, 0, 1);
  const auto process = start();
  save(*process);
  source_.publish({"red"});
  process->tell();
  process->run_until_quiet();
  process->oversleep();
  save(*process);
  constexpr sql::Query kCursor{"test.cursor", "select cursor from subscriptions where topic = 'red'"};
  EXPECT_EQ(number(kCursor), 0);
  EXPECT_EQ(lowest_watch(), 0);
  process->beat();
  save(*process);
  EXPECT_EQ(number(kCursor), 1);
  EXPECT_EQ(lowest_watch(), 1);
}

// Subscriptions of servers of before share nothing, and each stands where it stood.
TEST_F(LookoutTest, WhoSharedNoWatchYetLooksForItselfOnce) {
  for (int i = 0; i < 5; ++i) source_.publish({i == 3 ? "red" : "blue"});
  source_.hear();
  subscribe({"red", "green"}, 2);
  const auto process = start();
  process->run_until_quiet();
  save(*process);
  EXPECT_EQ(callbacks_.taken[callback("red")].positions, Positions{4});
  EXPECT_EQ(number({"test.shares", "select count(*) from subscriptions where watch is not null and cursor = 5"}), 2);
  EXPECT_EQ(source_.take_counts().looks, 0) << "nobody shared the watch before";
}

// Random topics, entries, answers, kills and saves that are cut short: each subscription takes what matches, all of it,
// in order, and once where nothing was killed.
class LookoutModelTest : public LookoutTest, public testing::WithParamInterface<int> {
 protected:
  int below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(random_); }
  std::string term() { return std::string(1, static_cast<char>('a' + below(8))); }
  std::vector<std::string> random_topics() {
    std::set<std::string> topics{"*"};
    for (int i = 0; i < 30; ++i) {
      std::string topic = below(6) == 0 ? "!" : "";
      topic += term();
      while (topic.front() != '!' && below(3) == 0) {
        const std::string more = term();
        if (topic.find(more) == std::string::npos) topic += "|" + more;
      }
      topics.insert(topic);
    }
    return {topics.begin(), topics.end()};
  }
  Terms random_terms() {
    Terms terms;
    while (below(3) != 0) terms.insert(term());
    return terms;
  }
  // Delivers from positions on that were the head when its callback was asked, which confirms later.
  struct Latecomer {
    std::string topic;
    std::int64_t begin = 0;
    bool is_adopted = false;
  };
  void subscribe_late() {
    Latecomer& late = latecomers_.emplace_back();
    late.topic = "late" + std::to_string(latecomers_.size()) + "|" + term();
    late.begin = source_.head();
  }
  void adopt_late(OneProcess& process) {
    constexpr std::int64_t kShard = 3;  // that no others have
    for (Latecomer& late : latecomers_) {
      if (late.is_adopted) continue;
      late.is_adopted = true;
      subscribe({late.topic}, late.begin, kShard, 1);
      for (Subscription& subscription : Store("any", Vault(Sha256{1})).load(session_, kShard)) {
        if (subscription.topic.canonical == late.topic) process.adopt(std::move(subscription));
      }
    }
  }
  Positions expected(const std::string& topic) {
    const auto late = std::find_if(latecomers_.begin(), latecomers_.end(),
                                   [&topic](const Latecomer& one) { return one.topic == topic; });
    return source_.matches(topic, late == latecomers_.end() ? 0 : late->begin);
  }
  bool has_everything(const std::string& topic) { return first_arrivals(topic) == expected(topic); }
  Positions first_arrivals(const std::string& topic) {
    Positions first;
    std::set<std::int64_t> seen;
    for (const std::int64_t position : callbacks_.taken[callback(topic)].positions) {
      if (seen.insert(position).second) first.push_back(position);
    }
    return first;
  }

  std::vector<Latecomer> latecomers_;
  std::mt19937 random_{static_cast<std::mt19937::result_type>(GetParam())};
};

TEST_P(LookoutModelTest, EachSubscriptionTakesWhatMatches) {
  const bool has_kills = GetParam() % 2 == 1;
  std::vector<std::string> topics = random_topics();
  subscribe(topics, 0, 0, 3);
  callbacks_.status = [this] {
    const int chance = below(10);
    return chance < 6 ? 204 : chance < 8 ? 500 : 0;
  };
  auto process = start();
  for (int step = 0; step < 600; ++step) {
    const int chance = below(20);
    if (chance < 5) {
      source_.publish(random_terms());
      if (below(4) != 0) process->tell();
    } else if (chance < 8) {
      process->begin_save();
    } else if (chance < 10) {
      callbacks_.answer_all(below(4) == 0 ? 503 : 204);
    } else if (chance == 11 && below(4) == 0) {
      subscribe_late();
    } else if (chance == 11) {
      adopt_late(*process);
    } else if (chance == 10 && has_kills) {
      process = nullptr;
      process = start();
    } else {
      process->run(below(8));
    }
  }
  callbacks_.status = [] { return 204; };
  callbacks_.answer_all(204);
  adopt_late(*process);
  for (const Latecomer& late : latecomers_) topics.push_back(late.topic);
  process->tell();
  for (const std::string& topic : topics) {
    EXPECT_TRUE(process->run_until([&] { return has_everything(topic); })) << topic;
    EXPECT_EQ(first_arrivals(topic), expected(topic)) << topic;
    if (has_kills) continue;
    const Taken& taken = callbacks_.taken[callback(topic)];
    EXPECT_EQ(taken.positions, expected(topic)) << topic;
    for (std::size_t i = 1; i < taken.ranges.size(); ++i) EXPECT_EQ(taken.ranges[i].first, taken.ranges[i - 1].second);
  }
  // Nobody is left behind in the database either.
  process->run_until_quiet();
  save(*process);
  process = nullptr;
  source_.take_counts();
  const std::size_t before = callbacks_.taken.size();
  process = start();
  process->run_until_quiet();
  EXPECT_EQ(source_.take_counts().reads, 0);
  EXPECT_EQ(callbacks_.taken.size(), before);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LookoutModelTest, testing::Range(1, 31));

}  // namespace
}  // namespace courant::hub
