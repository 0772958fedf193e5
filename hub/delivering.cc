#include "hub/delivering.h"

#include <utility>

#include "hub/messages.h"

namespace courant::hub {

DeliveryAttempt delivery_attempt(const Loop& loop, const Subscription& subscription,
                                 std::shared_ptr<const PushDocument> document, std::int64_t test) {
  const Instant now = loop.clock.now();
  const std::optional<std::string> old_secret = old_secret_of(subscription, now);
  Delivery delivery;
  delivery.subscription = subscription.number;
  delivery.callback = subscription.callback;
  delivery.hub_url = loop.options.hub_url;
  delivery.secret = subscription.secret;
  delivery.old_secret = old_secret;
  delivery.previous = subscription.told;
  delivery.document = std::move(document);
  delivery.test = test;
  const HmacAlgorithm algorithm = subscription.renews ? HmacAlgorithm::kSha1 : loop.options.signature;
  DeliveryAttempt made;
  made.request = delivery_request(delivery, algorithm, now, loop.options.delivery_timeout);
  made.attempt.bytes = static_cast<std::int64_t>(made.request.body->size());
  made.attempt.from = delivery.previous;
  made.attempt.to = delivery.document->to;
  return made;
}

void set_outcome(Attempt& attempt, const http::ClientReply& reply, Instant now) {
  attempt.ended = now;
  attempt.status = reply.status;
  attempt.latency = reply.latency;
  attempt.error = error_of(reply);
}

}  // namespace courant::hub
