// One attempt to deliver a document: composed for its subscription, sent, and written up.
// Threads: the hub's loop.
#pragma once

#include "hub/loop.h"
#include "hub/subscription.h"

namespace courant::hub {

struct Sent {
  http::ClientReply reply;
  Attempt attempt;  // what becomes of the subscription's record, where anything came of it
};

// subscription: read before anything is waited for. test: the number of a test, whose document holds nothing; 0: no
// test.
http::Task<Sent> send_document(Loop& loop, const Subscription& subscription, PushDocument document,
                               std::int64_t test = 0);

}  // namespace courant::hub
