// Transport: what carries the hub's requests to subscribers, and their answers back. Webhooks go by http::Client; tests
// have others (tests/contract/hub/).
// Threads: send from any thread; stop from any but those on which answers come.
#pragma once

#include <atomic>
#include <functional>

#include "http/client.h"

namespace courant::hub {

class Transport {
 public:
  virtual ~Transport() = default;

  // The loop of whoever sends most: requests may be carried on it, and answered there. Called once at most, before
  // anything is sent; one thread runs it, until stop() has returned.
  virtual void live_on(boost::asio::io_context&) {}

  // Sends the request and calls `done` exactly once with what became of it: the peer's answer, or why there is none, at
  // the latest when the request's deadline has passed since it was begun. kStopped: the transport has ended, and it is
  // not known whether the peer has got it. kHeldBack: nothing was sent, since the request does not admit it or too much
  // waits already. `done` comes on any thread, perhaps before send returns, and with no lock held: it may send again,
  // and must not block.
  virtual void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) = 0;

  // Answers everything in flight with kStopped, or what came, before it returns; what is sent from then on, too.
  virtual void stop() = 0;
};

// Webhooks: POSTs and GETs to http and https URLs.
class WebhookTransport final : public Transport {
 public:
  explicit WebhookTransport(http::Client& client) : client_(client) {}
  void live_on(boost::asio::io_context& loop) override { client_.carry_plain_on(loop); }
  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override;
  void stop() override;

 private:
  http::Client& client_;
  std::atomic<bool> is_stopped_{false};
};

}  // namespace courant::hub
