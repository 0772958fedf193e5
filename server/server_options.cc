#include "server/server_options.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <sys/resource.h>

#include "hub/self_service.h"
#include "kernel/log.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

// How many connections of clients are taken. They are kept from taking those files that the database and the hub need:
// a flood stops no publishing.
std::int64_t connections_within_file_limit(const Config& config) {
  constexpr std::int64_t kOwn = 100;  // connections of single threads, listening sockets, the operator's pages, files
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return config.server.max_connections;
  const std::int64_t needed = config.database.pool + (config.hub.enabled ? config.hub.in_flight : 0) + kOwn;
  if (std::cmp_less_equal(config.server.max_connections + needed, limit.rlim_cur)) return config.server.max_connections;
  const auto files = static_cast<std::int64_t>(limit.rlim_cur);
  const std::int64_t connections = std::max(files - needed, files / 8);
  log_warning("fewer connections are taken than server.max_connections says, for want of open files",
              {{"taken", connections},
               {"max_connections", config.server.max_connections},
               {"open_files", files},
               {"needed_otherwise", needed}});
  return connections;
}

}  // namespace

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

http::ServerOptions server_options(const Config& config) {
  http::ServerOptions options;
  options.listen = config.server.listen;
  options.listen_tls = config.server.listen_tls;
  options.threads = static_cast<int>(config.server.threads);
  options.public_url = config.server.public_url;
  options.hosts = config.server.hosts;
  options.max_connections = static_cast<std::uint32_t>(connections_within_file_limit(config));
  options.header_timeout = config.limits.header_timeout;
  options.body_timeout = config.limits.body_timeout;
  options.idle_timeout = config.limits.idle_timeout;
  options.write_timeout = config.limits.write_timeout;
  options.drain = config.server.drain;
  using Logged = http::ServerOptions::Logged;
  options.logged = config.log.requests == "all"      ? Logged::kAll
                   : config.log.requests == "errors" ? Logged::kErrors
                                                     : Logged::kNone;
  options.slow = config.log.slow;
  options.secret_below = hub::kOwnersPages;
  return options;
}

Result<std::unique_ptr<http::TlsContext>> open_tls(const Config& config, const std::string& data, const Clock& clock) {
  if (config.server.listen_tls.empty()) return std::unique_ptr<http::TlsContext>();
  std::string tickets;
  if (std::filesystem::exists(secrets_path(config, data))) {
    const Result<Vault> vault = open_vault(config, data);
    if (!vault) return vault.fault();
    tickets = vault->derive("tls session tickets");
  }
  return http::TlsContext::make({config.tls.certificate, config.tls.key, std::move(tickets)}, clock);
}

}  // namespace courant::server
