// A stop by SIGTERM: no new requests, waiting ones are answered, and at most `drain` is waited.
#include "tests/conformance/server/wire.h"

namespace courant::test::stop_test {
namespace {

using testing::HasSubstr;

// So long that nothing but an end in order ends what is open.
const WireSettings kPatient{
    .server = "drain = \"10m\"\n",
    .limits = "idle_timeout = \"1h\"\nbody_timeout = \"1h\"\nheader_timeout = \"10m\"\nwait_cap = \"10m\"\n"};

class Stop : public Wire {
 protected:
  // A long poll of somebody who has seen everything.
  Http2Client::Fields waiting() {
    EXPECT_EQ(publish("1"), 201);
    const std::string etag = ask(*server_, Way::kPlain, "GET", "/demo/events").header("etag");
    return {{"if-none-match", etag}, {"prefer", "wait=600"}};
  }
  std::string waiting_request() {
    std::string fields;
    for (const auto& [name, value] : waiting()) fields.append(name).append(": ").append(value).append("\r\n");
    return get_of("/demo/events", fields);
  }
  bool is_waited_for(int count = 1) {
    return wait_until([&] { return server_->metric("courant_waiting_readers") == count; });
  }
  void stop() { server_->process().signal(SIGTERM); }
  bool is_listened_to() {
    try {
      RawClient client(server_->port());
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }
  bool has_ended_well() {
    std::optional<int> status;
    const bool has_ended = wait_until([&] { return (status = server_->process().ended()).has_value(); });
    return has_ended && status == 0;
  }
};

// RFC 9113 6.8: "Endpoints SHOULD always send a GOAWAY frame before closing a connection so that the remote peer can
// know whether a stream has been partially processed or not." RFC 8446 6.1: "Each party MUST send a "close_notify"
// alert before closing its write side of the connection".
TEST_F(Stop, IdleConnectionsEndInOrder) {
  serve(kPatient);
  RawClient plain(server_->port());
  plain.send(get_of("/-/health/live"));
  plain.read_response();
  RawClient silent(server_->port());
  TlsClient tls(server_->tls_port());
  tls.send(get_of("/-/health/live"));
  EXPECT_THAT(tls.read_piece(), HasSubstr("200 OK"));
  PlainHttp2 prior(server_->port());
  EXPECT_EQ(prior.http.get("/-/health/live").status, 200);
  TlsHttp2 sealed(server_->tls_port());
  EXPECT_EQ(sealed.http.get("/-/health/live").status, 200);
  stop();
  EXPECT_EQ(plain.read_all(), "");
  EXPECT_TRUE(plain.was_ended());
  EXPECT_EQ(silent.read_all(), "");
  EXPECT_TRUE(silent.was_ended());
  EXPECT_EQ(tls.read_all(), "");
  EXPECT_TRUE(tls.was_ended());
  EXPECT_FALSE(prior.http.wait_until([] { return false; }));
  EXPECT_EQ(prior.http.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(prior.carrier.was_ended());
  EXPECT_FALSE(sealed.http.wait_until([] { return false; }));
  EXPECT_EQ(sealed.http.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(sealed.carrier.was_ended());
}

TEST_F(Stop, WhoWaitsIsAnswered) {
  serve(kPatient);
  const std::string request = waiting_request();
  RawClient plain(server_->port());
  plain.send(request);
  TlsClient tls(server_->tls_port());
  tls.send(request);
  ASSERT_TRUE(is_waited_for(2));
  stop();
  for (const std::string& answer : {plain.read_all(), tls.read_all()}) {
    EXPECT_EQ(status_of(answer), 304);
    EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  }
  EXPECT_TRUE(tls.was_ended());
  EXPECT_TRUE(has_ended_well());
}

// The client keeps its side open: the server does not wait for that.
TEST_F(Stop, WhoWaitsByHttp2IsAnsweredAndTheConnectionEnds) {
  serve(kPatient);
  const Http2Client::Fields fields = waiting();
  TlsHttp2 connection(server_->tls_port());
  const std::int32_t first = connection.http.request("GET", "/demo/events", fields);
  const std::int32_t second = connection.http.request("GET", "/demo/events", fields);
  ASSERT_TRUE(is_waited_for(2));
  stop();
  EXPECT_EQ(connection.http.wait(first).status, 304);
  EXPECT_EQ(connection.http.wait(second).status, 304);
  EXPECT_FALSE(connection.http.wait_until([] { return false; }));
  EXPECT_EQ(connection.http.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(connection.carrier.was_ended());
}

TEST_F(Stop, StreamsOfEventsEndWhole) {
  serve(kPatient);
  ASSERT_EQ(publish("1"), 201);
  TlsHttp2 connection(server_->tls_port());
  const std::int32_t events = connection.http.request("GET", "/demo/events?format=events&lastEventId=0");
  ASSERT_TRUE(connection.http.wait_until(
      [&] { return connection.http.answer(events).body.find("id: 1") != std::string::npos; }));
  stop();
  EXPECT_FALSE(connection.http.wait(events).error) << "END_STREAM, and no reset";
  EXPECT_TRUE(connection.http.answer(events).is_over);
}

// RFC 9112 9.6: "The server MUST NOT process any further requests received on that connection." RFC 9113 6.8: after a
// GOAWAY "the sender can discard frames for streams initiated by the receiver with identifiers higher than the
// identified last stream".
TEST_F(Stop, NothingNewIsBegun) {
  serve(kPatient);
  const std::string request = waiting_request();
  RawClient plain(server_->port());
  plain.send(request + post_of("behind"));
  {
    PlainHttp2 connection(server_->port());
    const std::int32_t open = connection.http.request("POST", "/demo/events", {}, "<entry", "localhost", true);
    EXPECT_EQ(connection.http.get("/-/health/live").status, 200);
    ASSERT_TRUE(is_waited_for());
    stop();
    EXPECT_TRUE(connection.http.wait_until([&] { return connection.http.goaway().has_value(); }));
    // ":method: POST", ":scheme: http", ":path: /demo/events" and ":authority: localhost", by RFC 7541 appendix A.
    const std::string head = "\x83\x86\x04\x0c/demo/events\x01\x09localhost";
    connection.http.send_bytes(frame(NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 101, head) +
                               frame(NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 101, entry("later")));
    const std::string answers = plain.read_all();
    EXPECT_EQ(status_of(answers), 304);
    EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << answers;
    EXPECT_TRUE(wait_until([&] { return !is_listened_to(); }));  // each of the threads hears of the stop by itself
    connection.http.reset(open);
    EXPECT_FALSE(connection.http.wait_until([] { return false; }));
    EXPECT_TRUE(connection.carrier.was_ended());
  }
  EXPECT_TRUE(has_ended_well());
  server_->program().start();
  EXPECT_FALSE(is_stored("behind"));
  EXPECT_FALSE(is_stored("later"));
}

// Who has begun to send a request may end it, and is answered.
TEST_F(Stop, WhatHasBegunIsAnswered) {
  serve(kPatient);
  const std::string whole = post_of("1", "Expect: 100-continue\r\n");
  const std::size_t length = entry("1").size();
  RawClient body(server_->port());
  body.send(whole.substr(0, whole.size() - length));
  EXPECT_EQ(status_of(body.read_response()), 100);
  RawClient head(server_->port());
  head.send(get_of("/-/health/live") + "GET /-/health/live HTTP/1.1\r\n");
  EXPECT_EQ(status_of(head.read_response()), 200);
  TlsClient idle(server_->tls_port());
  stop();
  idle.read_all();  // the stop has begun
  body.send(whole.substr(whole.size() - length));
  const std::string stored = body.read_all();
  EXPECT_EQ(status_of(stored), 201);
  EXPECT_THAT(stored, HasSubstr("\r\nConnection: close\r\n"));
  head.send("Host: localhost\r\n\r\n");
  EXPECT_EQ(status_of(head.read_all()), 200);
  EXPECT_TRUE(has_ended_well());
}

// RFC 9112 9.6: "A server that sends a "close" connection option MUST initiate closure of the connection after it sends
// the response containing the "close" connection option." What was asked behind that does not cut it.
TEST_F(Stop, WhoAsksOnAndOnGetsWholeAnswersAndIsToldTheLast) {
  serve(kPatient);
  ASSERT_EQ(ask(*server_, Way::kPlain, "POST", "/demo/events", {}, entry("1", std::string(40'000, 'x'))).status, 201);
  std::string requests;
  while (requests.size() < 64 * 1024) requests += get_of("/demo/events/entries/urn:x:1");
  constexpr int kFew = 4096;
  RawClient plain(server_->port(), kPatience, kFew);
  plain.send(requests);
  TlsClient tls(server_->tls_port(), {.protocols = "http/1.1", .receive_buffer = kFew});
  tls.send(requests);
  std::string of_plain = plain.read_piece();
  std::string of_tls = tls.read_piece();
  stop();
  ASSERT_TRUE(wait_until([&] { return !is_listened_to(); }));  // each of the threads has heard of it
  of_plain += plain.read_all();
  of_tls += tls.read_all();
  EXPECT_TRUE(plain.was_ended());
  EXPECT_TRUE(tls.was_ended());
  for (std::string_view answers : {std::string_view(of_plain), std::string_view(of_tls)}) {
    Http2Answer last;
    while (!answers.empty()) {
      EXPECT_EQ(last.header("connection"), "") << "only the last says close";
      last = read_answer(std::string(answers));
      ASSERT_EQ(last.status, 200);
      const std::size_t length = std::stoul(last.header("content-length"));
      ASSERT_GE(last.body.size(), length) << "every answer is whole";
      answers.remove_prefix(answers.size() - last.body.size() + length);
    }
    EXPECT_EQ(last.header("connection"), "close");
  }
  EXPECT_TRUE(has_ended_well());
}

// Who never comes to an end does not keep the server.
TEST_F(Stop, DrainIsTheLongestWait) {
  WireSettings settings = kPatient;
  settings.server = "drain = \"1s\"\n";
  serve(settings);
  RawClient head(server_->port());
  head.send("GET / HTTP/1.1\r\nHost:");
  RawClient body(server_->port());
  body.send("POST /demo/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n<entry");
  TlsHttp2 connection(server_->tls_port());
  connection.http.request("POST", "/demo/events", {}, "<entry", "localhost", true);
  ASSERT_TRUE(wait_until([&] { return server_->metric("courant_http_connections") >= 3; }));
  stop();
  EXPECT_TRUE(has_ended_well());
}

}  // namespace
}  // namespace courant::test::stop_test
