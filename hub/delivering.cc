#include "hub/delivering.h"

#include "hub/messages.h"

namespace courant::hub {

http::Task<Sent> send_document(Loop& loop, const Subscription& subscription, PushDocument document, std::int64_t test) {
  const Instant now = loop.clock.now();
  Delivery delivery;
  delivery.subscription = subscription.number;
  delivery.callback = subscription.callback;
  delivery.hub_url = loop.options.hub_url;
  delivery.secret = subscription.secret;
  delivery.old_secret = old_secret_of(subscription, now);
  delivery.previous = subscription.told;
  delivery.document = std::move(document);
  delivery.test = test;
  const HmacAlgorithm algorithm = subscription.renews ? HmacAlgorithm::kSha1 : loop.options.signature;
  http::ClientRequest request = delivery_request(delivery, algorithm, now, loop.options.delivery_timeout);
  Sent sent;
  sent.attempt.bytes = static_cast<std::int64_t>(request.body->size());
  sent.attempt.from = delivery.previous;
  sent.attempt.to = delivery.document.to;
  sent.reply = co_await loop.send(std::move(request));
  sent.attempt.ended = loop.clock.now();
  sent.attempt.status = sent.reply.status;
  sent.attempt.latency = sent.reply.latency;
  sent.attempt.error = error_of(sent.reply);
  co_return sent;
}

}  // namespace courant::hub
