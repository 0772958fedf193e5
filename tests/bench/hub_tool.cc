// The measuring parts of scripts/bench that need subscribers.
//   hub_tool fanout PORT FEED SUBSCRIPTIONS HOSTS ENTRIES FILE
//       signed deliveries a second: publishes one entry after the other, each when all have the one before. Then writes
//       the last document into FILE, says the URL of a callback, and lets others post there until standard input ends
//   hub_tool latency PORT FEEDS EACH RATE SECONDS
//       publishes RATE entries a second on FEEDS feeds with EACH subscriptions: "p50 p99" of the microseconds from
//       before the publish to the delivery
//   hub_tool reach PORT FEED TERM SUBSCRIPTIONS ENTRIES
//       median microseconds until an entry has come to all that are subscribed to FEED?search=+TERM
//   hub_tool dead PORT FEED SUBSCRIPTIONS HOSTS
//       subscribes callbacks that never answer a delivery, says "ready", and has them until standard input ends
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "kernel/digest.h"
#include "kernel/uri.h"
#include "tests/support/callbacks.h"
#include "tests/support/http_client.h"
#include "tests/support/wait_until.h"

namespace courant::bench {
namespace {

using Clock = std::chrono::steady_clock;
using test::CallbackAnswer;
using test::Callbacks;
using test::Delivered;

constexpr std::size_t kEntryBytes = 1024;
constexpr std::chrono::microseconds kPause{100};  // what is measured is exact to that
constexpr std::string_view kSent = "sent=";       // in an entry's title: when it was published, in nanoseconds

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "hub_tool: %s\n", what.c_str());
  std::exit(1);
}

std::int64_t microseconds_since(Clock::time_point begin) {
  return std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count();
}

std::int64_t quantile(std::vector<std::int64_t> values, double part) {
  const auto at = static_cast<std::ptrdiff_t>(static_cast<double>(values.size() - 1) * part);
  std::nth_element(values.begin(), values.begin() + at, values.end());
  return values[static_cast<std::size_t>(at)];
}

std::string entry(const std::string& categories = {}) {
  const std::string head = "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>" + std::string(kSent) +
                           std::to_string(Clock::now().time_since_epoch().count()) + "</title>" + categories +
                           "<content>";
  const std::string tail = "</content></entry>";
  const std::size_t room = kEntryBytes - head.size() - tail.size();
  return head + to_hex(random_bytes(room / 2)) + tail;
}

void publish(test::HttpClient& client, const std::string& feed, const std::string& text) {
  const int status = client.post(feed, text, "Content-Type: application/atom+xml\r\n").status;
  if (status != 201) fail("a publish was answered with " + std::to_string(status));
}

void wait_for(const Callbacks& callbacks, std::int64_t count) {
  const bool have_come =
      test::wait_until([&] { return callbacks.delivered() >= count; }, std::chrono::minutes(1), kPause);
  if (!have_come)
    fail("of " + std::to_string(count) + " deliveries " + std::to_string(callbacks.delivered()) + " came");
}

// So many signed subscriptions of a topic, spread over the hosts; returns when each has been sent a first entry of its
// feed, `text`.
void subscribe(int port, const std::string& topic, const std::string& feed, const std::string& text,
               Callbacks& callbacks, int count) {
  test::HttpClient client(port, false);
  publish(client, feed, text);  // so that there is a feed
  const std::int64_t before = callbacks.confirmed();
  const std::int64_t delivered = callbacks.delivered();
  for (int i = 0; i < count; ++i) {
    const std::string& host = callbacks.urls()[static_cast<std::size_t>(i) % callbacks.urls().size()];
    const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic) +
                             "&hub.callback=" + percent_encode(host + "/" + std::to_string(before + i)) +
                             "&hub.secret=shared";
    const int status = client.post("/hub", form, "Content-Type: application/x-www-form-urlencoded\r\n").status;
    if (status != 202) fail("a subscription was answered with " + std::to_string(status));
  }
  const bool are_confirmed =
      test::wait_until([&] { return callbacks.confirmed() >= before + count; }, std::chrono::minutes(5), kPause);
  if (!are_confirmed) fail("not all subscriptions were verified");
  publish(client, feed, text);
  wait_for(callbacks, delivered + count);
}

std::string url_of(int port, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(port) + path;
}

void wait_for_the_end() {
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}

int fanout(int port, const std::string& feed, int subscriptions, int hosts, int entries, const std::string& file) {
  test::HttpClient client(port, false);
  std::string last;  // written by the callbacks' thread before it counts the delivery that wait_for sees
  Callbacks callbacks(hosts, [&last](const Delivered& delivered) {
    last = delivered.body;
    return CallbackAnswer{};
  });
  subscribe(port, url_of(port, feed), feed, entry(), callbacks, subscriptions);
  std::vector<std::int64_t> rates;
  for (int i = 1; i <= entries; ++i) {
    const std::int64_t wanted = callbacks.delivered() + subscriptions;
    const Clock::time_point begin = Clock::now();
    publish(client, feed, entry());
    wait_for(callbacks, wanted);
    rates.push_back(std::int64_t{1'000'000} * subscriptions / microseconds_since(begin));
  }
  std::ofstream(file) << last;
  std::printf("%lld\n%s\n", static_cast<long long>(quantile(rates, 0.5)), callbacks.urls()[0].c_str());
  std::fflush(stdout);
  wait_for_the_end();
  return 0;
}

int latency(int port, int feeds, int each, int rate, int seconds) {
  test::HttpClient client(port, false);
  std::vector<std::int64_t> took;  // the callbacks' thread's, until they are gone
  std::atomic<std::int64_t> measured_from{std::numeric_limits<std::int64_t>::max()};  // when the clock said so
  std::atomic<std::int64_t> came{0};
  const int published = rate * seconds;
  {
    Callbacks callbacks(each, [&](const Delivered& delivered) {
      const std::string_view body = delivered.body;
      const std::int64_t now = Clock::now().time_since_epoch().count();
      for (std::size_t at = body.find(kSent); at != std::string_view::npos; at = body.find(kSent, at + 1)) {
        const std::int64_t sent = std::stoll(std::string(body.substr(at + kSent.size(), 24)));
        if (sent < measured_from) continue;
        took.push_back((now - sent) / 1000);
        ++came;
      }
      return CallbackAnswer{};
    });
    const auto feed = [](int i) { return "/bench/pushed-" + std::to_string(i); };
    for (int i = 0; i < feeds; ++i) {
      subscribe(port, url_of(port, feed(i)), feed(i), entry(), callbacks, each);
    }
    const Clock::time_point begin = Clock::now();
    measured_from = begin.time_since_epoch().count();
    for (int i = 0; i < published; ++i) {
      std::this_thread::sleep_until(begin + std::chrono::microseconds(std::int64_t{1'000'000} * i / rate));
      publish(client, feed(i % feeds), entry());
    }
    const bool have_come =
        test::wait_until([&] { return came >= std::int64_t{published} * each; }, std::chrono::minutes(1), kPause);
    if (!have_come) fail("only " + std::to_string(came) + " deliveries came");
  }
  std::printf("%lld %lld\n", static_cast<long long>(quantile(took, 0.5)), static_cast<long long>(quantile(took, 0.99)));
  return 0;
}

int reach(int port, const std::string& feed, const std::string& term, int subscriptions, int entries) {
  test::HttpClient client(port, false);
  Callbacks callbacks(subscriptions, [](const Delivered&) { return CallbackAnswer{}; });
  const std::string category = "<category term=\"" + term + "\"/>";
  subscribe(port, url_of(port, feed + "?search=%2B" + term), feed, entry(category), callbacks, subscriptions);
  std::vector<std::int64_t> took;
  for (int i = 1; i <= entries; ++i) {
    const std::int64_t wanted = callbacks.delivered() + subscriptions;
    const Clock::time_point begin = Clock::now();
    publish(client, feed, entry(category));
    wait_for(callbacks, wanted);
    took.push_back(microseconds_since(begin));
  }
  std::printf("%lld\n", static_cast<long long>(quantile(took, 0.5)));
  return 0;
}

int dead(int port, const std::string& feed, int subscriptions, int hosts) {
  Callbacks callbacks(hosts, [](const Delivered&) { return CallbackAnswer{.bytes = ""}; });
  subscribe(port, url_of(port, feed), feed, entry(), callbacks, subscriptions);
  std::puts("ready");
  std::fflush(stdout);
  wait_for_the_end();
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const auto is = [&arguments](const char* name, std::size_t count) {
    return arguments.size() == count + 1 && arguments[0] == name;
  };
  const auto number = [&arguments](std::size_t i) { return std::stoi(arguments[i]); };
  if (is("fanout", 6)) return fanout(number(1), arguments[2], number(3), number(4), number(5), arguments[6]);
  if (is("latency", 5)) return latency(number(1), number(2), number(3), number(4), number(5));
  if (is("reach", 5)) return reach(number(1), arguments[2], arguments[3], number(4), number(5));
  if (is("dead", 4)) return dead(number(1), arguments[2], number(3), number(4));
  std::fputs("hub_tool is run by scripts/bench; see the first lines of its source\n", stderr);
  return 2;
}

}  // namespace
}  // namespace courant::bench

int main(int argc, char** argv) {
  return courant::bench::run({argv + 1, argv + argc});
}
