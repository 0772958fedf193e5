// Subscriptions, as operators see and handle them (hub/operator_store.h).
#include "hub/operator_store.h"
#include "kernel/text.h"
#include "server/management/manage_route.h"
#include "server/management/subscription_acts.h"

namespace courant::server {
namespace {

constexpr std::int64_t kMostListed = 1000;

Json document_of(const hub::ListedSubscription& one) {
  return {{"number", one.number},
          {"state", one.state},
          {"feed", one.feed.empty() ? Json() : Json(one.feed)},
          {"topic", one.topic},
          {"callback", one.callback},
          {"subscribed_by", one.identity},
          {"verified", format_rfc3339(one.verified)},
          {"lease_until", format_rfc3339(one.lease_until)},
          {"position", one.position},
          {"head", one.head},
          {"failures", one.failures},
          {"next_attempt", one.next_attempt ? Json(format_rfc3339(*one.next_attempt)) : Json()}};
}

std::int64_t number_of(const ManageCall& call) {
  const std::optional<std::uint64_t> number = parse_unsigned(call.argument(0));
  return number && *number >> 62 == 0 ? static_cast<std::int64_t>(*number) : 0;
}

std::string text_in(const Parameters& query, std::string_view name) {
  const std::string* const text = find_parameter(query, name);
  return text == nullptr ? "" : *text;
}

std::int64_t number_in(const Parameters& query, const char* name, std::int64_t most, std::int64_t otherwise) {
  const std::string* const text = find_parameter(query, name);
  if (text == nullptr) return otherwise;
  const std::optional<std::uint64_t> number = parse_unsigned(*text);
  if (!number || std::cmp_greater(*number, most)) {
    throw Problem(400, std::string(name) + " must be a whole number up to " + std::to_string(most));
  }
  return static_cast<std::int64_t>(*number);
}

Json act_on(ManageCall& call, const SubscriptionAct& act) {
  const Result<hub::ListedSubscription> done =
      do_subscription_act(call.session, number_of(call), act, call.asked.actor, call.now);
  if (done) return document_of(*done);
  const bool is_there = hub::find_subscription(call.session, number_of(call)).has_value();
  throw Problem(is_there ? 409 : 404, done.fault().detail);
}

}  // namespace

Json list_subscriptions(ManageCall& call) {
  const Parameters& query = call.asked.query;
  hub::SubscriptionQuery asked{text_in(query, "topic"), text_in(query, "state")};
  const std::string& state = asked.state;
  if (!state.empty() && state != "delivering" && state != "paused" && state != "failing") {
    throw Problem(400, "state must be delivering, paused or failing");
  }
  asked.after = number_in(query, "after", INT64_MAX, 0);
  asked.limit = std::max<std::int64_t>(number_in(query, "limit", kMostListed, 100), 1);
  Json list = Json::array();
  for (const hub::ListedSubscription& one : hub::list_subscriptions(call.session, asked))
    list.push_back(document_of(one));
  const bool is_full = std::cmp_equal(list.size(), asked.limit);
  const Json after = is_full ? list.back()["number"] : Json();
  return {{"subscriptions", list}, {"after", after}};
}

Json get_subscription(ManageCall& call) {
  const std::optional<hub::ListedSubscription> found = hub::find_subscription(call.session, number_of(call));
  if (!found) throw Problem(404, "There is no subscription " + call.argument(0));
  return document_of(*found);
}

Json pause_subscription(ManageCall& call) {
  return act_on(call, {SubscriptionAct::Kind::kPause});
}

Json resume_subscription(ManageCall& call) {
  return act_on(call, {SubscriptionAct::Kind::kResume});
}

Json replay_subscription(ManageCall& call) {
  return act_on(call, {SubscriptionAct::Kind::kReplay, require_number(call.asked.body, "position", 0)});
}

Json test_subscription(ManageCall& call) {
  return act_on(call, {SubscriptionAct::Kind::kTest});
}

Json remove_subscription(ManageCall& call) {
  act_on(call, {SubscriptionAct::Kind::kRemove});
  return {};
}

}  // namespace courant::server
