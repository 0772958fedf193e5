// Topics of another server, http://here.example, which is made up: whatever is asked of it is answered with a feed of
// all that was published there. Each publish is pinged, and has arrived when it returns.
//   OtherServers servers;
//   servers.publish("events", "hello");   // http://here.example/demo/events
// Threads: the test's.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "hub/foreign_topics.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test {

// Answers at once.
class ServedFeeds final : public hub::Transport {
 public:
  void publish(const std::string& url, const std::string& text) {
    const std::lock_guard lock(mutex_);
    std::string& entries = entries_[url];
    const std::string number = std::to_string(++published_);
    entries.insert(0, "<entry><id>urn:x:" + number + "</id><title>" + text +
                          "</title><updated>2026-01-01T00:00:00Z</updated></entry>");
  }

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    http::ClientReply reply;
    reply.outcome = http::ClientReply::Outcome::kAnswered;
    reply.status = 200;
    reply.headers = {{"Content-Type", "application/atom+xml"}};
    {
      const std::lock_guard lock(mutex_);
      reply.body = "<feed xmlns='http://www.w3.org/2005/Atom'><id>urn:x</id><title>t</title>" + entries_[request.url] +
                   "</feed>";
    }
    done(std::move(reply));
  }
  void stop() override {}

 private:
  std::mutex mutex_;  // guards what follows
  std::map<std::string, std::string> entries_;
  int published_ = 0;
};

class OtherServers {
 public:
  OtherServers() {
    topics_.start([](const std::vector<hub::Moved>&) {}, [] {}, [] { return 1.0; });
    for (const char* const name : {"events", "other"}) {
      // Somebody subscribes: else a ping is about nothing.
      session_.execute_script(
          "insert into subscriptions (shard, key, lane, feed, topic, self, callback, callback_host, identity, renews, "
          "verified, lease_until, cursor) values (0, '" +
          std::string(name) + "', -1, 0, '" + url_of(name) + "', '', '', '', '', false, now(), now() + '1 hour', 0)");
      const hub::Topic topic = topics_.keep(session_, topics_.find(session_, url_of(name)).value());
      const auto is_ready = [&] {
        return topics_.admission(session_, topic).answer == hub::Admission::Answer::kGranted;
      };
      if (!wait_until(is_ready)) throw std::runtime_error("the first fetch does not come");
      numbers_[name] = topic.feed;
    }
  }
  ~OtherServers() {
    topics_.stop();
    executor_.stop();
  }
  OtherServers(const OtherServers&) = delete;
  OtherServers& operator=(const OtherServers&) = delete;

  // Of kUrl of the tests: URLs that mean it, and that do not, and those that can be no topics.
  static std::vector<std::string> same() {
    return {"http://here.example/demo/event%73", "http://here.example:80/demo/events",
            "http://HERE.example/demo/events"};
  }
  static std::vector<std::string> different() {
    return {"http://here.example/demo/events/", "http://here.example/demo/events?x=1",
            "https://here.example/demo/events", "http://here.example/demo/other"};
  }
  static std::vector<std::string> refused() {
    return {"",
            "nonsense",
            "/demo/events",
            "ftp://here.example/demo/events",
            "http://a:b@here.example/",
            "http://here.example/#x",
            "http://127.0.0.1/x",
            "http://here.example:25/"};
  }

  hub::TopicSource& topics() { return topics_; }
  sql::Session& session() { return session_; }
  std::int64_t publish(const std::string& name, const std::string& text, const std::string& /*term*/ = {}) {
    const std::int64_t before = topics_.known_position(hub::kForeignLane, numbers_.at(name));
    served_.publish(url_of(name), text);
    topics_.pinged(session_, url_of(name));
    wait_until([&] { return topics_.known_position(hub::kForeignLane, numbers_.at(name)) > before; });
    return topics_.known_position(hub::kForeignLane, numbers_.at(name));
  }

 private:
  static std::string url_of(const std::string& name) { return "http://here.example/demo/" + name; }
  static hub::ForeignOptions options() {
    hub::ForeignOptions options;
    options.is_on = true;
    options.fetch.per_host = 100'000;
    options.interval = std::chrono::milliseconds(0);
    return options;
  }

  TestDatabase test_;
  sql::Session session_{test_.url()};
  sql::Database database_{test_.options()};
  sql::Executor executor_{database_, 2, 100};
  const SystemClock clock_;
  Metrics metrics_;
  ServedFeeds served_;
  std::map<std::string, std::int64_t> numbers_;
  hub::ForeignTopics topics_{options(), executor_,
                             served_,   std::make_shared<const http::AddressGuard>(std::vector<http::Network>{}),
                             clock_,    metrics_};
};

}  // namespace courant::test
