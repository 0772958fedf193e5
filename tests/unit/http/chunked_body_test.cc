#include "http/chunked_body.h"

#include <string>

#include <gtest/gtest.h>

namespace courant::http {
namespace {

// Byte by byte, as a slow client sends it.
bool is_taken(ChunkedBody& body, const std::string& sent) {
  std::string bytes;
  bool is_whole = false;
  for (const char c : sent) {
    EXPECT_FALSE(is_whole);
    bytes += c;
    is_whole = body.take(bytes);
  }
  return is_whole;
}

TEST(ChunkedBody, ArrivesByteByByte) {
  ChunkedBody nothing(100, 100);
  EXPECT_TRUE(is_taken(nothing, "0\r\n\r\n"));
  ChunkedBody body(100, 100);
  EXPECT_TRUE(is_taken(body, "3\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: x\r\n\r\n"));
  EXPECT_EQ(body.body(), "abcd");
}

}  // namespace
}  // namespace courant::http
