// courant subscriptions: list, pause, resume, replay, test, remove; beside running servers, of which the one that
// pushes takes it up within seconds.
// Threads: the main thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "hub/operator_store.h"
#include "server/app.h"
#include "server/subscription_acts.h"

namespace CLI {
class App;
}

namespace courant::server {

struct SubscriptionOptions {
  hub::SubscriptionQuery listed;       // where nothing is to be done
  std::optional<SubscriptionAct> act;  // with that of
  std::int64_t number = 0;
  std::int64_t position = 0;
};

// The subcommands. add_database: gives one its options that say which database is meant.
void add_subscription_commands(CLI::App& command, const std::function<void(CLI::App&)>& add_database,
                               SubscriptionOptions& options);

// The exit status: 0; 1 where it was not done, with a sentence.
int handle_subscriptions(const ServeOptions& options, const SubscriptionOptions& asked);

}  // namespace courant::server
