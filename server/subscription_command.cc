#include "server/subscription_command.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "server/audit.h"
#include "server/open_database.h"

namespace courant::server {
namespace {

void print(const hub::ListedSubscription& one) {
  std::printf("%lld  %s  %s  at %lld", static_cast<long long>(one.number), one.state.c_str(), one.topic.c_str(),
              static_cast<long long>(one.position));
  if (!one.feed.empty()) std::printf(" of %lld", static_cast<long long>(one.head));
  std::printf("  to %s  until %s\n", one.callback.c_str(), format_rfc3339(one.lease_until).substr(0, 10).c_str());
}

int act_on(sql::Session& session, const SubscriptionOptions& asked) {
  Result<hub::ListedSubscription> done = Fault{};
  session.transaction([&] {
    done = do_subscription_act(session, asked.number, *asked.act, actor_at_command_line(), SystemClock().now());
  });
  if (!done) return server::say(done.fault());
  std::printf("Done: whoever pushes takes it up within seconds.\n");
  return 0;
}

}  // namespace

void add_subscription_commands(CLI::App& command, const std::function<void(CLI::App&)>& add_database,
                               SubscriptionOptions& options) {
  using Kind = SubscriptionAct::Kind;
  struct Act {
    const char* name;
    Kind kind;
    const char* help;
  };
  command.require_subcommand(1);
  CLI::App* const listing = command.add_subcommand("list", "print subscriptions in the order of their numbers");
  add_database(*listing);
  listing->add_option("--topic", options.listed.topic, "as a subscriber wrote it, or workspace/feed");
  listing->add_option("--state", options.listed.state, "one of these alone")
      ->check(CLI::IsMember({"delivering", "paused", "failing"}));
  listing->add_option("--after", options.listed.after, "numbers behind this one");
  listing->add_option("--limit", options.listed.limit, "at most so many")->capture_default_str();
  for (const Act& act :
       {Act{"pause", Kind::kPause, "send nothing until it is resumed"}, Act{"resume", Kind::kResume, "send again"},
        Act{"replay", Kind::kReplay, "send again what comes after a position"},
        Act{"test", Kind::kTest, "send a document without entries"}, Act{"remove", Kind::kRemove, "end it"}}) {
    CLI::App* const acting = command.add_subcommand(act.name, act.help);
    add_database(*acting);
    acting->add_option("number", options.number, "the subscription's, as list prints it")->required();
    if (act.kind == Kind::kReplay) {
      acting->add_option("--from", options.position, "the position: what comes after it is sent")->required();
    }
    acting->callback([&options, kind = act.kind] { options.act = SubscriptionAct{kind, options.position}; });
  }
  command.footer("Example:\n  courant subscriptions replay 7 --from 40 --data /var/lib/courant");
}

int handle_subscriptions(const ServeOptions& options, const SubscriptionOptions& asked) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return say(opened.fault());
  try {
    const std::unique_ptr<sql::Session> session = opened->database->connect();
    if (asked.act) return act_on(*session, asked);
    for (const hub::ListedSubscription& one : hub::list_subscriptions(*session, asked.listed)) print(one);
    return 0;
  } catch (const std::exception& error) {
    return say(Fault{std::string("the database refused: ") + error.what()});
  }
}

}  // namespace courant::server
