#include "http/prefer.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

TEST(Prefer, FindsAPreferenceAmongOthers) {
  EXPECT_EQ(preference("return=minimal", "return"), "minimal");
  EXPECT_EQ(preference("respond-async, wait=100,return=minimal ; x=1", "return"), "minimal");
  EXPECT_EQ(preference("respond-async, wait=100", "wait"), "100");
  EXPECT_EQ(preference("respond-async, wait=100", "return"), std::nullopt);
  EXPECT_EQ(preference("", "return"), std::nullopt);
  EXPECT_EQ(preference(",, ,return=minimal", "return"), "minimal");
}

TEST(Prefer, ValuesMayBeQuotedEmptyOrMissing) {
  EXPECT_EQ(preference("return=\"minimal\"", "return"), "minimal");
  EXPECT_EQ(preference("Return = minimal", "return"), "minimal");
  EXPECT_EQ(preference("respond-async", "respond-async"), "");
  EXPECT_EQ(preference("foo=\"\"", "foo"), "");
  EXPECT_EQ(preference("foo=\"a\\\"b\"", "foo"), "a\"b");
}

TEST(Prefer, QuotedStringsHideSeparators) {
  EXPECT_EQ(preference("foo=\"a, return=minimal; b\", wait=1", "return"), std::nullopt);
  EXPECT_EQ(preference("foo=\"a, b\", return=minimal", "return"), "minimal");
  EXPECT_EQ(preference("foo; return=minimal", "return"), std::nullopt) << "a parameter is no preference";
}

TEST(Prefer, OfARepeatedOneTheFirstCounts) {
  EXPECT_EQ(preference("return=minimal, return=representation", "return"), "minimal");
}

TEST(Prefer, AWaitIsCappedHoweverLongItIs) {
  for (const std::string seconds : {"61", "18446744073709551615", "18446744073709551616", "99999999999999999999999"}) {
    Request request;
    const std::string query = "wait=" + seconds;
    request.query = query;
    EXPECT_EQ(wait_preference(request, std::chrono::seconds(60)), std::chrono::seconds(60)) << seconds;
    request.query = {};
    request.headers = {{"Prefer", query}};
    EXPECT_EQ(wait_preference(request, std::chrono::seconds(60)), std::chrono::seconds(60)) << seconds;
  }
}

TEST(Prefer, WhatIsMalformedIsIgnored) {
  for (const char* const field : {"\"", "=", ";", "return", "return=\"", "\\", "foo=\"\\"}) {
    EXPECT_NE(preference(field, "return"), "minimal") << field;
  }
}

}  // namespace
}  // namespace courant::http
