// What every process has that works on the log: the database, what is known of feeds and their heads, and the hub.
// Threads: made and stopped by the main thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "access/rules.h"
#include "feeds/engine.h"
#include "kernel/metrics.h"
#include "server/admission/access_keeper.h"
#include "server/admission/cross_origin.h"
#include "server/app.h"
#include "server/hub_runner.h"
#include "server/open_database.h"
#include "server/operations/operations.h"
#include "sql/executor.h"

namespace courant::server {

class Core {
 public:
  using Advances = std::vector<feeds::Advance>;

  // The database is opened and migrated, and has the workspaces that are configured. A fault says what to do. Throws
  // what sql/ throws where the database is lost again.
  static Result<std::unique_ptr<Core>> open(const ServeOptions& options, Opening opening);
  ~Core();  // stops
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  // Makes the hub and starts it, where the configuration has one. delivers: this process takes its share of the
  // subscriptions; else it takes requests alone.
  Result<bool> start_hub(bool delivers);

  // Told of every advance, by this process and by others, on a writer's or the follower's thread; must outlive the
  // core's stop(). Null: nobody any more.
  void tell(const std::function<void(const Advances&)>* listener) { listener_ = listener; }

  // What the probes and the operator's page say: ready while the database is heard.
  Health health() const;

  // Workspaces, feeds, limits and what else can change at run time, from a configuration that was read again. A fault:
  // nothing has changed. Throws what sql/ throws. From the main thread, as long as the core is not stopped.
  Result<bool> change(const Config& config);

  // Takes up what others have made of the workspaces in the database (feeds/stored_settings.h), if they have. Cheap
  // where they have not; to be called several times a second. From the main thread.
  void keep_up();

  void stop();

  const Config& config() const { return config_; }   // with everything that follows from it
  const std::string& data() const { return data_; }  // the folder
  const SystemClock& clock() const { return clock_; }
  const access::CurrentRules& rules() const { return access_->rules(); }
  const CurrentOrigins& origins() const { return origins_; }
  bool has_own_database() const { return opened_.embedded != nullptr; }
  sql::Database& database() { return *opened_.database; }
  sql::Executor& executor() { return *executor_; }
  // For what administrators do, so that it never takes a reader's connection.
  sql::Executor& managers() { return managers_->executor; }
  feeds::Engine& engine() { return *engine_; }
  Metrics& metrics() { return metrics_; }
  HubRunner* hub() { return hub_.get(); }  // null: there is none

 private:
  Core(const ServeOptions& options, OpenDatabase opened);
  Result<feeds::Configured> configure(const Config& config);
  Result<bool> start();
  using Workspaces = std::map<std::string, feeds::WorkspaceSettings, std::less<>>;
  Result<PublicWorkspaces> public_to_read(const Workspaces& workspaces) const;
  Result<bool> start_access(const Workspaces& workspaces);
  Result<bool> change_access(const Workspaces& workspaces);  // a fault changes nothing
  void moved(const Advances& advances);

  const std::string data_;
  const std::string config_file_;  // empty: there is none
  Config config_;
  OpenDatabase opened_;
  std::int64_t lanes_ = 0;
  const SystemClock clock_;
  Metrics metrics_;
  std::unique_ptr<sql::Executor> executor_;
  struct Managers {
    Managers(const sql::DatabaseOptions& options, Metrics& metrics);
    sql::Database database;
    sql::Executor executor;
  };
  std::unique_ptr<Managers> managers_;
  std::unique_ptr<AccessKeeper> access_;
  CurrentOrigins origins_;  // changed by the main thread
  // Made after the engine and told by it: until they are there, nothing moves that they would have to know.
  std::atomic<HubRunner*> told_hub_{nullptr};
  std::atomic<const std::function<void(const Advances&)>*> listener_{nullptr};
  // The journal has told of all feeds at once, or was not heard: the workspaces may be others, too.
  std::atomic<bool> is_behind_{true};
  std::unique_ptr<feeds::Engine> engine_;
  std::unique_ptr<HubRunner> hub_;
};

// The same address, some ports on; where there is no port to count from, the address.
std::string next_port(const std::string& address, int steps);

}  // namespace courant::server
