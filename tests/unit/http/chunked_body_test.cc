#include "http/chunked_body.h"

#include <string>

#include <gtest/gtest.h>

#include "kernel/problem.h"

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

TEST(ChunkedBody, LeavesWhatComesBehindIt) {
  ChunkedBody body(100, 100);
  std::string bytes = "009;x=\"a;b\"\r\n\r\n0\r\n\r\nab\r\n0; y \t=z\r\nA: b\r\nC:\r\n\r\nGET /";
  EXPECT_TRUE(body.take(bytes));
  EXPECT_EQ(bytes, "GET /");
  EXPECT_EQ(body.body(), "\r\n0\r\n\r\nab");
}

// The status that the bytes are refused with, 0 if they are not; and after how many of them.
int refusal(const std::string& sent, std::size_t& after) {
  ChunkedBody body(100, 100);
  std::string bytes;
  for (after = 0; after < sent.size();) {
    bytes += sent[after++];
    try {
      body.take(bytes);
    } catch (const Problem& problem) {
      return problem.status();
    }
  }
  return 0;
}

// As soon as the byte is there that is wrong, or the end of the line that is: nobody waits for more.
TEST(ChunkedBody, RefusesAtOnceWhatIsMalformed) {
  for (const std::string sent : {"0\n",
                                 "0\rX",
                                 "0;a\n",
                                 "0;a\rb",
                                 "1\n",
                                 "1\r\nab",
                                 "1\r\na\n",
                                 "1\r\na\rb",  // ends of lines
                                 "0\r\nX: a\n",
                                 "0\r\nX: a\rb",
                                 "0\r\n\n",
                                 "0\r\nX: a\r\n\n",
                                 "0\r\nX: a\r\n b\r\n",
                                 "0\r\n\tb\r\n",
                                 "0\r\nX: a\r\n \r\n",  // folded lines
                                 "0\r\nX : a\r\n",
                                 "0\r\n: a\r\n",
                                 "0\r\nX\r\n",
                                 "0\r\nX(: a\r\n",
                                 "0\r\nX: \x7f\r\n",  // fields
                                 "\r\n",
                                 "g\r\n",
                                 "-1\r\n",
                                 "0x1\r\n",
                                 " 1\r\n",
                                 "1 \r\n",
                                 "1;\r\n",
                                 "1;a=\x01\r\n",
                                 "1;a=\"\r\n",
                                 "1 a\r\n",
                                 "1a=b\r\n"}) {
    std::size_t after = 0;
    EXPECT_EQ(refusal(sent + "\r\nGET / HTTP/1.1\r\n\r\n", after), 400) << sent;
    EXPECT_EQ(after, sent.size()) << sent;
  }
}

TEST(ChunkedBody, IsBounded) {
  std::size_t after = 0;
  EXPECT_EQ(refusal("64\r\n" + std::string(100, 'a') + "\r\n1\r\n", after), 413);
  EXPECT_EQ(refusal("65\r\n", after), 413) << "before any of it has come";
  for (const std::string size : {"10000000000000000", "FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF"}) {
    EXPECT_EQ(refusal(size + "\r\n", after), 413) << size;
  }
  // Lines that do not end, and any number of short ones.
  EXPECT_EQ(refusal("1;" + std::string(100, 'a'), after), 400);
  std::string extensions;
  for (int i = 0; i < 60; ++i) extensions += "1;a\r\na\r\n";
  EXPECT_EQ(refusal(extensions, after), 400);
  std::string trailer = "0\r\n";
  for (int i = 0; i < 60; ++i) trailer += "a:\r\n";
  EXPECT_EQ(refusal(trailer, after), 400);
}

}  // namespace
}  // namespace courant::http
