#include "hub/known_counts.h"

#include <algorithm>
#include <vector>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

// What is limited, and how it is counted and spoken of.
struct Number {
  std::int64_t Counts::*member;
  const char* what;          // null: a quota speaks of it, and there may be none
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
    {&Counts::of_owner, nullptr, true, 'o',
     +[](const NewRequest& request) -> const std::string& { return request.owner; }},
};

// For how long a count holds. Other processes add to it meanwhile.
constexpr std::chrono::seconds kRequestsHold{1};
constexpr std::chrono::seconds kSubscriptionsHold{60};
constexpr std::size_t kMostKnown = 10'000;
constexpr std::int64_t kLeastRoom = 100;

std::string name_of(const Number& number, const NewRequest& request) {
  return number.kind + number.name(request);
}

// Nine tenths: what other processes add meanwhile has room in the last one; quotas may be small, and need more of it.
bool is_far_below(const Number& number, std::int64_t count, std::int64_t limit) {
  const std::int64_t room = number.what == nullptr ? std::max(limit / 10, kLeastRoom) : limit / 10;
  return count < limit - room;
}

}  // namespace

void refuse_beyond(const Counts& limits, const Counts& counts, bool is_subscribe) {
  const bool adds_one = is_subscribe && !counts.is_there;
  for (const Number& number : kNumbers) {
    if (number.what == nullptr || (number.is_of_subscriptions && !adds_one)) continue;
    if (counts.*number.member < limits.*number.member) continue;
    throw Problem(429, std::string("There are too many ") + number.what + ": try again later")
        .with("Retry-After", "60");
  }
}

void refuse_beyond(const Quota& quota, const Counts& counts, bool is_subscribe) {
  if (quota.most == 0 || counts.of_owner < quota.most || !is_subscribe || counts.is_there) return;
  const std::string most = std::to_string(quota.most);
  throw Problem(507, "The " + quota.owner + " has " + std::to_string(counts.of_owner) +
                         " subscriptions, with those asked for, and may have " + most + " (" + quota.setting +
                         "): end some, or have its operator raise " + quota.setting)
      .with("Retry-After", "60");
}

Counts KnownCounts::of(const NewRequest& request, const Counts& limits, Ticks now, const Count& count) {
  Counts known;
  Counts asked = limits;
  bool is_all_known = true;
  {
    const std::lock_guard lock(mutex_);
    for (const Number& number : kNumbers) {
      if (number.what == nullptr && limits.*number.member == 0) continue;
      const auto found = known_.find(name_of(number, request));
      const bool is_known = found != known_.end() && found->second.until > now &&
                            is_far_below(number, found->second.count, limits.*number.member);
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
