#include "server/management/subscription_acts.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "server/audit.h"

namespace courant::server {
namespace {

using Kind = SubscriptionAct::Kind;

constexpr std::array kActNames = {"subscription-paused", "subscription-resumed", "subscription-replayed",
                                  "subscription-tested", "subscription-removed"};

// What speaks against it.
std::optional<Fault> fault_of(const hub::ListedSubscription& stands, const SubscriptionAct& act) {
  if (act.kind != Kind::kReplay) return std::nullopt;
  if (stands.feed.empty()) return Fault{"its topic is not a feed of this server: there is nothing to send again"};
  const std::int64_t least = std::min(stands.floor, stands.position);
  if (act.position >= least && act.position <= stands.position) return std::nullopt;
  return Fault{"position must lie from " + std::to_string(least) + " to " + std::to_string(stands.position)};
}

void ask(sql::Session& session, std::int64_t number, const SubscriptionAct& act) {
  switch (act.kind) {
    case Kind::kPause:
    case Kind::kResume:
      hub::pause_subscription(session, number, act.kind == Kind::kPause);
      break;
    case Kind::kReplay:
      hub::replay_subscription(session, number, act.position);
      break;
    case Kind::kTest:
      hub::test_subscription(session, number);
      break;
    case Kind::kRemove:
      hub::remove_subscription(session, number);
      break;
  }
}

}  // namespace

Result<hub::ListedSubscription> do_subscription_act(sql::Session& session, std::int64_t number,
                                                    const SubscriptionAct& act, std::string_view actor, Instant now) {
  std::optional<hub::ListedSubscription> stands = hub::find_subscription(session, number);
  if (!stands) return Fault{"there is no subscription " + std::to_string(number)};
  if (std::optional<Fault> fault = fault_of(*stands, act)) return *std::move(fault);
  ask(session, number, act);
  nlohmann::json details = {{"topic", stands->topic}, {"callback", stands->callback}};
  if (act.kind == Kind::kReplay) details["position"] = act.position;
  note_act(session, actor, kActNames[static_cast<std::size_t>(act.kind)], "subscription " + std::to_string(number),
           std::move(details), now);
  if (std::optional<hub::ListedSubscription> after = hub::find_subscription(session, number)) return *std::move(after);
  return *std::move(stands);
}

}  // namespace courant::server
