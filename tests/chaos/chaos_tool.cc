// The chaos run: many publishers on many feeds of two servers over one database, while servers, PostgreSQL's backends
// and its whole cluster are killed, stopped and held at random. Afterwards everything that was answered must be there
// once and in its place. Run by scripts/chaos, and by ctest in a short form.
//   chaos_tool [--seed N] [--seconds N] [--publishers N] [--feeds N]
// Ends with 0 where all holds, with 1 and what is broken where not; then its folder with the logs is kept.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "kernel/text.h"
#include "kernel/uri.h"
#include "tests/chaos/audit.h"
#include "tests/chaos/fleet.h"
#include "tests/chaos/judgement.h"
#include "tests/chaos/program.h"
#include "tests/chaos/publisher.h"
#include "tests/chaos/push_check.h"
#include "tests/chaos/reader.h"
#include "tests/support/wait_until.h"

namespace courant::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kReaders = 2;
constexpr int kFollowed = 10;   // feeds that the readers follow; publishers like them best
constexpr int kSubscribed = 3;  // feeds that are pushed

struct Options {
  std::uint32_t seed = std::random_device{}();
  int seconds = 120;
  int publishers = 100;
  int feeds = 1000;
};

long long whole(const std::atomic<std::int64_t>& count) {
  return static_cast<long long>(count.load());
}

class Run {
 public:
  Run(const Options& options, const std::string& work)
      : options_(options), work_(work), random_(options.seed), fleet_(work, options.seed, findings_) {}

  // Whether everything holds.
  bool carry_out() {
    if (!fleet_.start()) {
      findings_.add("the servers do not start");
    } else {
      subscribe();
      publish_in_chaos();
      if (fleet_.calm()) look_after();
    }
    for (const std::string& sentence : findings_.sentences()) std::printf("BROKEN: %s\n", sentence.c_str());
    return findings_.count() == 0;
  }

  std::size_t broken() const { return findings_.count(); }

 private:
  // Asks the hub, and waits until it has asked back.
  void subscribe() {
    Caller caller(fleet_.ports(), 20s);
    for (int feed = 0; feed < std::min(kSubscribed, options_.feeds); ++feed) {
      pushes_.push_back(std::make_unique<PushCheck>(feed, random_(), findings_, counts_));
      const std::string topic = "http://127.0.0.1:" + std::to_string(fleet_.ports()[0]) + feed_path(feed);
      const auto reply = caller.ask(feed % 2, {"POST", "/hub", "Content-Type: application/x-www-form-urlencoded\r\n",
                                               "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                                                   "&hub.callback=" + percent_encode(pushes_.back()->callback())});
      if (!reply || reply->status != 202) findings_.add("the hub takes no subscription of " + topic);
    }
    wait_until(30s, "a subscription is not verified", [this] {
      return std::all_of(pushes_.begin(), pushes_.end(), [](const auto& push) { return push->is_verified(); });
    });
  }

  void publish_in_chaos() {
    std::vector<std::unique_ptr<Publisher>> publishers;
    std::vector<std::unique_ptr<Reader>> readers;
    std::vector<std::thread> threads;
    std::vector<int> followed;
    for (int feed = 0; feed < std::min(kFollowed, options_.feeds); ++feed) followed.push_back(feed);
    for (int i = 0; i < kReaders; ++i) {
      readers.push_back(std::make_unique<Reader>(fleet_.ports(), random_(), followed, is_over_, findings_, counts_));
      threads.emplace_back([&reader = *readers.back()] { reader.run(); });
    }
    for (int server = 0; server < 2; ++server) {
      pollers_.push_back(std::make_unique<Poller>(fleet_.ports(), server, options_.feeds, is_over_, findings_));
      threads.emplace_back([&poller = *pollers_.back()] { poller.run(); });
    }
    for (int i = 0; i < options_.publishers; ++i) {
      const PublisherOptions options{i, static_cast<std::uint32_t>(random_()), options_.feeds, fleet_.ports()};
      publishers.push_back(std::make_unique<Publisher>(options, is_over_, findings_, counts_));
      threads.emplace_back([this, &publisher = *publishers.back()] {
        publisher.run();
        ++ended_;
      });
    }
    disturb();
    is_over_ = true;
    // Publishers settle what is in doubt; for that the servers have to come back.
    fleet_.calm();
    while (ended_ < options_.publishers) {
      fleet_.tend();
      std::this_thread::sleep_for(20ms);
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& publisher : publishers) ledger_.push_back(publisher->ledger());
    summarize();
  }

  void disturb() {
    const auto end = Clock::now() + std::chrono::seconds(options_.seconds);
    auto next = Clock::now() + 1s;
    auto next_line = Clock::now() + 5s;
    std::int64_t answered = 0;
    while (Clock::now() < end) {
      fleet_.tend();
      // It hits what works: who is still down is given some time to come back.
      const bool goes_on = counts_.entries > answered || Clock::now() >= next + 5s;
      if (Clock::now() >= next && goes_on) {
        fleet_.disturb();
        answered = counts_.entries;
        next = Clock::now() + std::chrono::milliseconds(100 + random_() % 1500);
      }
      if (Clock::now() >= next_line) {
        progress();
        next_line += 5s;
      }
      std::this_thread::sleep_for(20ms);
    }
  }

  int disturbances() const {
    int sum = 0;
    for (const auto& [what, count] : fleet_.disturbances()) sum += count;
    return sum;
  }

  void progress() const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin_).count();
    std::printf(
        "%4lld s: %lld entries, %lld edits, %lld deletions answered; %lld requests were in doubt; %d "
        "disturbances; %zu broken\n",
        static_cast<long long>(seconds), whole(counts_.entries), whole(counts_.revisions), whole(counts_.deletions),
        whole(counts_.doubtful), disturbances(), findings_.count());
    std::fflush(stdout);
  }

  void summarize() const {
    std::printf("answered: %lld entries (with those of %lld batches), %lld edits, %lld deletions\n",
                whole(counts_.entries), whole(counts_.batches), whole(counts_.revisions), whole(counts_.deletions));
    std::printf("in doubt: %lld requests, sent again %lld times; %lld of them were never answered\n",
                whole(counts_.doubtful), whole(counts_.doubts), whole(counts_.unsettled));
    std::printf("meanwhile: %lld pages followed, %lld pushes taken\n", whole(counts_.pages), whole(counts_.pushes));
    std::string list;
    for (const auto& [what, count] : fleet_.disturbances()) {
      list += (list.empty() ? "" : ", ") + what + " " + std::to_string(count);
    }
    std::printf("disturbed: %s\n", list.c_str());
    std::fflush(stdout);
  }

  void look_after() {
    const Audited audited = audit(fleet_.ports(), options_.feeds, ledger_, findings_);
    for (const auto& poller : pollers_) poller->settle(audited.heads);
    wait_until(60s, "a subscriber was not pushed everything", [&] {
      bool is_complete = true;
      for (std::size_t feed = 0; feed < pushes_.size(); ++feed) {
        is_complete = is_complete && pushes_[feed]->position() == audited.heads[feed];
      }
      return is_complete;
    });
    std::int64_t commands = 0;
    for (const int feed : {0, options_.feeds / 2}) {
      if (audited.heads[static_cast<std::size_t>(feed)] <= 0) continue;
      run_verify(fleet_.ports(), feed, work_, findings_);
      ++commands;
    }
    std::printf("audit: %lld positions, the chains of %lld feeds; %lld positions are of requests without an answer\n",
                static_cast<long long>(audited.positions), static_cast<long long>(audited.verified),
                static_cast<long long>(audited.doubtful));
    const Done done = {counts_.entries, disturbances(), audited.verified, commands, counts_.pages, counts_.pushes};
    for (const std::string& sentence : shortfalls(done, options_.seconds, options_.publishers, options_.feeds)) {
      findings_.add(sentence);
    }
  }

  template <class Holds>
  void wait_until(std::chrono::seconds patience, const std::string& otherwise, Holds holds) {
    const auto holds_now = [&] {
      if (holds()) return true;
      fleet_.tend();
      return false;
    };
    if (!test::wait_until(holds_now, patience, kPause)) {
      findings_.add(otherwise + " after " + std::to_string(patience.count()) + " s");
    }
  }

  const Options options_;
  const std::string work_;
  const Clock::time_point begin_ = Clock::now();
  std::mt19937 random_;
  Findings findings_;
  Counts counts_;
  std::vector<std::unique_ptr<PushCheck>> pushes_;
  Fleet fleet_;  // before the subscribers: nobody is left without one
  std::atomic<bool> is_over_{false};
  std::atomic<int> ended_{0};
  std::vector<std::unique_ptr<Poller>> pollers_;
  Ledger ledger_;
};

int run(const std::vector<std::string>& arguments) {
  const auto numbers = Numbers::read(arguments, {"--seed", "--seconds", "--publishers", "--feeds"});
  if (!numbers) {
    std::fputs("usage: chaos_tool [--seed N] [--seconds N] [--publishers N] [--feeds N]\n", stderr);
    return 2;
  }
  Options options;
  options.seed = numbers->of("--seed", options.seed);
  options.seconds = numbers->small("--seconds", options.seconds);
  options.publishers = numbers->small("--publishers", options.publishers);
  options.feeds = numbers->small("--feeds", options.feeds);
  const std::string what = std::to_string(options.publishers) + " publishers, " + std::to_string(options.feeds) +
                           " feeds, " + std::to_string(options.seconds) + " seconds";
  return run_in_folder("chaos_tool", options.seed, what, [&options](const std::string& work) {
    Run run(options, work);
    run.carry_out();
    return run.broken();
  });
}

}  // namespace
}  // namespace courant::chaos

int main(int argc, char** argv) {
  return courant::chaos::run({argv + 1, argv + argc});
}
