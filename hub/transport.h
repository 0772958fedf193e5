// Transport: what carries the hub's requests to subscribers. Webhooks go by http::Client; tests have others.
// Threads: send from any thread; `done` comes on the transport's own thread and must not block there.
#pragma once

#include <functional>

#include "http/client.h"

namespace courant::hub {

class Transport {
 public:
  virtual ~Transport() = default;

  // As http::Client::send: `done` is called exactly once, or, where false is returned, never.
  virtual bool send(http::ClientRequest request, std::function<void(http::ClientReply)> done) = 0;

  // Answers everything in flight with kStopped before it returns.
  virtual void stop() = 0;
};

class WebhookTransport final : public Transport {
 public:
  explicit WebhookTransport(http::Client& client) : client_(client) {}
  bool send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    return client_.send(std::move(request), std::move(done));
  }
  void stop() override { client_.stop(); }

 private:
  http::Client& client_;
};

}  // namespace courant::hub
