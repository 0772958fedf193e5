// How attempts at callbacks go, for the operator: what came of them and how long they took. The labels are a fixed set,
// whatever peers answer.
// Threads: any.
#pragma once

#include <map>
#include <string_view>

#include "http/client.h"
#include "kernel/metrics.h"

namespace courant::hub {

// "2xx", "3xx", "4xx", "5xx", "other" of an answer; else why there is none: "timeout", "connect", "tls", "resolve", ...
std::string_view outcome_label(const http::ClientReply& reply);

// The attempts to deliver documents.
class DeliveryAttempts {
 public:
  explicit DeliveryAttempts(Metrics& metrics);

  void count(const http::ClientReply& reply);

 private:
  std::map<std::string_view, Counter*> by_outcome_;  // never changes
  Histogram& seconds_;
};

// How long callbacks take until they have answered a verification, or failed to.
Histogram& verification_seconds(Metrics& metrics);

}  // namespace courant::hub
