// courant subscriptions: list, pause, resume, replay, test, remove; beside running servers, of which the one that
// pushes takes it up within seconds.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "hub/operator_store.h"
#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"
#include "server/management/subscription_acts.h"

namespace courant::server {
namespace {

void print(const hub::ListedSubscription& one) {
  std::printf("%lld  %s  %s  at %lld", static_cast<long long>(one.number), one.state.c_str(), one.topic.c_str(),
              static_cast<long long>(one.position));
  if (!one.feed.empty()) std::printf(" of %lld", static_cast<long long>(one.head));
  std::printf("  to %s  until %s\n", one.callback.c_str(), format_rfc3339(one.lease_until).substr(0, 10).c_str());
}

int list(sql::Session& session, const hub::SubscriptionQuery& query) {
  for (const hub::ListedSubscription& one : hub::list_subscriptions(session, query)) print(one);
  return 0;
}

int act_on(sql::Session& session, std::int64_t number, const SubscriptionAct& act) {
  Result<hub::ListedSubscription> done = Fault{};
  session.transaction(
      [&] { done = do_subscription_act(session, number, act, actor_at_command_line(), SystemClock().now()); });
  if (!done) return say(done.fault());
  std::printf("Done: whoever pushes takes it up within seconds.\n");
  return 0;
}

void add_list(CommandLine& line, CLI::App& group) {
  const auto query = std::make_shared<hub::SubscriptionQuery>();
  CLI::App& listing = line.add_on_data(
      "list", "print subscriptions in the order of their numbers", CommandLine::Flags::kDatabase,
      [query](const ServeOptions& options) {
        return on_database(options, [&query](sql::Database&, sql::Session& session) { return list(session, *query); });
      },
      &group);
  listing.add_option("--topic", query->topic, "as a subscriber wrote it, or workspace/feed");
  listing.add_option("--state", query->state, "one of these alone")
      ->check(CLI::IsMember({"delivering", "paused", "failing"}));
  listing.add_option("--after", query->after, "numbers behind this one");
  listing.add_option("--limit", query->limit, "at most so many")->capture_default_str();
}

void add_act(CommandLine& line, CLI::App& group, const char* name, SubscriptionAct::Kind kind, const char* help) {
  struct Acting {
    SubscriptionAct act;
    std::int64_t number = 0;
  };
  const auto acting = std::make_shared<Acting>(Acting{{kind, 0}, 0});
  CLI::App& command = line.add_on_data(
      name, help, CommandLine::Flags::kDatabase,
      [acting](const ServeOptions& options) {
        return on_database(options, [&acting](sql::Database&, sql::Session& session) {
          return act_on(session, acting->number, acting->act);
        });
      },
      &group);
  command.add_option("number", acting->number, "the subscription's, as list prints it")->required();
  if (kind == SubscriptionAct::Kind::kReplay) {
    command.add_option("--from", acting->act.position, "the position: what comes after it is sent")->required();
  }
}

}  // namespace

void add_subscription_commands(CommandLine& line) {
  using Kind = SubscriptionAct::Kind;
  CLI::App& group = line.group("subscriptions", "what the hub pushes to whom, and handling it");
  add_list(line, group);
  add_act(line, group, "pause", Kind::kPause, "send nothing until it is resumed");
  add_act(line, group, "resume", Kind::kResume, "send again");
  add_act(line, group, "replay", Kind::kReplay, "send again what comes after a position");
  add_act(line, group, "test", Kind::kTest, "send a document without entries");
  add_act(line, group, "remove", Kind::kRemove, "end it");
  group.footer("Example:\n  courant subscriptions replay 7 --from 40 --data /var/lib/courant");
}

}  // namespace courant::server
