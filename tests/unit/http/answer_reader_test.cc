#include "http/answer_reader.h"

#include <gtest/gtest.h>

namespace courant::http {
namespace {

using State = AnswerReader::State;

// What a reader makes of the bytes, given at once or one by one, and of the end after them.
struct Read {
  State state;
  int status;
  std::string body;
  bool is_cut;
  bool leaves_open;
  std::string why = {};
  // Why it is broken depends on how much of it was seen.
  bool operator==(const Read& other) const {
    return state == other.state && status == other.status && body == other.body && is_cut == other.is_cut &&
           leaves_open == other.leaves_open;
  }
};
std::ostream& operator<<(std::ostream& out, const Read& read) {
  return out << static_cast<int>(read.state) << " " << read.status << " '" << read.body << "' " << read.is_cut
             << read.leaves_open << " " << read.why;
}

Read read_in_pieces(std::string_view bytes, std::size_t piece, bool ends, std::size_t max_body = 100) {
  AnswerReader reader(max_body);
  for (std::size_t at = 0; at < bytes.size() && reader.state() == State::kReading; at += piece) {
    reader.take(bytes.substr(at, piece));
  }
  if (ends) reader.end();
  ClientReply& reply = reader.reply();
  if (reader.state() != State::kWhole) reply = ClientReply();
  return {reader.state(), reply.status, reply.body, reply.is_cut, reader.leaves_open(), reader.why()};
}

// The same, however it comes.
Read read(const std::string& bytes, bool ends = false, std::size_t max_body = 100) {
  const Read whole = read_in_pieces(bytes, bytes.size() + 1, ends, max_body);
  EXPECT_EQ(read_in_pieces(bytes, 1, ends, max_body), whole);
  EXPECT_EQ(read_in_pieces(bytes, 7, ends, max_body), whole);
  return whole;
}

TEST(AnswerReader, KnowsWhereAnAnswerEnds) {
  EXPECT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n"), (Read{State::kWhole, 204, "", false, true}));
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"), (Read{State::kWhole, 200, "abc", false, true}));
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n2;x\r\nbc\r\n0\r\nT: 1\r\n\r\n"),
            (Read{State::kWhole, 200, "abc", false, true}));
  EXPECT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n"),
            (Read{State::kWhole, 304, "", false, true}));
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab").state, State::kReading);
}

TEST(AnswerReader, AConnectionGoesOnOnlyWhereBothKnowIt) {
  EXPECT_FALSE(read("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").leaves_open);
  EXPECT_FALSE(read("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na").leaves_open);
  EXPECT_TRUE(read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na").leaves_open);
  EXPECT_FALSE(read("HTTP/1.1 101 Switching Protocols\r\n\r\n").leaves_open);
  const std::string two = "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
  EXPECT_FALSE(read_in_pieces(two, two.size(), false).leaves_open) << "nobody asked twice";
}

TEST(AnswerReader, WithoutALengthTheEndOfTheConnectionIsTheEnd) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\nabc").state, State::kReading);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\n\r\nabc", true), (Read{State::kWhole, 200, "abc", false, false}));
}

TEST(AnswerReader, AnEndWithinAnAnswerIsNone) {
  EXPECT_EQ(read("", true).why, "the connection ended without an answer");
  EXPECT_EQ(read("HTTP/1.1 20", true).state, State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", true).why, "the connection ended within the answer");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", true).state, State::kBroken);
}

TEST(AnswerReader, PassesOverInterimAnswers) {
  const Read after =
      read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\nHTTP/1.1 204 No\r\n\r\n");
  EXPECT_EQ(after, (Read{State::kWhole, 204, "", false, true}));
  std::string endless;
  for (int i = 0; i < 2000; ++i) endless += "HTTP/1.1 103 Hints\r\nLink: <x>\r\n\r\n";
  EXPECT_EQ(read(endless).why, "the answer's header fields are longer than 32768 bytes");
}

TEST(AnswerReader, KeepsNoMoreThanIsWanted) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(read(head + "abcde", false, 5), (Read{State::kWhole, 200, "abcde", false, true}));
  EXPECT_EQ(read(head + "abcde", false, 4), (Read{State::kWhole, 200, "abcd", true, false}));
  EXPECT_EQ(read(head + "a", false, 0), (Read{State::kWhole, 200, "", true, false}));
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n", false, 2).body, "ab");
}

TEST(AnswerReader, SaysWhatIsNoHttp) {
  EXPECT_EQ(read("SSH-2.0-OpenSSH_9.2\r\n", true).state, State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n").why,
            "the answer has a transfer coding that was not asked for");
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc").state, State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n").state,
            State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n").state, State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nX: " + std::string(40'000, 'x') + "\r\n\r\n").state, State::kBroken);
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'x')).state,
            State::kBroken);
}

}  // namespace
}  // namespace courant::http
