#include "server/core.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "feeds/configure.h"
#include "feeds/lifecycle.h"
#include "feeds/own_feeds.h"
#include "feeds/stored_settings.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "server/operations/process_metrics.h"
#include "server/secrets.h"
#include "server/settings/feed_files.h"
#include "server/settings/settings_changes.h"

namespace courant::server {
namespace {

constexpr int kManagers = 2;
constexpr std::size_t kManagerQueue = 64;
constexpr std::size_t kReaderQueue = 4096;

feeds::EngineOptions engine_options(const Config& config) {
  feeds::EngineOptions options;
  options.public_url = config.server.public_url;
  if (config.hub.enabled) options.hub_url = options.public_url + "/hub";
  options.source_time = config.source_time;
  options.max_batch = static_cast<std::size_t>(config.limits.max_batch);
  options.max_batch_bytes = static_cast<std::uint64_t>(config.limits.max_batch_bytes);
  options.max_media_bytes = static_cast<std::uint64_t>(config.limits.max_media_bytes);
  options.max_page_bytes = config.limits.max_page_bytes;
  options.max_entry_bytes = static_cast<std::uint64_t>(config.limits.max_entry_bytes);
  options.cache_bytes = static_cast<std::uint64_t>(config.cache.bytes);
  options.wait_cap = std::chrono::ceil<std::chrono::seconds>(config.limits.wait_cap);
  options.most_poll_interval = std::chrono::ceil<std::chrono::seconds>(config.limits.poll_interval_max);
  options.waiting.most = static_cast<std::size_t>(config.limits.max_waiting);
  options.waiting.pressure = static_cast<std::size_t>(config.limits.pressure);
  return options;
}

}  // namespace

// The same address, some ports on; where there is no port to count from, the address.
std::string next_port(const std::string& address, int steps) {
  const std::size_t colon = address.rfind(':');
  const std::optional<std::uint64_t> port = parse_unsigned(std::string_view(address).substr(colon + 1));
  if (colon == std::string::npos || !port || *port == 0) return address;
  return address.substr(0, colon + 1) + std::to_string(*port + static_cast<std::uint64_t>(steps));
}

Result<std::unique_ptr<Core>> Core::open(const ServeOptions& options, Opening opening) {
  Result<OpenDatabase> opened = open_database(options, opening, options.config.database.answer_timeout);
  if (!opened) return opened.fault();
  std::unique_ptr<Core> core(new Core(options, *std::move(opened)));
  const Result<bool> started = core->start();
  if (!started) return started.fault();
  return core;
}

Core::Core(const ServeOptions& options, OpenDatabase opened)
    : data_(options.data), config_file_(options.config_file), config_(options.config), opened_(std::move(opened)) {
  config_.server.public_url = public_url(config_);
  if (options.process > 1) config_.server.operations = next_port(config_.server.operations, options.process - 1);
}

Result<bool> Core::start() {
  database().with_session([&](sql::Session& session) {
    lanes_ = feeds::read_lanes(session);
    feeds::adopt_renderer(session);
  });
  Result<std::shared_ptr<const feeds::Doors>> doors = open_doors(config_);
  if (!doors) return doors.fault();
  if (std::optional<Fault> fault = fault_of_further_forms(config_)) return *std::move(fault);
  Result<feeds::Configured> configured = configure(config_);
  if (!configured) return configured.fault();
  feeds::EngineOptions options = engine_options(config_);
  options.workspaces = std::move(configured->workspaces);
  if (std::optional<Fault> fault = fault_of_missing_key(config_, data_, database())) return *std::move(fault);
  const Result<bool> guarded = start_access(options.workspaces);
  if (!guarded) return guarded.fault();
  show_process(metrics_);
  executor_ = std::make_unique<sql::Executor>(database(), static_cast<int>(config_.database.pool), kReaderQueue,
                                              &metrics_, "readers");
  managers_ = std::make_unique<Managers>(database().options(), metrics_);
  engine_ = std::make_unique<feeds::Engine>(options, lanes_, database(), *executor_, clock_, metrics_,
                                            [this](const Advances& advances) { moved(advances); });
  engine_->change(*std::move(doors));
  engine_->further_forms().change(feed_files(config_));
  Gauge& behind = metrics_.gauge("courant_follower_behind_seconds",
                                 "How long ago it was known for certain what other processes have committed");
  Gauge& feeds = metrics_.gauge("courant_feeds", "Feeds in memory");
  metrics_.before_reading([this, &behind, &feeds] {
    behind.set(std::chrono::duration<double>(engine_->follower().behind()).count());
    feeds.set(static_cast<double>(engine_->directory().all().size()));
  });
  database().with_session([&](sql::Session& session) { engine_->directory().load_all(session); });
  return true;
}

Result<feeds::Configured> Core::configure(const Config& config) {
  Result<feeds::Configured> configured = Fault{};
  database().with_session([&](sql::Session& session) {
    const Instant now = clock_.now();
    const auto told = [&](const auto& before, const auto& after) {
      note_configured(session, config_file_, before, after, now);
    };
    configured = feeds::configure(session, lanes_, configured_workspaces(config), config.source_time, now, told);
  });
  if (!configured) return configured.fault();
  for (const std::string& notice : configured->notices) log_warning(notice);
  return configured;
}

Result<bool> Core::change(const Config& config) {
  Result<std::shared_ptr<const feeds::Doors>> doors = open_doors(config);
  if (!doors) return doors.fault();
  if (std::optional<Fault> fault = fault_of_further_forms(config)) return *std::move(fault);
  Result<feeds::Configured> configured = configure(config);
  if (!configured) return configured.fault();
  feeds::EngineOptions options = engine_options(config);
  options.workspaces = std::move(configured->workspaces);
  const Result<bool> guarded = change_access(options.workspaces);
  if (!guarded) return guarded.fault();
  engine_->change(*std::move(doors));
  engine_->further_forms().change(feed_files(config));
  engine_->change(std::move(options));
  database().with_session([&](sql::Session& session) { engine_->directory().load_all(session); });
  for (const std::int64_t lane : configured->lanes) engine_->follower().tell(lane);
  if (hub_) {
    Config changed = config;
    changed.server.public_url = config_.server.public_url;
    hub_->change(changed);
  }
  return true;
}

// Also of what another process, with another file, has said.
Result<PublicWorkspaces> Core::public_to_read(const Workspaces& workspaces) const {
  PublicWorkspaces names;
  for (const auto& [name, settings] : workspaces) {
    if (!settings.is_private) names.insert(name);
    const bool is_own = name == feeds::kOwnWorkspace;  // private wherever anybody is asked who he is
    if (settings.is_private && config_.access.is_open() && !is_own) {
      return Fault{"workspace " + name + " is private, and access.mode = \"open\" asks nobody who he is"};
    }
  }
  return names;
}

Result<bool> Core::start_access(const Workspaces& workspaces) {
  Result<PublicWorkspaces> names = public_to_read(workspaces);
  if (!names) return names.fault();
  AccessSetup setup{config_.access.is_open(), *std::move(names), std::nullopt};
  if (!setup.is_open) {
    Result<Vault> vault = open_vault(config_, data_);
    if (!vault) return vault.fault();
    setup.vault = *std::move(vault);
  }
  access_ = std::make_unique<AccessKeeper>(std::move(setup), database(), clock_);
  origins_.change(ReadingOrigins::of(workspaces));
  return true;
}

Result<bool> Core::change_access(const Workspaces& workspaces) {
  Result<PublicWorkspaces> names = public_to_read(workspaces);
  if (!names) return names.fault();
  access_->change(*std::move(names));
  origins_.change(ReadingOrigins::of(workspaces));
  return true;
}

void Core::keep_up() {
  if (!is_behind_ || !engine_->follower().is_current()) return;
  is_behind_ = false;
  try {
    feeds::EngineOptions options = engine_->options();
    database().with_session([&](sql::Session& session) { options.workspaces = feeds::read_workspaces(session); });
    if (options.workspaces == engine_->options().workspaces) return;
    const Result<bool> guarded = change_access(options.workspaces);
    if (!guarded) {
      return log_error("the workspaces in the database are not taken up", {{"why", guarded.fault().detail}});
    }
    engine_->change(std::move(options));
    log_info("the workspaces in the database have changed, and are taken up");
  } catch (const std::exception& error) {
    is_behind_ = true;  // the database, most likely; sql/ has said more
    log_warning("the workspaces could not be read again", {{"why", error.what()}});
  }
}

Core::~Core() {
  stop();
}

Result<bool> Core::start_hub(bool delivers) {
  if (!config_.hub.enabled) return true;
  Result<std::unique_ptr<HubRunner>> made =
      HubRunner::make(config_, data_, database().options(), *engine_, rules(), metrics_, delivers);
  if (!made) return made.fault();
  hub_ = *std::move(made);
  told_hub_ = hub_.get();
  return hub_->start();
}

void Core::moved(const Advances& advances) {
  if (std::ranges::any_of(advances, [](const feeds::Advance& advance) { return advance.feed.feed == 0; })) {
    is_behind_ = true;
  }
  if (HubRunner* const hub = told_hub_.load()) hub->moved(advances);
  if (const auto* const listener = listener_.load()) (*listener)(advances);
}

Health Core::health() const {
  const bool is_heard = engine_->follower().is_current();
  const nlohmann::json document = {{"status", is_heard ? "ok" : "unavailable"},
                                   {"database", is_heard ? "heard within two seconds" : "not heard for two seconds"}};
  return {is_heard, document.dump() + "\n"};
}

Core::Managers::Managers(const sql::DatabaseOptions& options, Metrics& metrics)
    : database(own_pool(options, kManagers)), executor(database, kManagers, kManagerQueue, &metrics, "managers") {}

void Core::stop() {
  if (engine_) engine_->stop();
  if (hub_) hub_->stop();
  if (access_) access_->stop();
  if (managers_) managers_->executor.stop();
  if (executor_) executor_->stop();
}

}  // namespace courant::server
