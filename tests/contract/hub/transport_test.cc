// What hub/transport.h says of a Transport, held against each: webhooks to a real HTTP server, and a pipe.
#include "hub/transport.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "tests/contract/hub/pipe_transport.h"
#include "tests/support/running_loop.h"
#include "tests/support/sink.h"
#include "tests/support/wait_until.h"

namespace courant::test::transport_test {
namespace {

using namespace std::chrono_literals;
using http::ClientReply;
using http::ClientRequest;
using Outcome = ClientReply::Outcome;

// Over libcurl, or over connections of our own: on a thread of the client's, or on the sender's loop.
enum class Way { kLibcurl, kOwn, kOnLoop };
template <Way kWay>
class Webhooks {
 public:
  explicit Webhooks(Sink::Handler handler) : sink_(std::move(handler)), client_(options(), metrics_) {
    if (kWay == Way::kOnLoop) transport_.live_on(loop_.io());
  }

  hub::Transport& transport() { return transport_; }
  std::string url(const std::string& target) const { return sink_.url(target); }
  std::vector<SinkRequest> requests() const { return sink_.requests(); }

 private:
  static http::ClientOptions options() {
    http::ClientOptions options;
    options.guard = std::make_shared<const http::AddressGuard>(std::vector{*http::Network::parse("127.0.0.0/8")});
    options.all_by_libcurl = kWay == Way::kLibcurl;
    return options;
  }

  Metrics metrics_;
  Sink sink_;
  RunningLoop loop_;
  http::Client client_;
  hub::WebhookTransport transport_{client_};
};

class Pipe {
 public:
  explicit Pipe(Sink::Handler handler) : peer_(std::move(handler)), transport_(peer_.take_end()) {}

  hub::Transport& transport() { return transport_; }
  static std::string url(const std::string& target) { return "pipe://subscriber" + target; }
  std::vector<SinkRequest> requests() const { return peer_.requests(); }

 private:
  PipePeer peer_;
  PipeTransport transport_;
};

template <class World>
class TransportContract : public testing::Test {
 protected:
  // Answers are counted as they come: none may come twice.
  struct Call {
    std::promise<ClientReply> promise;
    std::atomic<int> answers{0};
  };

  void serve(Sink::Handler handler) { world_ = std::make_unique<World>(std::move(handler)); }
  hub::Transport& transport() { return world_->transport(); }

  ClientRequest request(const std::string& target = "/cb") const {
    ClientRequest request;
    request.url = world_->url(target);
    request.deadline = 60s;
    return request;
  }
  std::shared_ptr<Call> send(ClientRequest request) {
    auto call = std::make_shared<Call>();
    calls_.push_back(call);
    transport().send(std::move(request), [call](ClientReply reply) {
      if (++call->answers == 1) call->promise.set_value(std::move(reply));
    });
    return call;
  }
  ClientReply answer(ClientRequest request) {
    const auto call = send(std::move(request));
    return call->promise.get_future().get();
  }

  // After each test: what was sent has been answered exactly once, with the transport stopped and gone.
  void TearDown() override {
    if (world_) transport().stop();
    for (const auto& call : calls_) EXPECT_EQ(call->answers, 1);
    world_.reset();
    for (const auto& call : calls_) EXPECT_EQ(call->answers, 1);
  }

  Gate gate_;
  std::vector<std::shared_ptr<Call>> calls_;
  std::unique_ptr<World> world_;
};

using Worlds = testing::Types<Webhooks<Way::kOwn>, Webhooks<Way::kOnLoop>, Webhooks<Way::kLibcurl>, Pipe>;
TYPED_TEST_SUITE(TransportContract, Worlds);

TYPED_TEST(TransportContract, CarriesTheRequestAndItsAnswer) {
  this->serve([](const SinkRequest&) {
    return SinkReply{.status = 202, .headers = {{"Retry-After", "7"}}, .body = "taken"};
  });
  ClientRequest request = this->request("/cb?a=b%20c");
  request.method = "POST";
  request.headers = {{"Content-Type", "text/plain"}, {"Feed-Position", "7"}};
  request.body = http::make_bytes("a document");
  const ClientReply reply = this->answer(std::move(request));
  EXPECT_EQ(reply.outcome, Outcome::kAnswered);
  EXPECT_EQ(reply.status, 202);
  EXPECT_EQ(reply.header("retry-after"), "7");
  EXPECT_EQ(reply.body, "taken");
  EXPECT_FALSE(reply.is_cut);
  const SinkRequest came = this->world_->requests().at(0);
  EXPECT_EQ(came.method, "POST");
  EXPECT_EQ(came.target, "/cb?a=b%20c");
  EXPECT_EQ(came.header("Content-Type"), "text/plain");
  EXPECT_EQ(came.header("Feed-Position"), "7");
  EXPECT_EQ(came.body, "a document");
}

TYPED_TEST(TransportContract, CarriesLongDocuments) {
  this->serve(
      [](const SinkRequest& request) { return SinkReply{.status = 200, .body = std::to_string(request.body.size())}; });
  ClientRequest request = this->request();
  request.method = "POST";
  request.body = http::make_bytes(std::string(4 << 20, 'x'));
  EXPECT_EQ(this->answer(std::move(request)).body, std::to_string(4 << 20));
}

TYPED_TEST(TransportContract, AnAnswerIsAnAnswerWhateverItSays) {
  this->serve([](const SinkRequest& request) {
    return SinkReply{.status = std::stoi(request.target.substr(1)), .headers = {{"Location", "/204"}}};
  });
  for (const int status : {200, 204, 307, 404, 410, 500, 503}) {
    const ClientReply reply = this->answer(this->request("/" + std::to_string(status)));
    EXPECT_EQ(reply.outcome, Outcome::kAnswered) << status;
    EXPECT_EQ(reply.status, status) << "and a redirect is not followed";
  }
}

TYPED_TEST(TransportContract, OfALongAnswerOnlyTheBeginningIsKept) {
  this->serve([](const SinkRequest&) { return SinkReply{.status = 200, .body = std::string(100'000, 'x')}; });
  ClientRequest request = this->request();
  request.max_body = 10;
  const ClientReply reply = this->answer(std::move(request));
  EXPECT_EQ(reply.outcome, Outcome::kAnswered);
  EXPECT_EQ(reply.body, "xxxxxxxxxx");
  EXPECT_TRUE(reply.is_cut);
}

TYPED_TEST(TransportContract, WhoDoesNotAnswerInTimeIsGivenUp) {
  this->serve([this](const SinkRequest&) {
    this->gate_.wait();
    return SinkReply{.status = 204};
  });
  const GateOpener opener{this->gate_};
  ClientRequest request = this->request();
  request.deadline = 50ms;
  const ClientReply reply = this->answer(std::move(request));
  EXPECT_EQ(reply.outcome, Outcome::kTimeout);
  EXPECT_EQ(reply.status, 0);
}

TYPED_TEST(TransportContract, APeerThatBreaksOffIsSaidToHave) {
  this->serve([](const SinkRequest&) { return SinkReply{.raw = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"}; });
  EXPECT_EQ(this->answer(this->request()).outcome, Outcome::kBroken);
}

TYPED_TEST(TransportContract, StopAnswersWhatIsInFlightBeforeItReturns) {
  this->serve([this](const SinkRequest&) {
    this->gate_.wait();
    return SinkReply{.status = 204};
  });
  const GateOpener opener{this->gate_};
  for (int i = 0; i < 30; ++i) this->send(this->request());
  ASSERT_TRUE(wait_until([this] { return !this->world_->requests().empty(); }));
  this->transport().stop();
  for (const auto& call : this->calls_) {
    ASSERT_EQ(call->answers, 1);
    EXPECT_EQ(call->promise.get_future().get().outcome, Outcome::kStopped);
  }
}

TYPED_TEST(TransportContract, WhatIsSentAfterTheEndIsAnsweredToo) {
  this->serve([](const SinkRequest&) { return SinkReply{.status = 204}; });
  this->transport().stop();
  EXPECT_EQ(this->answer(this->request()).outcome, Outcome::kStopped);
  this->transport().stop();
  EXPECT_TRUE(this->world_->requests().empty());
}

// No lock is held where an answer is given: what it sends goes out, however often.
TYPED_TEST(TransportContract, AnAnswerMaySendAgain) {
  this->serve([](const SinkRequest&) { return SinkReply{.status = 204}; });
  std::promise<int> last;
  std::function<void(int)> go_on = [&](int number) {
    this->transport().send(this->request("/" + std::to_string(number)), [&, number](ClientReply reply) {
      if (number == 20 || reply.outcome != Outcome::kAnswered) return last.set_value(number);
      go_on(number + 1);
    });
  };
  go_on(1);
  EXPECT_EQ(last.get_future().get(), 20);
  EXPECT_EQ(this->world_->requests().size(), 20U);
}

TYPED_TEST(TransportContract, AnyThreadMaySendWhileAnotherStops) {
  this->serve([](const SinkRequest&) { return SinkReply{.status = 204}; });
  std::atomic<int> answered{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) {
        this->transport().send(this->request(), [&](ClientReply reply) {
          if (reply.outcome != Outcome::kAnswered && reply.outcome != Outcome::kStopped) ++wrong;
          ++answered;
        });
      }
    });
  }
  ASSERT_TRUE(wait_until([&] { return answered >= 50; }));
  this->transport().stop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, 400) << "all that was sent before the end or after it";
  EXPECT_EQ(wrong, 0);
}

// What a client alone can do.

TEST(WebhookTransport, WhereTooMuchWaitsNothingIsSent) {
  Gate gate;
  Metrics metrics;
  Sink sink([&gate](const SinkRequest&) {
    gate.wait();
    return SinkReply{.status = 204};
  });
  const GateOpener opener{gate};
  http::ClientOptions options;
  options.guard = std::make_shared<const http::AddressGuard>(std::vector{*http::Network::parse("127.0.0.0/8")});
  options.in_flight = 1;
  http::Client client(options, metrics);
  hub::WebhookTransport transport(client);
  std::atomic<int> held_back{0};
  std::atomic<int> answers{0};
  for (int i = 0; i < 100; ++i) {
    ClientRequest request;
    request.url = sink.url("/cb");
    transport.send(std::move(request), [&](ClientReply reply) {
      ++answers;
      if (reply.outcome == Outcome::kHeldBack) ++held_back;
    });
  }
  EXPECT_GT(held_back, 50);
  transport.stop();
  EXPECT_EQ(answers, 100);
}

}  // namespace
}  // namespace courant::test::transport_test
