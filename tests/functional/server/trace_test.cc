// From the publisher's request to what subscribers are pushed: the trace goes on (W3C Trace Context).
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/any_query.h"
#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::trace_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string trace_id(char digit) {
  return std::string(32, digit);
}
std::string traceparent(char digit) {
  return "traceparent: 00-" + trace_id(digit) + "-00f067aa0ba902b7-01\r\n";
}
std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

class TraceTest : public testing::Test {
 protected:
  TraceTest() {
    const std::string config = scratch("trace.toml");
    std::ofstream(config) << "[log]\nformat = 'json'\nrequests = 'all'\n"
                          << "[hub]\ncallback_allow = ['127.0.0.0/8']\nretry = ['0s', '50ms']\n"
                          << "[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
  }
  HttpClient client() const { return HttpClient(server_->port()); }
  void publish(int number, const std::string& headers = {}) const {
    ASSERT_EQ(client().post("/demo/events", entry(number), headers).status, 201) << number;
  }
  void subscribe(const Subscriber& subscriber, const std::string& query = {}) {
    ASSERT_EQ(subscriber.ask(*server_, "subscribe", server_->url() + "/demo/events" + query), 202);
    ASSERT_TRUE(wait_until([&] { return number_of(session_, "select count(*) from subscriptions") == 1; }));
  }
  static void await(const Subscriber& subscriber, std::size_t count) {
    ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() >= count; }));
  }
  static std::string log() { return CourantServer::log(); }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
};

TEST_F(TraceTest, ADeliveryIsOfTheTraceOfItsPublisher) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  publish(2, traceparent('a') + "tracestate: rojo=1\r\ntracestate: congo=2\r\n");
  await(subscriber, 1);
  publish(3);
  await(subscriber, 2);
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  EXPECT_THAT(deliveries[0].header("traceparent").value_or(""), StartsWith("00-" + trace_id('a') + "-"));
  EXPECT_THAT(deliveries[0].header("traceparent").value_or(""), Not(HasSubstr("00f067aa0ba902b7")));
  EXPECT_EQ(deliveries[0].header("tracestate"), "rojo=1,congo=2");
  EXPECT_EQ(deliveries[1].header("traceparent"), std::nullopt) << "whoever says nothing is in no trace";
}

TEST_F(TraceTest, EachAttemptIsASpanOfItsOwn) {
  publish(1);
  std::atomic<int> count{0};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = ++count == 1 ? 500 : 204}; });
  subscribe(subscriber);
  publish(2, traceparent('b'));
  await(subscriber, 2);
  const std::vector<SinkRequest> deliveries = subscriber.deliveries();
  EXPECT_THAT(deliveries[1].header("traceparent").value_or(""), StartsWith("00-" + trace_id('b') + "-"));
  EXPECT_NE(deliveries[0].header("traceparent"), deliveries[1].header("traceparent"));
  EXPECT_EQ(deliveries[0].header("webhook-id"), deliveries[1].header("webhook-id"));
}

// Batches, edits and deletions have one, too; a filter passes over what is not its subscriber's.
TEST_F(TraceTest, EverythingThatCanBePublishedHasOne) {
  publish(1);
  Subscriber subscriber;
  subscribe(subscriber);
  const std::string batch = "<feed xmlns='http://www.w3.org/2005/Atom'>" + entry(2) + entry(3) + "</feed>";
  EXPECT_EQ(client().post("/demo/events", batch, traceparent('1')).status, 200);
  await(subscriber, 1);
  EXPECT_EQ(
      client()
          .put("/demo/events/entries/urn:x:2",
               "<entry "
               "xmlns='http://www.w3.org/2005/Atom'><id>urn:x:2</id><title>other</title><content>c</content></entry>",
               traceparent('2'))
          .status,
      200);
  await(subscriber, 2);
  EXPECT_EQ(client().remove("/demo/events/entries/urn:x:2", traceparent('3')).status, 204);
  await(subscriber, 3);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_THAT(subscriber.deliveries()[i].header("traceparent").value_or(""),
                StartsWith("00-" + trace_id(static_cast<char>('1' + i)) + "-"));
  }
}

TEST_F(TraceTest, OfManyInOneDocumentItIsThatOfTheNewest) {
  publish(1);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate));
  const GateOpener opener{gate};
  subscribe(subscriber, "?search=%28cat%3Dx%29");
  const auto publish_x = [&](int number, const std::string& headers) {
    const std::string text = "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                             "</id><title>t</title><category term='x'/><content>c</content></entry>";
    EXPECT_EQ(client().post("/demo/events", text, headers).status, 201);
  };
  publish_x(2, {});
  await(subscriber, 1);  // and is held, so that what follows comes together
  publish_x(3, traceparent('3'));
  publish_x(4, traceparent('4'));
  publish_x(5, {});
  publish(6, traceparent('6'));
  gate.open();
  await(subscriber, 2);
  EXPECT_THAT(subscriber.deliveries()[1].header("traceparent").value_or(""), StartsWith("00-" + trace_id('4') + "-"))
      << "the newest entry of the document that has one";
}

TEST_F(TraceTest, OutlivesTheServer) {
  publish(1);
  std::atomic<bool> is_up{false};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = is_up ? 204 : 500}; });
  subscribe(subscriber);
  publish(2, traceparent('c'));
  await(subscriber, 1);
  is_up = true;
  server_->kill_and_restart();
  const auto has_it = [&] {
    return number_of(session_, "select count(*) from subscriptions where cursor = 2 and failures = 0") == 1;
  };
  EXPECT_TRUE(wait_until(has_it));
  EXPECT_THAT(subscriber.deliveries().back().header("traceparent").value_or(""),
              StartsWith("00-" + trace_id('c') + "-"));
}

TEST_F(TraceTest, TheLineOfARequestNamesItsTrace) {
  publish(1, traceparent('d'));
  publish(2, "traceparent: 00-" + trace_id('e') + "-0000000000000000-01\r\n");
  EXPECT_TRUE(wait_until([] { return log().find("\"trace\":\"" + trace_id('d') + "\"") != std::string::npos; }));
  EXPECT_THAT(log(), Not(HasSubstr(trace_id('e')))) << "what is not by the grammar is not noted";
  EXPECT_THAT(log(), Not(HasSubstr("00f067aa0ba902b7")));
}

TEST_F(TraceTest, ARedactedEntryHasNone) {
  publish(1, traceparent('f'));
  EXPECT_EQ(number_of(session_, "select count(*) from entries where trace is not null"), 1);
  Process redact({courant_program(), "redact", "--database", database_.url(), "demo/events", "urn:x:1"},
                 scratch("trace-redact.log"));
  ASSERT_EQ(redact.wait(), 0);
  EXPECT_EQ(number_of(session_, "select count(*) from entries where trace is not null"), 0);
}

}  // namespace
}  // namespace courant::test::trace_test
