#include "http/client.h"

#include <atomic>
#include <cstdlib>
#include <future>
#include <list>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include "tests/support/running_loop.h"
#include "tests/support/sink.h"
#include "tests/support/wait_until.h"

namespace {

// How often "turncoat.test" was looked up: first it is a good address, later a forbidden one.
std::atomic<int> turncoat_lookups{0};

// What the lookup of the name "slow.test" waits for; a lookup takes as long as somebody's name server wants.
courant::test::Gate* slow_lookup = nullptr;

}  // namespace

// Takes the place of the system's function for libcurl also, so that names have the addresses that a test needs.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  const std::string name = node == nullptr ? "" : node;
  if (name == "slow.test") {
    if (slow_lookup != nullptr) slow_lookup->wait();
    return EAI_AGAIN;
  }
  if (name == "nowhere.test") return EAI_NONAME;
  if (name == "inside.test" || name == "other.test") node = "127.0.0.1";
  if (name == "turncoat.test") node = turncoat_lookups++ == 0 ? "127.0.0.1" : "10.0.0.1";
  if (name != "mixed.test" && name != "mixed-too.test") return system(node, service, hints, result);
  addrinfo* good = nullptr;
  addrinfo* forbidden = nullptr;
  if (const int error = system("127.0.0.1", service, hints, &good); error != 0) return error;
  if (const int error = system("10.0.0.1", service, hints, &forbidden); error != 0) return error;
  addrinfo* const first = name == "mixed.test" ? forbidden : good;
  *result = first;
  for (addrinfo* last = first;; last = last->ai_next) {
    if (last->ai_next != nullptr) continue;
    last->ai_next = first == good ? forbidden : good;
    return 0;
  }
}

namespace courant::http {
namespace {

using namespace std::chrono_literals;
using Outcome = ClientReply::Outcome;
using test::Gate;
using test::GateOpener;
using test::Sink;
using test::SinkReply;
using test::SinkRequest;

SinkReply answer_ok(const SinkRequest&) {
  return SinkReply{.body = "ok"};
}

ClientRequest post(const std::string& url, const std::string& body) {
  ClientRequest request;
  request.method = "POST";
  request.url = url;
  request.body = make_bytes(body);
  return request;
}

// Each test runs over libcurl, and over connections of our own wherever they can carry what it sends: on a thread of
// the client's, and on a loop of others.
enum class Way { kByLibcurl, kByOurOwn, kOnALoop };
class ClientTest : public testing::TestWithParam<Way> {
 protected:
  class Client : public http::Client {
   public:
    Client(ClientOptions options, ClientTest& test) : http::Client(std::move(options), test.metrics_) {
      if (GetParam() == Way::kOnALoop) carry_plain_on(test.loop_.io());
    }
  };

  static bool is_by_libcurl() { return GetParam() == Way::kByLibcurl; }
  static ClientOptions options(const std::vector<std::string>& allowed = {"127.0.0.0/8"}) {
    std::vector<Network> networks;
    for (const std::string& text : allowed) networks.push_back(*Network::parse(text));
    ClientOptions options;
    options.guard = std::make_shared<AddressGuard>(std::move(networks));
    options.user_agent = "Courant/test";
    options.all_by_libcurl = is_by_libcurl();
    return options;
  }

  static ClientReply ask(Client& client, ClientRequest request) {
    std::promise<ClientReply> promise;
    EXPECT_TRUE(client.send(std::move(request), [&](ClientReply reply) { promise.set_value(std::move(reply)); }));
    return promise.get_future().get();
  }
  static ClientReply get(Client& client, const std::string& url) { return ask(client, ClientRequest{.url = url}); }

  Metrics metrics_;
  test::RunningLoop loop_;
};

TEST_P(ClientTest, GetsAnAnswer) {
  Sink sink([](const SinkRequest&) {
    return SinkReply{.status = 404, .headers = {{"X-Seen", " yes "}, {"Retry-After", "7"}}, .body = "gone"};
  });
  Client client(options(), *this);
  const ClientReply reply = get(client, sink.url("/callback?a=1&b=%20"));
  EXPECT_EQ(reply.outcome, Outcome::kAnswered) << reply.detail;
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body, "gone");
  EXPECT_FALSE(reply.is_cut);
  EXPECT_TRUE(reply.was_connected);
  EXPECT_EQ(reply.header("x-seen"), "yes");
  EXPECT_EQ(reply.header("RETRY-AFTER"), "7");
  EXPECT_FALSE(reply.header("Location").has_value());
  const SinkRequest request = sink.requests().at(0);
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/callback?a=1&b=%20");
  EXPECT_EQ(request.header("User-Agent"), "Courant/test");
  EXPECT_FALSE(request.header("Accept-Encoding").has_value());
  EXPECT_FALSE(request.header("Cookie").has_value());
  EXPECT_FALSE(request.header("Authorization").has_value());
  EXPECT_EQ(metrics_.counter("courant_client_requests_total", "", {{"outcome", "answered"}}).value(), 1);
}

TEST_P(ClientTest, PostsABodyWithItsHeaders) {
  Sink sink([](const SinkRequest&) { return SinkReply{.status = 204}; });
  Client client(options(), *this);
  std::string body(300'000, 'x');
  body[7] = '\0';
  ClientRequest request = post(sink.url(), body);
  request.headers = {{"Content-Type", "application/atom+xml"}, {"Feed-Position", "7"}, {"X-Empty", ""}};
  const ClientReply reply = ask(client, std::move(request));
  EXPECT_EQ(reply.status, 204) << reply.detail;
  EXPECT_EQ(ask(client, post(sink.url("/untyped"), "")).status, 204);
  ClientRequest without_body = post(sink.url("/none"), "");
  without_body.body = nullptr;
  EXPECT_EQ(ask(client, std::move(without_body)).status, 204);
  const std::vector<SinkRequest> seen = sink.requests();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[0].method, "POST");
  EXPECT_TRUE(seen[0].body == body);
  EXPECT_EQ(seen[0].header("Content-Type"), "application/atom+xml");
  EXPECT_EQ(seen[0].header("Feed-Position"), "7");
  EXPECT_EQ(seen[0].header("X-Empty"), "");
  EXPECT_FALSE(seen[0].header("Expect").has_value());
  EXPECT_FALSE(seen[1].header("Content-Type").has_value()) << "nobody said it is a form";
  EXPECT_EQ(seen[2].header("Content-Length"), "0");
}

TEST_P(ClientTest, KeepsOnlyTheBeginOfALongBody) {
  Sink sink([](const SinkRequest&) { return SinkReply{.body = std::string(5'000'000, 'b')}; });
  Client client(options(), *this);
  const ClientReply reply = get(client, sink.url());
  EXPECT_EQ(reply.outcome, Outcome::kAnswered) << reply.detail;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, std::string(4096, 'b'));
  EXPECT_TRUE(reply.is_cut);
  const ClientReply none = ask(client, ClientRequest{.url = sink.url(), .max_body = 0});
  EXPECT_EQ(none.status, 200);
  EXPECT_EQ(none.body, "");
  Sink exact([](const SinkRequest&) { return SinkReply{.body = std::string(4096, 'e')}; });
  EXPECT_FALSE(get(client, exact.url()).is_cut);
}

TEST_P(ClientTest, NeverInflatesABody) {
  Sink sink([](const SinkRequest& request) {
    if (request.target == "/te") {
      return SinkReply{.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"};
    }
    return SinkReply{.headers = {{"Content-Encoding", "gzip"}}, .body = "\x1f\x8b no gzip"};
  });
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url()).body, "\x1f\x8b no gzip");
  EXPECT_EQ(get(client, sink.url("/te")).outcome, Outcome::kBroken);
}

TEST_P(ClientTest, BoundsTheHeaderFieldsOfAnAnswer) {
  Sink sink([](const SinkRequest& request) {
    if (request.target == "/one") return SinkReply{.headers = {{"X-Long", std::string(40'000, 'x')}}};
    std::string interim;
    for (int i = 0; i < 2000; ++i) interim += "HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n";
    return SinkReply{.raw = interim};
  });
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url("/one")).outcome, Outcome::kBroken);
  const ClientReply endless = get(client, sink.url("/interim"));
  EXPECT_EQ(endless.outcome, Outcome::kBroken);
  EXPECT_THAT(endless.detail, testing::HasSubstr("header fields are longer"));
}

TEST_P(ClientTest, EndsAtTheDeadlineWhenThePeerIsSilent) {
  Gate gate;
  Sink sink([&](const SinkRequest&) {
    gate.wait();
    return SinkReply{};
  });
  const GateOpener opener{gate};
  Client client(options(), *this);
  const ClientReply reply = ask(client, ClientRequest{.url = sink.url(), .deadline = 150ms});
  EXPECT_EQ(reply.outcome, Outcome::kTimeout);
  EXPECT_EQ(reply.status, 0);
  EXPECT_TRUE(reply.was_connected);
  EXPECT_GE(reply.latency, 140ms);
  EXPECT_LT(reply.latency, 5s);
}

TEST_P(ClientTest, EndsAtTheDeadlineWhenThePeerDrips) {
  Sink sink([](const SinkRequest&) { return SinkReply{.body = std::string(4000, 'd'), .byte_pause = 5ms}; });
  Client client(options(), *this);
  const ClientReply reply = ask(client, ClientRequest{.url = sink.url(), .deadline = 400ms});
  EXPECT_EQ(reply.outcome, Outcome::kTimeout);
  EXPECT_TRUE(reply.body.empty());
  EXPECT_LT(reply.latency, 5s);
}

TEST_P(ClientTest, SaysWhatBroke) {
  int free_port = 0;
  { free_port = Sink(answer_ok).port(); }
  Sink sink([](const SinkRequest& request) {
    if (request.target == "/close") return SinkReply{.raw = ""};
    if (request.target == "/short") return SinkReply{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"};
    return SinkReply{.raw = "SSH-2.0-OpenSSH_9.2\r\n"};
  });
  Client client(options(), *this);
  const ClientReply unheard = get(client, "http://127.0.0.1:" + std::to_string(free_port) + "/");
  EXPECT_EQ(unheard.outcome, Outcome::kConnect) << unheard.detail;
  EXPECT_FALSE(unheard.was_connected);
  EXPECT_NE(unheard.detail, "");
  EXPECT_EQ(get(client, "http://nowhere.test/").outcome, Outcome::kResolve);
  EXPECT_EQ(get(client, "https://127.0.0.1:" + std::to_string(sink.port()) + "/").outcome, Outcome::kTls);
  EXPECT_EQ(get(client, sink.url("/close")).outcome, Outcome::kBroken);
  EXPECT_EQ(get(client, sink.url("/short")).outcome, Outcome::kBroken);
  EXPECT_EQ(get(client, sink.url("/ssh")).outcome, Outcome::kBroken);
}

TEST_P(ClientTest, NeverOpensAConnectionToAForbiddenAddress) {
  Sink sink(answer_ok);
  Client client(options({}), *this);
  const std::string port = std::to_string(sink.port());
  const ClientReply literal = get(client, sink.url());
  EXPECT_EQ(literal.outcome, Outcome::kForbidden);
  EXPECT_EQ(literal.detail, "127.0.0.1 is a loopback address");
  for (const char* host : {"localhost", "2130706433", "127.1", "[::1]", "[::ffff:127.0.0.1]"}) {
    EXPECT_EQ(get(client, "http://" + std::string(host) + ":" + port + "/").outcome, Outcome::kForbidden) << host;
  }
  const ClientReply resolved = get(client, "http://inside.test:" + port + "/");
  EXPECT_EQ(resolved.outcome, Outcome::kForbidden) << "judged after the lookup";
  EXPECT_EQ(resolved.detail, "127.0.0.1 is a loopback address");
  for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "relative", "", "http://"}) {
    EXPECT_EQ(get(client, url).outcome, Outcome::kForbidden) << url;
  }
  EXPECT_EQ(sink.connections(), 0);
  EXPECT_EQ(metrics_.counter("courant_client_requests_total", "", {{"outcome", "forbidden"}}).value(), 12);
}

// A rule about where connections lead: of a name's addresses those that may be are used, in whatever order they come,
// as a name may have addresses for the inside of its own network too. None is opened to the others.
TEST_P(ClientTest, OfANameWithSeveralAddressesOnlyTheGoodAreUsed) {
  Sink sink(answer_ok);
  for (const char* name : {"mixed.test", "mixed-too.test"}) {
    Client client(options(), *this);
    std::vector<std::string> asked;
    ClientRequest request{.url = "http://" + std::string(name) + ":" + std::to_string(sink.port()) + "/"};
    request.admits = [&asked](const Address& address) {
      asked.push_back(address.text());
      return true;
    };
    const ClientReply reply = ask(client, std::move(request));
    EXPECT_EQ(reply.body, "ok") << name << ": " << reply.detail;
    EXPECT_EQ(asked, std::vector<std::string>{"127.0.0.1"}) << name << ": 10.0.0.1 is refused before";
  }
  Client strict(options({}), *this);
  EXPECT_EQ(get(strict, "http://mixed.test:" + std::to_string(sink.port()) + "/").outcome, Outcome::kForbidden)
      << "none is good";
}

// What was judged is what is connected to: a name is looked up once for a connection.
TEST_P(ClientTest, ANameThatTurnsElsewhereIsNotLookedUpAgain) {
  Sink sink(answer_ok);
  turncoat_lookups = 0;
  const std::string url = "http://turncoat.test:" + std::to_string(sink.port()) + "/";
  {
    Client client(options(), *this);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(get(client, url).body, "ok");
    EXPECT_EQ(turncoat_lookups, 1);
    EXPECT_EQ(sink.connections(), 1);
  }
  Client later(options(), *this);
  EXPECT_EQ(get(later, url).outcome, Outcome::kForbidden) << "a new connection is judged anew";
  EXPECT_EQ(turncoat_lookups, 2);
}

TEST_P(ClientTest, AsksBeforeEachConnectionWhereTheRequestWantsIt) {
  Sink sink(answer_ok);
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url()).status, 200);
  std::atomic<int> asked{0};
  const auto ask_with = [&](bool answer) {
    ClientRequest request{.url = sink.url()};
    request.admits = [&asked, answer](const Address&) {
      ++asked;
      return answer;
    };
    return ask(client, std::move(request));
  };
  EXPECT_EQ(ask_with(true).status, 200);
  EXPECT_EQ(ask_with(true).status, 200);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(sink.connections(), 3) << "none is taken that is open, none is left open";
  const ClientReply held_back = ask_with(false);
  EXPECT_EQ(held_back.outcome, Outcome::kHeldBack);
  EXPECT_FALSE(held_back.was_connected);
  EXPECT_EQ(sink.connections(), 3);
  EXPECT_EQ(get(client, sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 3) << "others go on with the connection that is open";
  EXPECT_EQ(metrics_.counter("courant_client_requests_total", "", {{"outcome", "held_back"}}).value(), 1);
}

TEST_P(ClientTest, ReachesANameInAnAllowedNetwork) {
  Sink sink(answer_ok);
  Client client(options(), *this);
  const std::string port = std::to_string(sink.port());
  EXPECT_EQ(get(client, "http://inside.test:" + port + "/").body, "ok");
  EXPECT_EQ(get(client, "http://localhost:" + port + "/").body, "ok");
  EXPECT_EQ(get(client, "http://any.localhost:" + port + "/").body, "ok") << "no name server knows it";
}

TEST_P(ClientTest, DoesNotFollowRedirects) {
  Sink target(answer_ok);
  Sink sink([&](const SinkRequest&) { return SinkReply{.status = 302, .headers = {{"Location", target.url()}}}; });
  Client client(options(), *this);
  const ClientReply reply = get(client, sink.url());
  EXPECT_EQ(reply.outcome, Outcome::kAnswered);
  EXPECT_EQ(reply.status, 302);
  EXPECT_EQ(target.connections(), 0);
}

TEST_P(ClientTest, IgnoresProxiesOfTheEnvironment) {
  Sink proxy(answer_ok);
  Sink sink(answer_ok);
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, proxy.url().c_str(), 1);
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url()).status, 200);
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_EQ(sink.connections(), 1);
}

TEST_P(ClientTest, TakesTheProxyThatTheOperatorNames) {
  Sink proxy(answer_ok);
  ClientOptions through = options({});
  through.egress_proxy = proxy.url();
  ::setenv("no_proxy", "*", 1);
  Client client(through, *this);
  EXPECT_EQ(get(client, "http://feeds.example/x").body, "ok");
  ::unsetenv("no_proxy");
  EXPECT_EQ(proxy.requests().at(0).target, "http://feeds.example/x");
  EXPECT_EQ(get(client, "http://10.0.0.1/x").outcome, Outcome::kForbidden) << "literals are still judged";
  EXPECT_EQ(proxy.requests().size(), 1U);
}

TEST_P(ClientTest, ReusesConnections) {
  Sink sink(answer_ok);
  Client client(options(), *this);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client, post(sink.url(), "x")).status, 200);
  EXPECT_EQ(sink.connections(), 1);
}

// Its peer may end a kept connection at any time. Whether the request had been taken cannot be known; it may be sent
// again since no byte of an answer came.
TEST_P(ClientTest, SendsAgainWhatAKeptConnectionDidNotCarry) {
  Sink sink([](const SinkRequest& request) {
    if (request.connection == 0 && request.target == "/again") return SinkReply{.raw = ""};
    return SinkReply{.body = request.body};
  });
  Client client(options(), *this);
  EXPECT_EQ(ask(client, post(sink.url("/first"), "1")).body, "1");
  EXPECT_EQ(ask(client, post(sink.url("/again"), "2")).body, "2");
  EXPECT_EQ(sink.connections(), 2);
  EXPECT_EQ(sink.requests().size(), 3U);
  EXPECT_EQ(sink.requests().back().body, "2");
}

TEST_P(ClientTest, SendsNothingAgainOnceAnAnswerHasBegun) {
  Sink sink([](const SinkRequest& request) {
    if (request.target == "/half") return SinkReply{.raw = "HTTP/1.1 2"};
    return SinkReply{.body = "ok"};
  });
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url("/first")).status, 200);
  EXPECT_EQ(get(client, sink.url("/half")).outcome, Outcome::kBroken);
  EXPECT_EQ(sink.requests().size(), is_by_libcurl() ? 3U : 2U) << "libcurl counts whole lines";
}

// A peer that says nothing of it ends the connection; whoever asks next has a new one.
TEST_P(ClientTest, AConnectionThatWasEndedWhileItWasIdleIsNotUsed) {
  Sink sink([](const SinkRequest&) { return SinkReply{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"}; });
  Client client(options(), *this);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ask(client, post(sink.url(), "x")).body, "ok");
}

TEST_P(ClientTest, ReadsAnswersOfAllForms) {
  Sink sink([](const SinkRequest& request) -> SinkReply {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    if (request.target == "/chunks") {
      return {.raw = ok + "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n"};
    }
    if (request.target == "/interim") {
      return {.raw = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: </>\r\n\r\n" + ok +
                     "Content-Length: 5\r\n\r\nabcde"};
    }
    if (request.target == "/until-the-end") return {.raw = "HTTP/1.0 200 OK\r\n\r\nabcde"};
    return {.raw = ok + "\r\nabcde"};
  });
  Client client(options(), *this);
  for (const char* target : {"/chunks", "/interim", "/until-the-end", "/without-length"}) {
    const ClientReply reply = get(client, sink.url(target));
    EXPECT_EQ(reply.outcome, Outcome::kAnswered) << target << ": " << reply.detail;
    EXPECT_EQ(reply.status, 200) << target;
    EXPECT_EQ(reply.body, "abcde") << target;
    EXPECT_FALSE(reply.is_cut) << target;
    EXPECT_FALSE(reply.header("Link")) << target;
  }
}

TEST_P(ClientTest, SaysWhereARedirectLeads) {
  Sink sink([](const SinkRequest& request) {
    return SinkReply{.status = 302, .headers = {{"Location", request.target == "/a/b" ? "../c?d#e" : "//x.example/"}}};
  });
  Client client(options(), *this);
  EXPECT_EQ(get(client, sink.url("/a/b")).redirect_url, sink.url("/c?d#e"));
  EXPECT_EQ(get(client, sink.url("/else")).redirect_url, "http://x.example/");
}

TEST_P(ClientTest, KeepsNoMoreConnectionsThanRequestsMayBeUnderWay) {
  ClientOptions small = options();
  small.in_flight = 2;
  Client client(small, *this);
  std::vector<std::unique_ptr<Sink>> sinks;
  for (int i = 0; i < 4; ++i) sinks.push_back(std::make_unique<Sink>(answer_ok));
  for (int round = 0; round < 2; ++round) {
    for (const auto& sink : sinks) EXPECT_EQ(get(client, sink->url()).body, "ok");
  }
  if (is_by_libcurl()) return;  // libcurl closes what is too much when it gets to it
  for (const auto& sink : sinks) EXPECT_EQ(sink->connections(), 2) << "it had to make room for others";
}

TEST_P(ClientTest, RefusesHeaderFieldsThatWouldSplitTheRequest) {
  Sink sink(answer_ok);
  Client client(options(), *this);
  for (const auto& field : std::vector<std::pair<std::string, std::string>>{
           {"X-A", "b\r\nX-C: d"}, {"X-A\nX-B", "c"}, {"X-A: b", "c"}, {"", "c"}}) {
    ClientRequest request{.url = sink.url()};
    request.headers = {field};
    EXPECT_EQ(ask(client, std::move(request)).outcome, Outcome::kBroken) << field.first;
  }
  EXPECT_EQ(sink.connections(), 0);
  EXPECT_THROW(client.send(ClientRequest{.method = "DELETE", .url = sink.url()}, [](ClientReply) {}),
               std::invalid_argument);
}

TEST_P(ClientTest, KeepsToItsBoundOfAHostAndServesOthersMeanwhile) {
  Gate gate;
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  Sink slow([&](const SinkRequest&) {
    const int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    gate.wait();
    --inside;
    return SinkReply{};
  });
  const GateOpener opener{gate};
  Sink quick(answer_ok);
  ClientOptions bounded = options();
  bounded.per_host = 2;
  Client client(bounded, *this);
  std::atomic<int> answered{0};
  std::promise<void> all;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(client.send(ClientRequest{.url = slow.url()}, [&](const ClientReply& reply) {
      EXPECT_EQ(reply.status, 200) << reply.detail;
      if (++answered == 8) all.set_value();
    }));
  }
  EXPECT_TRUE(slow.wait_for(2));
  EXPECT_EQ(get(client, "http://other.test:" + std::to_string(quick.port()) + "/").body, "ok");
  EXPECT_EQ(slow.requests().size(), 2U);
  EXPECT_TRUE(test::wait_until([&] { return inside == 2; })) << "a request is counted before it is worked on";
  gate.open();
  all.get_future().get();
  EXPECT_EQ(most, 2);
}

TEST_P(ClientTest, RefusesMoreThanItLetsWait) {
  Gate gate;
  Sink sink([&](const SinkRequest&) {
    gate.wait();
    return SinkReply{};
  });
  const GateOpener opener{gate};
  ClientOptions small = options();
  small.in_flight = 1;
  std::atomic<int> done{0};
  int accepted = 0;
  {
    Client client(small, *this);
    const auto send = [&] {
      return client.send(ClientRequest{.url = sink.url()}, [&](const ClientReply&) { ++done; });
    };
    accepted += send() ? 1 : 0;
    EXPECT_TRUE(sink.wait_for(1));
    while (send()) ++accepted;
    EXPECT_EQ(accepted, 5);
  }
  EXPECT_EQ(done, accepted) << "each accepted request is told exactly once";
}

TEST_P(ClientTest, EndsEverythingWhenStopped) {
  Gate gate;
  Sink sink([&](const SinkRequest&) {
    gate.wait();
    return SinkReply{};
  });
  const GateOpener opener{gate};
  ClientOptions bounded = options();
  bounded.per_host = 1;
  Client client(bounded, *this);
  std::atomic<int> stopped{0};
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(client.send(ClientRequest{.url = sink.url()}, [&](const ClientReply& reply) {
      if (reply.outcome == Outcome::kStopped) ++stopped;
      EXPECT_FALSE(client.send(ClientRequest{.url = sink.url()}, [](const ClientReply&) { FAIL(); }));
    }));
  }
  EXPECT_TRUE(sink.wait_for(1));
  client.stop();
  EXPECT_EQ(stopped, 3);
  client.stop();
  EXPECT_FALSE(client.send(ClientRequest{.url = sink.url()}, [](const ClientReply&) { FAIL(); }));
}

TEST_P(ClientTest, MayBeUsedAndStoppedByAnAnswer) {
  Sink sink(answer_ok);
  Client client(options(), *this);
  std::promise<int> second;
  EXPECT_TRUE(client.send(ClientRequest{.url = sink.url()}, [&](const ClientReply&) {
    client.send(ClientRequest{.url = sink.url()}, [&](const ClientReply& reply) {
      client.stop();
      second.set_value(reply.status);
      throw std::runtime_error("a receiver's mistake");
    });
  }));
  EXPECT_EQ(second.get_future().get(), 200);
}

TEST_P(ClientTest, IsNotHeldUpByALookupThatNeverEnds) {
  static auto& gates = *new std::list<Gate>;  // a lookup's thread may outlive this test, and the program's end
  Gate& gate = gates.emplace_back();
  const GateOpener opener{gate};
  slow_lookup = &gate;
  Sink sink(answer_ok);
  Client client(options(), *this);
  const ClientReply reply = ask(client, ClientRequest{.url = "http://slow.test/", .deadline = 100ms});
  EXPECT_EQ(reply.outcome, Outcome::kTimeout);
  EXPECT_FALSE(reply.was_connected);
  EXPECT_EQ(get(client, sink.url()).status, 200) << "others are served while that lookup still waits";
  std::promise<ClientReply> stopped;
  EXPECT_TRUE(client.send(ClientRequest{.url = "http://slow.test/again"},
                          [&](ClientReply last) { stopped.set_value(std::move(last)); }));
  client.stop();
  EXPECT_EQ(stopped.get_future().get().outcome, Outcome::kStopped);
}

std::string name_of(const testing::TestParamInfo<Way>& info) {
  const std::string_view names[] = {"ByLibcurl", "ByOurOwn", "OnALoop"};
  return std::string(names[static_cast<int>(info.param)]);
}
INSTANTIATE_TEST_SUITE_P(Ways, ClientTest, testing::Values(Way::kByLibcurl, Way::kByOurOwn, Way::kOnALoop), name_of);

}  // namespace
}  // namespace courant::http
