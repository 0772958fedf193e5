// A subscription: a reader whose cursor the hub keeps.
// Threads: plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/delivery_record.h"
#include "hub/seam.h"
#include "kernel/time.h"

namespace courant::hub {

// What deliveries change of a subscription.
struct Progress {
  std::int64_t cursor = 0;  // everything up to this position was looked at, and delivered if there was what to deliver
  // The Feed-Position of the last delivery, or else of the verification: where the subscriber believes to stand. Behind
  // the cursor where what followed did not have to be delivered.
  std::int64_t told = 0;
  std::int64_t frozen = 0;                             // bytes of (cursor, frozen] may have been sent; 0: none
  std::int64_t failures = 0;                           // since the last success
  std::optional<Instant> next_attempt = std::nullopt;  // nullopt: at once
  DeliveryRecord record = {};
  // The number of the watch that it shares (hub/lookout.h): its cursor is the watch's position, where that is further
  // than the one above; 0: none.
  std::int64_t watch = 0;
};

// What the owner of its callback decides (hub/self_service.h).
struct Wishes {
  bool is_paused = false;                 // nothing is sent
  std::int64_t documents_per_minute = 0;  // at most; 0: any number
  std::chrono::seconds gather{0};         // what is new waits for so long, and is sent together
  // The secret of before, which signs beside the new one until then.
  std::optional<std::string> old_secret = std::nullopt;
  std::optional<Instant> old_secret_until = std::nullopt;
  bool has_lost_old_secret = false;                        // as Subscription::has_lost_secret
  std::optional<std::int64_t> topic_until = std::nullopt;  // beyond this position it will have another topic

  bool wants_few() const { return documents_per_minute > 0 || gather.count() > 0; }  // documents
};

struct Subscription : Progress {
  std::int64_t shard = 0;
  std::int64_t number = 0;  // unique in the database
  Topic topic;
  std::vector<std::string> terms;  // TopicSource::required_terms
  std::string self;                // the topic as its subscriber wrote it
  std::string callback;
  std::string callback_host;
  std::string identity;  // who has subscribed (access/identity.h)
  std::optional<std::string> secret;
  bool has_lost_secret = false;  // it was sealed with a key that we do not have: nothing may be delivered unsigned
  // It was subscribed to in the way of PubSubHubbub 0.3: the hub verifies it again before the lease ends, and signs
  // with SHA-1, the only one that this version knows.
  bool renews = false;
  Instant verified;
  Instant lease_until;
  Wishes wishes;
};

// Whether a secret that signs at present cannot be opened.
inline bool lacks_secret(const Subscription& subscription, Instant now) {
  const Wishes& wishes = subscription.wishes;
  const bool signs = wishes.old_secret_until && *wishes.old_secret_until > now;
  return subscription.has_lost_secret || (wishes.has_lost_old_secret && signs);
}

// The secret of before, while it signs.
inline std::optional<std::string> old_secret_of(const Subscription& subscription, Instant now) {
  const Wishes& wishes = subscription.wishes;
  const bool signs = wishes.old_secret && wishes.old_secret_until && *wishes.old_secret_until > now;
  return signs ? wishes.old_secret : std::nullopt;
}

// An accepted request, waiting for its verification.
struct PendingRequest {
  std::int64_t number = 0;
  std::int64_t shard = 0;
  bool is_subscribe = true;
  Topic topic;
  std::string self;
  std::string callback;
  std::string callback_host;
  std::string callback_domain;
  std::string client;  // the address that asked; empty: the hub itself
  std::string identity;
  std::chrono::seconds lease{0};
  std::optional<std::string> verify_token;
  std::int64_t attempts = 0;
  std::optional<std::int64_t> subscription;  // the number of the one that there is already
};

}  // namespace courant::hub
