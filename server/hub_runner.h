// The hub with all that it needs of its own: database threads, an HTTP client behind the guard, the key of its secrets.
// Threads: made, started and stopped by one thread; moved from any.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "access/rules.h"
#include "feeds/engine.h"
#include "http/router.h"
#include "hub/census.h"
#include "server/settings/config.h"
#include "sql/database.h"

namespace courant::server {

class HubRunner {
 public:
  // data: the data directory, where the key of the secrets is made unless the configuration names a file. engine: must
  // outlive this. delivers: whether this process takes a share of the subscriptions.
  // A fault says what is wrong with the configuration or the key.
  static Result<std::unique_ptr<HubRunner>> make(const Config& config, const std::string& data,
                                                 const sql::DatabaseOptions& database, feeds::Engine& engine,
                                                 const access::CurrentRules& rules, Metrics& metrics, bool delivers);
  ~HubRunner();  // stops

  Result<bool> start();
  void moved(const std::vector<feeds::Advance>& advances);
  std::vector<http::Route> routes();
  // For the operator: how far subscriptions are behind.
  std::shared_ptr<const hub::Overview> overview() const;
  // Whoever waits here is answered.
  // As Hub::change, with a configuration that was read again.
  void change(const Config& config);

  void let_go();
  void stop();

 private:
  struct State;
  explicit HubRunner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace courant::server
