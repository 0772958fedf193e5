// What operators do with a subscription, by command and by the management API; noted in the audit feed.
// Threads: database threads.
#pragma once

#include <cstdint>
#include <string_view>

#include "hub/operator_store.h"
#include "kernel/result.h"

namespace courant::server {

struct SubscriptionAct {
  enum class Kind { kPause, kResume, kReplay, kTest, kRemove };
  Kind kind;
  std::int64_t position = 0;  // of kReplay: it goes on after it
};

// In a transaction of the caller's. The subscription as it stands now, or stood. A fault: there is none, or it cannot
// be set back to that position.
Result<hub::ListedSubscription> do_subscription_act(sql::Session& session, std::int64_t number,
                                                    const SubscriptionAct& act, std::string_view actor, Instant now);

}  // namespace courant::server
