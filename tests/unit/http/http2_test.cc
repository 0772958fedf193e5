#include "http/http2.h"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernel/text.h"
#include "tests/support/http2_client.h"
#include "tests/unit/http/served.h"

namespace courant::http {
namespace {

using test::frame;
using test::Http2Answer;
using test::Http2Client;
using test::RawClient;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

std::string repeated(std::string_view bytes, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out.append(bytes);
  return out;
}

class Http2Test : public Served {
 protected:
  Http2Test() { serve(); }

  // A connection by prior knowledge (RFC 9113 section 3.3).
  struct Session {
    explicit Session(std::uint16_t port, std::vector<nghttp2_settings_entry> settings = {}, bool windows_stay = false)
        : raw(port),
          http({[this](std::string_view bytes) { raw.send(bytes); }, [this] { return raw.read_piece(); }},
               std::move(settings), windows_stay) {}
    RawClient raw;
    Http2Client http;
  };
  std::uint16_t port() const { return server_->ports()[0]; }
  double abuses() { return metrics_.counter("courant_http_limits_total", "", {{"limit", "http2_flood"}}).value(); }
};

TEST_F(Http2Test, AnswersEachRequestWhenItsAnswerIsThere) {
  Session session(port());
  const std::int32_t held = session.http.request("GET", "/held");
  const std::int32_t quick = session.http.request("GET", "/demo/a?x");
  EXPECT_EQ(session.http.wait(quick).body, "a?x");
  EXPECT_FALSE(session.http.answer(held).is_over);
  released_ = true;
  EXPECT_EQ(session.http.wait(held).body, "late");
}

// RFC 9113 section 8.2.2: "An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header
// fields"; 8.2: "Field names MUST be converted to lowercase when constructing an HTTP/2 message."
TEST_F(Http2Test, SaysTheSameAsHttp1) {
  Session session(port());
  const Http2Answer answer = session.http.get("/demo/a");
  RawClient client(port());
  client.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\n\r\n");
  std::string head = client.read_response();
  head.resize(head.find("\r\n\r\n") + 2);
  std::vector<std::string> expected;
  for (const std::string_view line : split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) expected.push_back(ascii_lower(line.substr(0, colon)));
  }
  std::vector<std::string> names;
  for (const auto& [name, value] : answer.headers) {
    if (name != ":status") names.push_back(name);
  }
  EXPECT_EQ(names, expected);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("content-length"), "2");
  EXPECT_EQ(session.http.get("/nowhere").status, 404);
  EXPECT_EQ(session.http.wait(session.http.request("DELETE", "/demo/a")).status, 405);
  EXPECT_EQ(session.http.wait(session.http.request("GET", "/demo/a", {}, std::nullopt, "evil.example")).status, 421);
}

TEST_F(Http2Test, HeadHasTheLengthAndNoBody) {
  Session session(port());
  const Http2Answer answer = session.http.wait(session.http.request("HEAD", "/demo/abc"));
  EXPECT_EQ(answer.header("content-length"), "4");
  EXPECT_EQ(answer.body, "");
}

TEST_F(Http2Test, TakesBodiesWithinTheirLimit) {
  Session session(port());
  EXPECT_EQ(session.http.wait(session.http.request("POST", "/demo/a", {}, "hello")).body, "hello");
  EXPECT_EQ(session.http.wait(session.http.request("POST", "/demo/a", {{"content-length", "5"}}, "hello")).body,
            "hello");
  EXPECT_EQ(session.http.wait(session.http.request("POST", "/demo/a", {}, std::string(101, 'x'))).status, 413);
  EXPECT_EQ(session.http.wait(session.http.request("POST", "/demo/a", {}, "bug")).status, 500);
}

// RFC 9113 section 8.1: "A server MAY request that the client abort transmission of a request without error by sending
// a RST_STREAM with an error code of NO_ERROR after sending a complete response".
TEST_F(Http2Test, ARefusedBodyIsNotWaitedFor) {
  Session session(port());
  const std::int32_t stream =
      session.http.request("POST", "/demo/a", {{"content-length", "101"}}, std::string(5, 'x'), "localhost", true);
  const Http2Answer answer = session.http.wait(stream);
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.error, NGHTTP2_NO_ERROR);
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
}

TEST_F(Http2Test, SendsContinueForABodyThatItTakes) {
  Session session(port());
  const Http2Answer answer =
      session.http.wait(session.http.request("POST", "/demo/a", {{"expect", "100-continue"}}, "b"));
  EXPECT_EQ(answer.headers.front(), (std::pair<std::string, std::string>(":status", "100")));
  EXPECT_EQ(answer.status, 201);
}

TEST_F(Http2Test, BodiesMayComeInPieces) {
  Session session(port());
  const std::string pieces = std::string(kPiece, 'c') + std::string(kPiece, 'b') + std::string(kPiece, 'a');
  EXPECT_TRUE(session.http.get("/stream/3").body == pieces);
  const Http2Answer whole = session.http.get("/pieces/3");
  EXPECT_TRUE(whole.body == "0" + pieces);
  EXPECT_FALSE(whole.error) << "it ends with its announced length, though it has no further piece that says so";
  EXPECT_EQ(session.http.get("/long").body.size(), kLong);
  const Http2Answer cut = session.http.get("/pieces/1");
  EXPECT_EQ(cut.error, NGHTTP2_INTERNAL_ERROR) << "one that ends too early does not look whole";
}

TEST_F(Http2Test, WorksOverAWireThatIsCutAnywhere) {
  const std::string settings = frame(NGHTTP2_SETTINGS, 0, 0, "");
  // ":method: GET", ":scheme: http", ":path: /demo/a" and ":authority: localhost", by RFC 7541 appendix A.
  const std::string head = "\x82\x86\x04\x07/demo/a\x01\x09localhost";
  const std::string bytes = std::string(kPreface) + settings +
                            frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, head);
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    RawClient raw(port());
    Http2Client http({[](std::string_view) {}, [&raw] { return raw.read_piece(); }});
    http.request("GET", "/demo/a");  // that its session knows the stream; what is sent is ours
    raw.send(bytes.substr(0, cut));
    raw.send(bytes.substr(cut));
    EXPECT_EQ(http.wait(1).body, "a?") << cut;
  }
}

// RFC 9113 section 8.1.1: malformed requests are stream errors of type PROTOCOL_ERROR.
TEST_F(Http2Test, ResetsMalformedRequests) {
  const Http2Client::Fields good = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "localhost"}, {":path", "/demo/a"}};
  const auto with = [&](const std::string& name, const std::string& value) {
    Http2Client::Fields fields = good;
    fields.emplace_back(name, value);
    return fields;
  };
  std::vector<Http2Client::Fields> malformed = {with("connection", "close"),   with("transfer-encoding", "chunked"),
                                                with("upgrade", "h2c"),        with("te", "gzip"),
                                                with("content-length", "x"),   with(":path", "/twice"),
                                                with("x", "a\r\nb: c"),        with("a b", "c"),
                                                {good.begin(), good.end() - 1}};
  malformed.push_back(good);
  malformed.back()[3].second = "/a b";
  malformed.push_back(good);
  malformed.back()[0].second = "G T";
  for (const Http2Client::Fields& fields : malformed) {
    Session session(port());
    const Http2Answer answer = session.http.wait(session.http.request_of(fields));
    EXPECT_TRUE(answer.error == NGHTTP2_PROTOCOL_ERROR || session.http.goaway() == NGHTTP2_PROTOCOL_ERROR)
        << testing::PrintToString(fields) << answer.status;
  }
}

// RFC 9113 section 8.2.1: "A field name MUST NOT contain characters in the ranges ... 0x41-0x5a" (upper case).
TEST_F(Http2Test, ResetsFieldNamesInUpperCase) {
  RawClient raw(port());
  Http2Client http({[](std::string_view) {}, [&raw] { return raw.read_piece(); }});
  http.request("GET", "/demo/a");  // that its session knows the stream; what is sent is ours
  const std::string block("\x82\x86\x04\x07/demo/a\x01\x09localhost\0\5Upper\4case", 34);
  raw.send(std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, "") +
           frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block));
  EXPECT_EQ(http.wait(1).error, NGHTTP2_PROTOCOL_ERROR);
}

// What HTTP/1.1 refuses with 400 is 400 here; 8.3.1: a Host that differs from :authority is malformed.
TEST_F(Http2Test, RefusesWhatHttp1Refuses) {
  Session session(port());
  EXPECT_EQ(session.http.get("/demo/a", {{"host", "other.example"}}).status, 400);
  EXPECT_EQ(session.http.get("/demo/a", {{"host", "localhost"}}).status, 200);
  for (const char* path : {"/demo/../a", "/demo/%2e%2E", "/demo/%00", "/demo/%ff", "/demo/%zz", "//"}) {
    EXPECT_EQ(session.http.get(path).status, 400) << path;
  }
  EXPECT_EQ(session.http.get("/" + std::string(9000, 'a')).status, 414);
  EXPECT_EQ(session.http.wait(session.http.request("BREW", "/demo/a")).status, 501);
}

TEST_F(Http2Test, HeaderBombsAre431) {
  Session session(port());
  EXPECT_EQ(session.http.get("/demo/a", {{"x", std::string(40'000, 'a')}}).status, 431);
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
}

// A small block that unpacks to much: one long field in the table, named a thousand times (RFC 7541 section 7.3).
TEST_F(Http2Test, HpackBombsEnd) {
  RawClient raw(port());
  std::string block = "\x82\x86\x04\x07/demo/a\x01\x09localhost";
  block += std::string("\x40\x01x\x7f\x81\x1e", 6) + std::string(4000, 'a');  // into the table
  block += std::string(12'000, '\xbe');                                       // index 62
  raw.send(std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, "") +
           frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1, block));
  EXPECT_THAT(raw.read_all(), testing::HasSubstr(std::string("\0\0\0\x0b", 4))) << "ENHANCE_YOUR_CALM";
  EXPECT_EQ(abuses(), 1);
  RawClient other(port());
  other.send("GET /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(other.read_all().ends_with("a?"));
}

// CVE-2023-44487: requests that are reset at once must not keep us working.
TEST_F(Http2Test, RapidResetsEnd) {
  Session session(port());
  bool is_over = false;
  for (int i = 0; i < 5000 && !is_over; ++i) {
    session.http.reset(session.http.request("GET", "/held"));
    is_over = session.raw.has_answer_within(std::chrono::milliseconds(0)) &&
              !session.http.wait_until([&] { return session.http.goaway() || i >= 0; });
    is_over = is_over || session.http.goaway().has_value();
  }
  session.http.wait_until([&] { return session.http.goaway().has_value(); });
  EXPECT_EQ(session.http.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_EQ(abuses(), 1);
  released_ = true;
}

// CVE-2025-8671: a client that has us reset its streams gets no further than one that resets them itself.
TEST_F(Http2Test, ResetsThatAClientMakesUsSendEnd) {
  const auto heads = [](std::uint32_t stream, std::string_view then) {
    const std::string head =
        "\x83\x86\x04\x07/demo/a\x01\x09localhost\x0f\x0d\x01"
        "5";  // content-length: 5
    return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, head) + std::string(then);
  };
  const auto faults_of = [](std::uint32_t stream) {
    return std::vector<std::string>{
        frame(NGHTTP2_WINDOW_UPDATE, 0, stream, std::string("\x7f\xff\xff\xff", 4)),  // RFC 9113 section 6.9.1
        frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, stream, "more than was announced"),
        frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, stream, "\x82"),  // 8.1: trailers end the stream
    };
  };
  double expected = 0;
  for (std::size_t fault = 0; fault < faults_of(1).size(); ++fault) {
    std::string flood = std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, "");
    for (std::uint32_t stream = 1; stream < 10'000; stream += 2) flood += heads(stream, faults_of(stream)[fault]);
    RawClient raw(port());
    raw.send(flood);
    raw.end();
    EXPECT_THAT(raw.read_all(), testing::EndsWith(std::string("\0\0\0\x0b", 4))) << "ENHANCE_YOUR_CALM";
    EXPECT_EQ(abuses(), ++expected) << fault;
  }
}

// Resets that a client does not read either are not kept for it without bound.
TEST_F(Http2Test, ResetsThatNobodyReadsEnd) {
  options_.write_timeout = std::chrono::hours(1);
  serve();
  const auto get = [](std::uint32_t stream, std::string_view path) {
    const std::string head =
        "\x82\x86\x04" + std::string(1, static_cast<char>(path.size())) + std::string(path) + "\x01\x09localhost";
    return frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, stream, head);
  };
  // An answer that fills what may be on its way, so that no reset leaves any more.
  const std::string open("\x7f\xff\x00\x00", 4);
  std::string flood = std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, std::string("\0\x04", 2) + open) +
                      frame(NGHTTP2_WINDOW_UPDATE, 0, 0, open) + get(1, "/long");
  for (std::uint32_t stream = 3; stream < 20'000; stream += 2) {
    flood += get(stream, "/demo/a") + frame(NGHTTP2_WINDOW_UPDATE, 0, stream, std::string("\x7f\xff\xff\xff", 4));
  }
  constexpr int kFew = 4096;
  RawClient raw(port(), test::kPatience, kFew);
  raw.send(flood);
  EXPECT_TRUE(test::wait_until([&] { return abuses() == 1; }));
}

// Streams that were reset count as long as they are worked for.
TEST_F(Http2Test, NoMoreThanTheAnnouncedStreamsAreWorkedFor) {
  Session session(port());
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
  ASSERT_EQ(session.http.remote_setting(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS), 100U);
  for (int i = 0; i < 100; ++i) session.http.reset(session.http.request("GET", "/held"));
  EXPECT_EQ(session.http.get("/held").error, NGHTTP2_REFUSED_STREAM);
  released_ = true;
}

TEST_F(Http2Test, FloodsOfFramesThatAskForNothingEnd) {
  const std::string ping = frame(NGHTTP2_PING, 0, 0, "12345678");
  const std::string settings = frame(NGHTTP2_SETTINGS, 0, 0, "");
  const std::string priority = frame(NGHTTP2_PRIORITY, 0, 1, std::string("\0\0\0\0\1", 5));
  double expected = 0;
  const std::string begin = std::string(kPreface) + settings;
  for (const std::string& flood : {ping, settings, priority}) {
    RawClient raw(port());
    raw.send(begin + repeated(flood, 3000));
    const std::string goaway("\0\0\0\0\0\0\0\0\x0b", 9);
    EXPECT_THAT(raw.read_all(), testing::HasSubstr(goaway.substr(5))) << "ENHANCE_YOUR_CALM";
    EXPECT_EQ(abuses(), ++expected);
  }
  Session session(port());
  const std::int32_t stream = session.http.request("POST", "/demo/a", {}, "a", "localhost", true);
  session.http.send_bytes(repeated(frame(NGHTTP2_DATA, 0, static_cast<std::uint32_t>(stream), ""), 3000));
  session.http.wait_until([&] { return session.http.goaway().has_value(); });
  EXPECT_EQ(session.http.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
}

// CVE-2024-27316 and its kin: a header block without end.
TEST_F(Http2Test, ContinuationFloodsEnd) {
  RawClient raw(port());
  raw.send(std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, "") + frame(NGHTTP2_HEADERS, 0, 1, "\x82") +
           repeated(frame(NGHTTP2_CONTINUATION, 0, 1, ""), 10'000));
  raw.read_all();
}

TEST_F(Http2Test, SlowPrefacesAndHeaderBlocksEnd) {
  RawClient silent(port());
  silent.send(kPreface);
  RawClient slow(port());
  slow.send(std::string(kPreface) + frame(NGHTTP2_SETTINGS, 0, 0, "") + frame(NGHTTP2_HEADERS, 0, 1, "\x82"));
  silent.read_all();
  slow.read_all();
}

TEST_F(Http2Test, SlowBodiesAre408) {
  Session session(port());
  const std::int32_t stream = session.http.request("POST", "/demo/a", {}, "abc", "localhost", true);
  EXPECT_EQ(session.http.wait(stream).status, 408);
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
}

// Readers that stop: a window that is never opened holds its answer for as long as any reader may stop, not longer.
TEST_F(Http2Test, WindowStallsEnd) {
  Session session(port(), {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000}}, true);
  const Http2Answer answer = session.http.get("/long");
  EXPECT_EQ(answer.body.size(), 1000U) << "RFC 9113 section 6.9: no more than the window";
  EXPECT_EQ(answer.error, NGHTTP2_CANCEL);
  EXPECT_EQ(session.http.get("/demo/a").body, "a?");
}

TEST_F(Http2Test, IdleConnectionsEndInOrder) {
  Session session(port());
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
  EXPECT_FALSE(session.http.wait_until([] { return false; }));
  EXPECT_EQ(session.http.goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(Http2Test, AStopAnswersWhatIsThere) {
  Session session(port());
  const std::int32_t held = session.http.request("GET", "/held");
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
  std::thread stopping([&] { server_->stop(); });
  EXPECT_TRUE(session.http.wait_until([&] { return session.http.goaway().has_value(); }));
  EXPECT_EQ(session.http.goaway(), NGHTTP2_NO_ERROR);
  released_ = true;
  EXPECT_EQ(session.http.wait(held).body, "late");
  EXPECT_FALSE(session.http.wait_until([] { return false; })) << "and then it ends";
  stopping.join();
}

// Who is kept waiting and goes away, by a reset or with the whole connection, is not waited for.
TEST_F(Http2Test, NoticesThatAWaitingClientGoesAway) {
  {
    Session session(port());
    const std::int32_t first = session.http.request("GET", "/watched");
    session.http.request("GET", "/watched");
    wait_for(2, 0);
    session.http.reset(first);
    wait_for(2, 1);
  }
  wait_for(2, 2);
}

TEST_F(Http2Test, RequestsThatAreResetAtOnceAreNotWaitedFor) {
  {
    Session session(port());
    for (int i = 0; i < 50; ++i) session.http.reset(session.http.request("GET", "/watched"));
  }
  Gauge& connections = metrics_.gauge("courant_http_connections", "");
  EXPECT_TRUE(test::wait_until([&] { return connections.value() == 0; }));
}

// What a reader takes as fast as it can is not held up by it, though one answer is sent after the other.
TEST_F(Http2Test, AnswersBehindOthersAreNotCut) {
  RawClient raw(port());
  std::string there;
  Http2Client http({[&](std::string_view bytes) { raw.send(bytes); },
                    [&] {
                      if (there.empty()) there = raw.read_piece();
                      std::this_thread::sleep_for(std::chrono::milliseconds(20));
                      std::string piece = there.substr(0, 16 * 1024);
                      there.erase(0, piece.size());
                      return piece;
                    }});
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 3; ++i) streams.push_back(http.request("GET", "/pieces/3"));
  for (const std::int32_t stream : streams) {
    EXPECT_EQ(http.wait(stream).body.size(), 1 + 3 * kPiece);
    EXPECT_FALSE(http.answer(stream).error);
  }
}

// A small request is taken while a large one is on its way, and all of them together are no more than one may be.
TEST_F(Http2Test, BodiesTogetherAreNoLongerThanOneMayBe) {
  options_.body_timeout = std::chrono::minutes(1);
  serve();
  Session session(port());
  const auto post = [&](const std::string& path, std::size_t size, bool is_open) {
    return session.http.request("POST", path, {}, std::string(size, 'x'), "localhost", is_open);
  };
  const std::int32_t first = post("/large", 1 << 20, true);
  EXPECT_EQ(session.http.wait(post("/demo/a", 100, false)).status, 201);
  const std::int32_t second = post("/large", (1 << 20) - 50, true);
  session.http.send_body(first);
  session.http.send_body(second);
  EXPECT_EQ(session.http.wait(post("/demo/a", 100, false)).error, NGHTTP2_REFUSED_STREAM);
  session.http.reset(first);
  EXPECT_EQ(session.http.wait(post("/demo/a", 100, false)).status, 201);
  EXPECT_FALSE(session.http.answer(second).is_over);
}

TEST_F(Http2Test, ConnectionsThatAreCutLeaveNothing) {
  for (int i = 0; i < 20; ++i) {
    Session session(port());
    session.http.request("GET", "/held");
    session.http.request("GET", "/long");
    session.http.request("POST", "/demo/a", {}, "a", "localhost", true);
  }
  released_ = true;
  Session session(port());
  EXPECT_EQ(session.http.get("/demo/a").status, 200);
}

}  // namespace
}  // namespace courant::http
