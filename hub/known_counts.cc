#include "hub/known_counts.h"

#include <vector>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

// What is limited, and how it is counted and spoken of.
struct Number {
  std::int64_t Counts::*member;
  const char* what;
  bool is_of_subscriptions;  // else of requests, which come and go
  char kind;                 // before the name: what is counted by another name is another number
  const std::string& (*name)(const NewRequest& request);
};

const std::string kOfAll;

constexpr Number kNumbers[] = {
    {&Counts::pending_of_client, "unverified requests from this address", false, 'p',
     +[](const NewRequest& request) -> const std::string& { return request.client; }},
    {&Counts::pending, "unverified requests", false, 'a',
     +[](const NewRequest&) -> const std::string& { return kOfAll; }},
    {&Counts::of_topic, "subscriptions of this topic", true, 't',
     +[](const NewRequest& request) -> const std::string& { return request.topic.canonical; }},
    {&Counts::of_host, "subscriptions of this callback's host", true, 'h',
     +[](const NewRequest& request) -> const std::string& { return request.callback_host; }},
    {&Counts::of_domain, "subscriptions of this callback's domain", true, 'd',
     +[](const NewRequest& request) -> const std::string& { return request.callback_domain; }},
    {&Counts::of_client, "subscriptions from this address", true, 'c',
     +[](const NewRequest& request) -> const std::string& { return request.client; }},
};

// For how long a count holds. Other processes add to it meanwhile.
constexpr std::chrono::seconds kRequestsHold{1};
constexpr std::chrono::seconds kSubscriptionsHold{60};
constexpr std::size_t kMostKnown = 10'000;

std::string name_of(const Number& number, const NewRequest& request) {
  return number.kind + number.name(request);
}

// Nine tenths: what other processes add meanwhile has room in the last one.
bool is_far_below(std::int64_t count, std::int64_t limit) {
  return count < limit - limit / 10;
}

}  // namespace

void refuse_beyond(const Counts& limits, const Counts& counts, bool is_subscribe) {
  const bool adds_one = is_subscribe && !counts.is_there;
  for (const Number& number : kNumbers) {
    if (number.is_of_subscriptions && !adds_one) continue;
    if (counts.*number.member < limits.*number.member) continue;
    throw Problem(429, std::string("There are too many ") + number.what + ": try again later")
        .with("Retry-After", "60");
  }
}

Counts KnownCounts::of(const NewRequest& request, const Counts& limits, Ticks now, const Count& count) {
  Counts known;
  Counts asked = limits;
  bool is_all_known = true;
  {
    const std::lock_guard lock(mutex_);
    for (const Number& number : kNumbers) {
      const auto found = known_.find(name_of(number, request));
      const bool is_known = found != known_.end() && found->second.until > now &&
                            is_far_below(found->second.count, limits.*number.member);
      if (is_known) {
        known.*number.member = found->second.count;
        asked.*number.member = 0;
      }
      is_all_known = is_all_known && is_known;
    }
  }
  if (is_all_known) return known;
  Counts counts = count(asked);
  const std::lock_guard lock(mutex_);
  if (known_.size() > kMostKnown) known_.clear();
  for (const Number& number : kNumbers) {
    if (asked.*number.member == 0) {
      counts.*number.member = known.*number.member;
    } else {
      const auto holds = number.is_of_subscriptions ? kSubscriptionsHold : kRequestsHold;
      known_[name_of(number, request)] = {counts.*number.member, now + holds};
    }
  }
  return counts;
}

void KnownCounts::add(const NewRequest& request) {
  const std::lock_guard lock(mutex_);
  for (const Number& number : kNumbers) {
    if (const auto found = known_.find(name_of(number, request)); found != known_.end()) ++found->second.count;
  }
}

}  // namespace courant::hub
