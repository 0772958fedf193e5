// The configuration: what a file and the command line can set, read and judged.
// One table (config_table.h) gives parsing, defaults, bounds, --help and docs/CONFIGURATION.md; these structs only say
// where the values land. Precedence: command line over file over the defaults below.
// Specification: TOML 1.0; docs/CONFIGURATION.md.
// Threads: plain values.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/configure.h"
#include "feeds/settings.h"
#include "http/spending.h"
#include "kernel/result.h"
#include "kernel/time.h"

namespace courant::server {

struct FeedConfig {
  std::string name;
  std::int64_t page_size = 25;
  feeds::FeedSettings settings;
};

struct WorkspaceConfig {
  std::string name;
  std::string title;
  bool auto_create = false;
  std::int64_t max_feeds = 100'000;
  std::chrono::milliseconds expire_idle{0};
  bool is_private = false;
  bool says_read = false;  // that it is private, or public
  std::int64_t max_bytes = 0;
  std::int64_t max_subscriptions = 0;
  std::vector<std::string> cors;
  FeedConfig defaults;  // of its feeds, those made by publishing included; its name is empty
  std::vector<FeedConfig> feeds;
};

struct Config {
  struct Server {
    std::vector<std::string> listen = {"127.0.0.1:8080"};
    std::vector<std::string> listen_tls;
    bool allow_plain = false;
    std::string public_url;
    std::vector<std::string> hosts;
    std::string files;
    std::string operations = "127.0.0.1:9090";
    bool operations_anywhere = false;
    std::chrono::milliseconds drain{10'000};
    std::int64_t threads = 0;
    std::int64_t max_connections = 10'000;
    std::int64_t processes = 1;
  } server;

  struct Tls {
    std::string certificate;
    std::string key;
  } tls;

  struct Database {
    std::string url;
    std::int64_t pool = 8;
    std::string listen_url;
    std::chrono::milliseconds answer_timeout{35'000};
  } database;

  struct Limits {
    std::int64_t max_entry_bytes = 1 << 20;
    std::int64_t max_batch = 1000;
    std::int64_t max_batch_bytes = 16 << 20;
    std::int64_t max_page_bytes = 16 << 20;
    std::int64_t max_media_bytes = 16 << 20;
    std::chrono::milliseconds wait_cap{60'000};
    std::int64_t max_waiting = 8'000;
    std::int64_t pressure = 90;
    std::chrono::milliseconds poll_interval_max{60'000};
    std::chrono::milliseconds header_timeout{10'000};
    std::chrono::milliseconds body_timeout{30'000};
    std::chrono::milliseconds idle_timeout{75'000};
    std::chrono::milliseconds write_timeout{30'000};
    // What may be used in a minute; 0: as much as there is. By http::Use.
    std::array<std::int64_t, http::kUses> per_address{};
    std::array<std::int64_t, http::kUses> per_token{};
  } limits;

  struct Usage {
    std::chrono::milliseconds every{3'600'000};
  } usage;

  struct Cache {
    std::int64_t bytes = 256 << 20;
  } cache;

  struct Log {
    std::string format = "text";
    std::string level = "info";
    std::string requests = "none";
    std::chrono::milliseconds slow{1'000};
  } log;

  struct Hub {
    bool enabled = true;
    std::vector<std::string> callback_allow;
    bool foreign_topics = false;
    std::chrono::milliseconds foreign_interval{10'000};
    std::chrono::milliseconds foreign_timeout{20'000};
    std::int64_t foreign_bytes = 4 << 20;
    std::int64_t foreign_fetches_per_host = 5;
    std::int64_t max_foreign_topics = 100'000;
    std::chrono::milliseconds lease_default{std::chrono::hours(240)};
    std::chrono::milliseconds lease_min{std::chrono::minutes(5)};
    std::chrono::milliseconds lease_max{std::chrono::hours(720)};
    std::chrono::milliseconds delivery_timeout{10'000};
    std::int64_t document_entries = 1000;
    std::int64_t document_bytes = 4 << 20;
    bool allow_http = true;
    std::string secrets_key;
    bool deliver = true;
    std::string egress_proxy;
    std::string ca_file;
    std::int64_t in_flight = 512;
    std::int64_t in_flight_per_host = 16;
    std::int64_t max_subscriptions_per_topic = 1'000'000;
    std::int64_t max_subscriptions_per_host = 100'000;
    std::int64_t max_subscriptions_per_domain = 200'000;
    std::int64_t max_subscriptions_per_client = 200'000;
    std::int64_t max_pending = 20'000;
    std::int64_t max_pending_per_client = 1000;
    std::int64_t verifications_per_host = 20;
    std::int64_t verifications_per_domain = 40;
    std::int64_t verifications_per_network = 40;
    std::int64_t verifications_per_client = 100;
    std::string signature = "sha256";
    std::vector<std::chrono::milliseconds> retry = {
        std::chrono::seconds(0), std::chrono::seconds(5),  std::chrono::seconds(30),
        std::chrono::minutes(2), std::chrono::minutes(10), std::chrono::minutes(30),
        std::chrono::hours(1),   std::chrono::hours(2),    std::chrono::hours(4)};
  } hub;

  struct Access {
    std::string mode = "tokens";
    std::int64_t failures_per_minute = 30;
    bool is_open() const { return mode == "open"; }
  } access;

  std::vector<WorkspaceConfig> workspaces;
  std::string file_folder;  // that the file is in; empty: there was none
  Instant source_time;      // when the file was last changed; the epoch where there was none
};

// What reading found. The config is usable only where there is no fault.
struct ConfigReading {
  Config config;
  std::vector<Fault> faults;  // in the order of the text, each with its line
};

// The defaults and the workspace "demo", in which feeds appear with their first publish: a server without a file.
Config default_config();

ConfigReading read_config(std::string_view toml);
ConfigReading read_config_file(const std::string& path);

// Sets what a flag of the command line ("--listen") stands for. The flag is one of the table.
// A fault where the values are not what the flag takes.
std::optional<Fault> set_by_flag(Config& config, std::string_view flag, const std::vector<std::string>& values);

// What is wrong with the addresses to serve on: none, TLS without a certificate, plain HTTP or open access off
// loopback; or with open access to what is private.
std::optional<Fault> fault_of_listening(const Config& config);

// The workspaces and feeds of the file in the form that the log takes.
std::vector<feeds::ConfiguredWorkspace> configured_workspaces(const Config& config);

// The other way, of one workspace without its feeds.
WorkspaceConfig workspace_config(const std::string& name, const feeds::WorkspaceSettings& settings);

// The base of every link, without a slash at its end; made from the first listen address where none is configured.
std::string public_url(const Config& config);

// "FILE:3:7: server.listne ...", one line for each fault.
std::string fault_lines(const std::string& path, const std::vector<Fault>& faults);

// docs/CONFIGURATION.md, from the table.
std::string configuration_reference();

}  // namespace courant::server
