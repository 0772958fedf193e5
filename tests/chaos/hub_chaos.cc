// The hub's chaos run: thousands of subscriptions whose callbacks fail at random, delivered by two `courant hub`
// processes that are killed every few seconds, while PostgreSQL is restarted twice. Run by scripts/chaos --hub, and by
// ctest in a short form.
//   hub_chaos [--seed N] [--seconds N] [--subscriptions N] [--judge-readers 1]
// Ends with 0 where a minute after the end of trouble every subscription that is alive has every entry, each delivery
// was in order and without a gap, and (where readers are judged) their slowest in a hundred was not slowed by more than
// half.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>

#include "kernel/uri.h"
#include "tests/chaos/bad_callbacks.h"
#include "tests/chaos/program.h"
#include "tests/support/any_query.h"
#include "tests/support/http_client.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/wait_until.h"

namespace courant::chaos {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr int kFeeds = 10;
constexpr int kReaders = 4;
constexpr auto kBetweenEntries = 100ms;

struct Options {
  std::uint32_t seed = std::random_device{}();
  int seconds = 120;
  int subscriptions = 10'000;
  bool judges_readers = false;
};

std::string path_of(int feed) {
  return "/chaos/f" + std::to_string(feed);
}

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

// How long conditional GETs took, by phase of the run.
class Readers {
 public:
  enum Phase { kQuiet, kTrouble };

  Readers(int port, Phase begins) : port_(port), phase_(begins) {
    for (int i = 0; i < kReaders; ++i) threads_.emplace_back([this, i] { read(i); });
  }
  ~Readers() {
    is_over_ = true;
    for (std::thread& thread : threads_) thread.join();
  }

  void enter(Phase phase) { phase_ = phase; }
  std::int64_t p99(Phase phase) {
    const std::lock_guard lock(mutex_);
    std::vector<std::int64_t>& took = took_[phase];
    if (took.empty()) return 0;
    std::sort(took.begin(), took.end());
    return took[took.size() * 99 / 100];
  }

 private:
  void read(int feed) {
    std::string etag = "\"none\"";
    auto client = std::make_unique<test::HttpClient>(port_, false);
    while (!is_over_) {
      const Clock::time_point begin = Clock::now();
      const Phase phase = phase_;
      const test::Reply reply = client->get(path_of(feed), "If-None-Match: " + etag + "\r\n");
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
      if (reply.status == 200) etag = reply.header("ETag");
      if (reply.status == 0) client = std::make_unique<test::HttpClient>(port_, false);
      {
        const std::lock_guard lock(mutex_);
        took_[phase].push_back(took);
      }
      std::this_thread::sleep_for(2ms);
    }
  }

  const int port_;
  std::atomic<Phase> phase_;
  std::atomic<bool> is_over_{false};
  std::mutex mutex_;  // guards took_
  std::array<std::vector<std::int64_t>, 2> took_;
  std::vector<std::thread> threads_;
};

class Run {
 public:
  Run(const Options& options, std::string work)
      : options_(options),
        work_(std::move(work)),
        random_(options.seed),
        port_(test::free_port()),
        callbacks_(options.subscriptions, kFeeds, options.seed + 1, findings_),
        heads_(kFeeds) {
    std::ofstream(work_ + "/hub.toml")
        << "[server]\npublic_url = 'http://127.0.0.1:" << port_ << "'\noperations = ''\n"
        << "[hub]\ndeliver = false\ncallback_allow = ['127.0.0.0/8']\nretry = ['0s', '500ms', '1s', '2s']\n"
        << "delivery_timeout = '2s'\nmax_pending = 1000000\nmax_pending_per_client = 1000000\n"
        << "verifications_per_host = 100000\nverifications_per_domain = 100000\n"
        << "verifications_per_network = 100000\nverifications_per_client = 100000\n"
        << "[[workspaces]]\nname = 'chaos'\nauto_create = true\n";
  }

  std::size_t carry_out() {
    launch(server_, {"serve", "--listen", "127.0.0.1:" + std::to_string(port_)});
    const auto is_ready = [this] { return status_of("/-/health/ready") == 200; };
    if (!test::wait_until(is_ready, test::kPatience, kPause)) {
      findings_.add("the server does not start, see " + work_ + "/output");
      return say_all();
    }
    for (auto& hub : hubs_) launch(hub, {"hub"});
    for (int feed = 0; feed < kFeeds; ++feed) publish(feed);
    if (subscribe()) {
      pass_through_trouble();
      settle();
    }
    return say_all();
  }

 private:
  void launch(std::unique_ptr<test::Process>& process, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), test::courant_program());
    arguments.insert(arguments.end(), {"--data", work_ + "/data", "--config", work_ + "/hub.toml", "--access", "open"});
    process = std::make_unique<test::Process>(arguments, work_ + "/output");
  }

  int status_of(const std::string& path) const { return test::HttpClient(port_).get(path).status; }

  // The next entry of a feed, again until it is answered.
  void publish(int feed) {
    const std::string text = entry(++published_);
    const auto is_taken = [&] {
      const test::Reply reply = test::HttpClient(port_).post(path_of(feed), text);
      if (reply.status != 201 && reply.status != 200) return false;
      heads_[static_cast<std::size_t>(feed)] = std::stoll(reply.header("Feed-Position"));
      return true;
    };
    if (!test::wait_until(is_taken, test::kPatience, kPause)) findings_.add("an entry is not taken for a minute");
  }

  bool subscribe() {
    test::HttpClient client(port_, false);
    for (int i = 0; i < callbacks_.count(); ++i) {
      const std::string topic = "http://127.0.0.1:" + std::to_string(port_) + path_of(callbacks_.feed_of(i));
      const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                               "&hub.callback=" + percent_encode(callbacks_.callback(i)) + "&hub.secret=shared";
      const int status = client.post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n").status;
      if (status != 202) {
        findings_.add("a subscription is answered with " + std::to_string(status));
        return false;
      }
    }
    const auto are_verified = [this] { return callbacks_.confirmed() >= callbacks_.count(); };
    if (!test::wait_until(are_verified, 300s, kPause)) {
      findings_.add("after five minutes only " + std::to_string(callbacks_.confirmed()) + " callbacks were verified");
      return false;
    }
    // A hub that is killed between the answer of a callback and its commit asks that callback again, and the
    // subscription begins then.
    sql::Session session(database_in(work_));
    const auto are_stored = [&] { return test::number_of(session, "select count(*) from hub_requests") == 0; };
    if (!test::wait_until(are_stored, test::kPatience, kPause)) {
      findings_.add("a minute after all callbacks were verified not all subscriptions are stored");
      return false;
    }
    std::printf("%d subscriptions are verified\n", callbacks_.count());
    std::fflush(stdout);
    return true;
  }

  // A quarter of the time everybody behaves, so that readers have something to be compared with.
  void pass_through_trouble() {
    Readers readers(port_, Readers::kQuiet);
    publish_for(std::chrono::seconds(std::max(options_.seconds / 4, 3)), false);
    readers.enter(Readers::kTrouble);
    callbacks_.fail(true);
    publish_for(std::chrono::seconds(options_.seconds), true);
    callbacks_.fail(false);
    const std::int64_t quiet = readers.p99(Readers::kQuiet);
    const std::int64_t trouble = readers.p99(Readers::kTrouble);
    const double ratio = static_cast<double>(trouble) / static_cast<double>(std::max<std::int64_t>(quiet, 1));
    std::printf(
        "hubs killed %d times, PostgreSQL restarted %d times; %lld deliveries taken, %lld failed, %lld gone\n"
        "readers' p99: %lld us before, %lld us in trouble (%.2f)\n",
        kills_, restarts_, static_cast<long long>(callbacks_.taken()), static_cast<long long>(callbacks_.failed()),
        static_cast<long long>(callbacks_.gone()), static_cast<long long>(quiet), static_cast<long long>(trouble),
        ratio);
    std::fflush(stdout);
    if (options_.judges_readers && ratio > 1.5) findings_.add("readers were slowed by more than half");
    if (kills_ == 0 || restarts_ < 2 || callbacks_.failed() == 0) findings_.add("too little was done to show anything");
  }

  void publish_for(std::chrono::seconds time, bool in_trouble) {
    const Clock::time_point begin = Clock::now();
    Clock::time_point next_kill = begin + 1s;
    int restarts = 0;
    for (int feed = 0; Clock::now() < begin + time; feed = (feed + 1) % kFeeds) {
      publish(feed);
      std::this_thread::sleep_for(kBetweenEntries);
      if (!in_trouble) continue;
      if (Clock::now() > next_kill) {
        kill_a_hub();
        next_kill = Clock::now() + 2s + std::chrono::milliseconds(random_() % 2000);
      }
      if (restarts < 2 && Clock::now() > begin + time * (restarts + 1) / 3) {
        restart_postgres();
        ++restarts;
      }
    }
  }

  void kill_a_hub() {
    auto& hub = hubs_[random_() % hubs_.size()];
    hub->signal(SIGKILL);
    hub->wait();
    ++kills_;
    launch(hub, {"hub"});
  }

  // The server starts its cluster again.
  void restart_postgres() {
    int pid = 0;
    std::ifstream(work_ + "/data/postgres/cluster/postmaster.pid") >> pid;
    if (pid > 1 && ::kill(pid, SIGINT) == 0) ++restarts_;
  }

  // A minute after the end of trouble everybody has everything.
  void settle() {
    for (auto& hub : hubs_) {
      if (hub->ended()) launch(hub, {"hub"});  // it was started while the database was away
    }
    for (int feed = 0; feed < kFeeds; ++feed) publish(feed);
    const Clock::time_point begin = Clock::now();
    if (test::wait_until([this] { return callbacks_.behind(heads_) == 0; }, test::kPatience, kPause)) {
      std::printf("everybody had everything %.1f s after the end of trouble\n",
                  std::chrono::duration<double>(Clock::now() - begin).count());
    } else {
      findings_.add(std::to_string(callbacks_.behind(heads_)) + " subscriptions are behind a minute later");
    }
  }

  std::size_t say_all() {
    for (const std::string& sentence : findings_.sentences()) std::printf("BROKEN: %s\n", sentence.c_str());
    return findings_.count();
  }

  const Options options_;
  const std::string work_;
  std::minstd_rand random_;
  const int port_;
  Findings findings_;
  BadCallbacks callbacks_;
  std::vector<std::int64_t> heads_;  // of the feeds
  int published_ = 0;
  int kills_ = 0;
  int restarts_ = 0;
  std::unique_ptr<test::Process> server_;
  std::array<std::unique_ptr<test::Process>, 2> hubs_;
};

int run(const std::vector<std::string>& arguments) {
  const auto numbers = Numbers::read(arguments, {"--seed", "--seconds", "--subscriptions", "--judge-readers"});
  if (!numbers) {
    std::fputs("usage: hub_chaos [--seed N] [--seconds N] [--subscriptions N] [--judge-readers 1]\n", stderr);
    return 2;
  }
  Options options;
  options.seed = numbers->of("--seed", options.seed);
  options.seconds = numbers->small("--seconds", options.seconds);
  options.subscriptions = numbers->small("--subscriptions", options.subscriptions);
  options.judges_readers = numbers->of("--judge-readers", 0) != 0;
  const std::string what = std::to_string(options.subscriptions) + " subscriptions, " +
                           std::to_string(options.seconds) + " seconds of trouble";
  return run_in_folder("hub_chaos", options.seed, what,
                       [&options](const std::string& work) { return Run(options, work).carry_out(); });
}

}  // namespace
}  // namespace courant::chaos

int main(int argc, char** argv) {
  return courant::chaos::run({argv + 1, argv + argc});
}
