#include "kernel/trace_context.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kParent = "00-" + kTrace + "-00f067aa0ba902b7-01";

std::string parent_of(std::string_view traceparent) {
  const std::optional<TraceContext> trace = read_trace(traceparent, "");
  return trace ? trace->parent : "none";
}

// What is kept of a tracestate.
std::string state_of(std::string_view tracestate) {
  return read_trace(kParent, tracestate)->state;
}

TEST(ReadTrace, TakesWhatTheGrammarTakes) {
  EXPECT_EQ(parent_of(kParent), kParent);
  EXPECT_EQ(read_trace(kParent, "")->trace_id(), kTrace);
  EXPECT_EQ(parent_of("00-" + kTrace + "-00f067aa0ba902b7-00"), "00-" + kTrace + "-00f067aa0ba902b7-00");
  EXPECT_EQ(parent_of(" " + kParent + "\t"), kParent) << "optional space around a field's value";
}

TEST(ReadTrace, NothingElse) {
  for (const std::string& wrong : std::vector<std::string>{"",
                                                           "00",
                                                           kTrace,
                                                           "ff-" + kTrace + "-00f067aa0ba902b7-01",
                                                           "0-" + kTrace + "-00f067aa0ba902b7-01",
                                                           "00-" + std::string(32, '0') + "-00f067aa0ba902b7-01",
                                                           "00-" + kTrace + "-0000000000000000-01",
                                                           "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                                           "00-" + kTrace + "-00F067AA0BA902B7-01",
                                                           "00-" + kTrace + "-00f067aa0ba902b7-0",
                                                           "00-" + kTrace + "-00f067aa0ba902b7-0G",
                                                           "00-" + kTrace + "-00f067aa0ba902b7-01-",
                                                           kParent + "-more",
                                                           kParent + ", " + kParent,
                                                           kParent + "0",
                                                           "00_" + kTrace + "-00f067aa0ba902b7-01",
                                                           "00-" + kTrace + "_00f067aa0ba902b7-01",
                                                           "00-" + kTrace.substr(1) + "--00f067aa0ba902b7-01",
                                                           "0g-" + kTrace + "-00f067aa0ba902b7-01",
                                                           "00-" + kTrace + "-00f067aa0ba902b7-01\r\nX: y",
                                                           std::string(100'000, 'a')}) {
    EXPECT_EQ(parent_of(wrong), "none") << wrong.substr(0, 200);
    EXPECT_FALSE(read_trace(wrong, "a=b")) << wrong.substr(0, 200);
  }
}

TEST(ReadTrace, TakesHigherVersionsAsFarAsItKnowsThem) {
  EXPECT_EQ(parent_of("01-" + kTrace + "-00f067aa0ba902b7-01"), kParent);
  EXPECT_EQ(parent_of("cc-" + kTrace + "-00f067aa0ba902b7-01-what-the-future-holds"), kParent);
  EXPECT_EQ(parent_of("cc-" + kTrace + "-00f067aa0ba902b7-01.what"), "none");
}

TEST(ReadTrace, OfTheFlagsSampledAlone) {
  EXPECT_EQ(parent_of("00-" + kTrace + "-00f067aa0ba902b7-ff"), kParent);
  EXPECT_EQ(parent_of("00-" + kTrace + "-00f067aa0ba902b7-09"), kParent);
  EXPECT_EQ(parent_of("00-" + kTrace + "-00f067aa0ba902b7-02"), "00-" + kTrace + "-00f067aa0ba902b7-00");
}

TEST(ReadTrace, KeepsAStateThatIsByTheGrammar) {
  EXPECT_EQ(state_of("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
  EXPECT_EQ(state_of("rojo=1 , \tcongo=2,,"), "rojo=1,congo=2") << "optional space and empty members";
  EXPECT_EQ(state_of("0tenant@vendor=a b"), "0tenant@vendor=a b");
  EXPECT_EQ(state_of(" , ,"), "");
}

TEST(ReadTrace, LeavesOutOneThatIsNot) {
  std::string many;
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  for (const std::string& wrong : std::vector<std::string>{
           "rojo", "=1", "Rojo=1", "rojo=", "rojo=1=2", "ro jo=1", "rojo=1,rojo=2", "rojo=\x01", "rojo=gr\u00FC\u00DFe",
           many, std::string(257, 'k') + "=v", "k=" + std::string(257, 'v')}) {
    EXPECT_EQ(state_of(wrong), "") << wrong;
  }
}

TEST(ReadTrace, BoundsTheStateByWholeMembersTheLongOnesFirst) {
  const std::string longer = "longer=" + std::string(200, 'x');
  std::string fits;
  for (int i = 10; i < 20; ++i) fits += (fits.empty() ? "k" : ",k") + std::to_string(i) + "=" + std::string(40, 'v');
  ASSERT_LE(fits.size(), TraceContext::kMostState);
  ASSERT_GT(fits.size() + longer.size(), TraceContext::kMostState);
  EXPECT_EQ(state_of(longer + "," + fits), fits);
  EXPECT_EQ(state_of(longer), longer) << "it is dropped only where there is no room";
  EXPECT_EQ(state_of(fits + ",last=" + std::string(100, 'v')), fits) << "then the last ones";
}

TEST(ContinuedTrace, HasAnotherParentEachTime) {
  const std::optional<TraceContext> trace = read_trace(kParent, "rojo=1");
  const TraceContext first = continued(*trace);
  const TraceContext second = continued(*trace);
  EXPECT_EQ(first.trace_id(), kTrace);
  EXPECT_EQ(first.state, "rojo=1");
  EXPECT_NE(first.parent, trace->parent);
  EXPECT_NE(first.parent, second.parent);
  EXPECT_EQ(parent_of(first.parent), first.parent) << "it is one itself";
  EXPECT_TRUE(first.parent.ends_with("-01"));
}

TEST(TraceAsText, ComesBackAsItWas) {
  for (const char* const state : {"", "rojo=1", "rojo=a b,congo=2"}) {
    const std::optional<TraceContext> trace = read_trace(kParent, state);
    EXPECT_EQ(trace_from_text(to_text(*trace)), trace);
  }
  EXPECT_FALSE(trace_from_text(""));
  EXPECT_FALSE(trace_from_text("rojo=1"));
}

}  // namespace
}  // namespace courant
