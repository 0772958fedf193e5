// W3C Trace Context (Recommendation of 23 November 2021): what is claimed of it. The server is a "vendor" that takes
// part in traces and records no spans itself.
#include "tests/conformance/server/fixture.h"
#include "tests/support/subscriber.h"
#include "tests/support/wait_until.h"

namespace courant::test::trace_context_test {
namespace {

const std::string kTraceId = "0af7651916cd43dd8448eb211c80319c";
const std::string kParentId = "b7ad6b7169203331";

class TraceContextConformance : public Conformance {
 protected:
  // What is sent to a subscriber of an entry that was published with these header fields.
  SinkRequest delivery_of(const std::string& headers) {
    EXPECT_EQ(publish(1).status, 201);
    EXPECT_EQ(subscriber_.ask(server_, "subscribe", server_.url() + "/demo/events"), 202);
    sql::Session session(database_.url());
    EXPECT_TRUE(wait_until([&] {
      return session.run(sql::Query{"made", "select count(*) from subscriptions"})[0].integer(0) == 1;
    }));
    EXPECT_EQ(client_.post("/demo/events", entry(2), kEntryType + headers).status, 201);
    EXPECT_TRUE(subscriber_.wait_until([&] { return !subscriber_.deliveries().empty(); }));
    return subscriber_.deliveries().at(0);
  }

  Subscriber subscriber_;
};

// 3.2.1: "Vendors MUST expect the header name in any case (upper, lower, mixed), and SHOULD send the header name in
// lowercase." 3.4: "A vendor receiving a traceparent request header MUST send it to outgoing requests. It MAY mutate
// the value of this header"; "Update parent-id: ... the value representing the ID of the current operation".
TEST_F(TraceContextConformance, ATraceparentIsSentOnUnderANewParentId) {
  const SinkRequest delivery = delivery_of("TraceParent: 00-" + kTraceId + "-" + kParentId + "-01\r\n");
  const std::string sent = delivery.header("traceparent").value_or("");
  ASSERT_EQ(sent.size(), 55U);
  EXPECT_EQ(sent.substr(0, 36), "00-" + kTraceId + "-");
  EXPECT_EQ(sent.substr(52), "-01");
  EXPECT_NE(sent.substr(36, 16), kParentId);
  EXPECT_NE(sent.substr(36, 16), "0000000000000000") << "3.2.2.4: all zeroes forbidden";
  const auto has_name = [](const auto& field) { return field.first == "traceparent"; };
  EXPECT_TRUE(std::any_of(delivery.headers.begin(), delivery.headers.end(), has_name)) << "in lowercase";
}

// 3.2.2.3: "If the trace-id value is invalid (for example if it contains non-allowed characters or all zeros), vendors
// MUST ignore the traceparent." 3.3: "If the vendor failed to parse traceparent, it MUST NOT attempt to parse
// tracestate."
TEST_F(TraceContextConformance, AnInvalidTraceIdIsIgnoredWithItsState) {
  const SinkRequest delivery =
      delivery_of("traceparent: 00-" + std::string(32, '0') + "-" + kParentId + "-01\r\ntracestate: rojo=1\r\n");
  EXPECT_EQ(delivery.header("traceparent"), std::nullopt);
  EXPECT_EQ(delivery.header("tracestate"), std::nullopt);
}

// 3.2.2.4: "Vendors MUST ignore the traceparent when the parent-id is invalid (for example, if it contains
// non-lowercase hex characters)."
TEST_F(TraceContextConformance, AnInvalidParentIdIsIgnored) {
  EXPECT_EQ(delivery_of("traceparent: 00-" + kTraceId + "-B7AD6B7169203331-01\r\n").header("traceparent"),
            std::nullopt);
}

// 3.2.2.5.2, other flags: "The behavior of other flags ... is not defined and is reserved for future use. Vendors MUST
// set those to zero."
TEST_F(TraceContextConformance, OtherFlagsAreZero) {
  const SinkRequest delivery = delivery_of("traceparent: 00-" + kTraceId + "-" + kParentId + "-fd\r\n");
  EXPECT_EQ(delivery.header("traceparent").value_or("").substr(52), "-01");
}

// 3.2.4: "Vendors MUST use these fields to construct the new traceparent field according to the highest version of the
// specification known to the implementation (in this specification it is 00)."
TEST_F(TraceContextConformance, AHigherVersionIsSentOnAsVersion00) {
  const SinkRequest delivery = delivery_of("traceparent: 01-" + kTraceId + "-" + kParentId + "-00-more\r\n");
  const std::string sent = delivery.header("traceparent").value_or("");
  EXPECT_EQ(sent.size(), 55U);
  EXPECT_TRUE(sent.starts_with("00-" + kTraceId + "-") && sent.ends_with("-00")) << sent;
}

// 3.3.1.1: "When receiving multiple tracestate header fields, they MUST be combined into a single header". 3.5:
// "Vendors receiving a tracestate request header MUST send it to outgoing requests"; "the order of unmodified key/value
// pairs MUST be preserved".
TEST_F(TraceContextConformance, TheStateIsSentOnInItsOrder) {
  const SinkRequest delivery = delivery_of("tracestate: rojo=00f067aa0ba902b7\r\ntraceparent: 00-" + kTraceId + "-" +
                                           kParentId + "-01\r\ntracestate: congo=t61rcWkgMzE\r\n");
  EXPECT_EQ(delivery.header("tracestate"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
}

// 3.3: "failure to parse tracestate MUST NOT affect the parsing of traceparent." 3.3.1.1: "Vendors MUST accept empty
// tracestate headers but SHOULD avoid sending them."
TEST_F(TraceContextConformance, AStateThatCannotBeReadDoesNotMatter) {
  const SinkRequest delivery =
      delivery_of("traceparent: 00-" + kTraceId + "-" + kParentId + "-01\r\ntracestate: ROJO\r\n");
  EXPECT_EQ(delivery.header("traceparent").value_or("").substr(3, 32), kTraceId);
  EXPECT_EQ(delivery.header("tracestate"), std::nullopt);
}

// 3.3.1.5: "Vendors SHOULD propagate at least 512 characters of a combined header." "In a situation where tracestate
// needs to be truncated due to size limitations, the vendor MUST truncate whole entries. Entries larger than 128
// characters long SHOULD be removed first. Then entries SHOULD be removed starting from the end of tracestate."
TEST_F(TraceContextConformance, ALongStateLosesWholeMembers) {
  std::string first;
  for (int i = 10; i < 20; ++i) first += "k" + std::to_string(i) + "=" + std::string(40, 'v') + ",";
  const SinkRequest delivery =
      delivery_of("traceparent: 00-" + kTraceId + "-" + kParentId + "-01\r\ntracestate: " + first +
                  "longer=" + std::string(150, 'v') + ",last=" + std::string(100, 'v') + "\r\n");
  first.pop_back();
  EXPECT_EQ(delivery.header("tracestate"), first);
}

}  // namespace
}  // namespace courant::test::trace_context_test
