// One attempt to deliver a document: composed for its subscription, and written up.
// Threads: the hub's loop.
#pragma once

#include <memory>

#include "hub/loop.h"
#include "hub/subscription.h"

namespace courant::hub {

struct DeliveryAttempt {
  http::ClientRequest request;
  Attempt attempt;  // becomes a part of the subscription's record, where anything comes of it
};

// test: the number of a test, whose document holds nothing; 0: no test.
DeliveryAttempt delivery_attempt(const Loop& loop, const Subscription& subscription,
                                 std::shared_ptr<const PushDocument> document, std::int64_t test = 0);

// What has come of it.
void set_outcome(Attempt& attempt, const http::ClientReply& reply, Instant now);

}  // namespace courant::hub
