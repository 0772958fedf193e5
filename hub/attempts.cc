#include "hub/attempts.h"

#include <array>
#include <string>
#include <vector>

namespace courant::hub {
namespace {

using AttemptOutcome = http::ClientReply::Outcome;

constexpr std::array<std::string_view, 5> kClasses = {"2xx", "3xx", "4xx", "5xx", "other"};
constexpr std::array kWithoutAnswer = {AttemptOutcome::kForbidden, AttemptOutcome::kHeldBack, AttemptOutcome::kResolve,
                                       AttemptOutcome::kConnect,   AttemptOutcome::kTls,      AttemptOutcome::kTimeout,
                                       AttemptOutcome::kBroken};

std::vector<double> latencies() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

}  // namespace

std::string_view outcome_label(const http::ClientReply& reply) {
  if (reply.outcome != AttemptOutcome::kAnswered) return http::outcome_name(reply.outcome);
  const int first_digit = reply.status / 100;
  return first_digit >= 2 && first_digit <= 5 ? kClasses[static_cast<std::size_t>(first_digit - 2)] : kClasses.back();
}

DeliveryAttempts::DeliveryAttempts(Metrics& metrics)
    : seconds_(metrics.histogram("courant_hub_delivery_seconds",
                                 "How long callbacks took until they had answered a delivery, or failed to",
                                 latencies())) {
  std::vector<std::string_view> labels(kClasses.begin(), kClasses.end());
  for (const AttemptOutcome outcome : kWithoutAnswer) labels.push_back(http::outcome_name(outcome));
  for (const std::string_view label : labels) {
    by_outcome_[label] =
        &metrics.counter("courant_hub_deliveries_total", "Attempts to deliver a document, by what came of them",
                         {{"outcome", std::string(label)}});
  }
}

void DeliveryAttempts::count(const http::ClientReply& reply) {
  const auto found = by_outcome_.find(outcome_label(reply));
  if (found == by_outcome_.end()) return;  // the hub has stopped: nothing came of it
  found->second->add();
  seconds_.observe(std::chrono::duration<double>(reply.latency).count());
}

Histogram& verification_seconds(Metrics& metrics) {
  return metrics.histogram("courant_hub_verification_seconds",
                           "How long callbacks took until they had answered a verification, or failed to", latencies());
}

}  // namespace courant::hub
