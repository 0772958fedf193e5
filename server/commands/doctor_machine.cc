#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include <sys/resource.h>
#include <sys/statvfs.h>

#include "kernel/text.h"
#include "server/commands/doctor.h"

namespace courant::server {
namespace {

constexpr std::int64_t kBacklog = 4096;  // as http/server.cc asks for
constexpr std::uint64_t kMebibyte = 1 << 20;

std::string text_of(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

Finding look_at_open_files(const Config& config) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::int64_t needed =
      config.server.max_connections + config.database.pool + (config.hub.enabled ? config.hub.in_flight : 0) + 100;
  const std::string has = "a process may open " + std::to_string(limit.rlim_max);
  if (std::cmp_less_equal(needed, limit.rlim_max)) {
    return ok("open files", has + " (" + std::to_string(needed) + " are needed)");
  }
  const std::string lacks = has + ", and server.max_connections, database.pool and hub.in_flight need " +
                            std::to_string(needed) + ": fewer connections will be taken";
  const std::string change = "LimitNOFILE=" + std::to_string(needed) + " in the unit, or ulimit -Hn " +
                             std::to_string(needed) + ", or a lower server.max_connections";
  return limit.rlim_max < 1024 ? problem("open files", lacks, change) : warning("open files", lacks, change);
}

Finding look_at_backlog() {
  const std::int64_t most = static_cast<std::int64_t>(
      parse_unsigned(
          text_of("/proc/sys/net/core/somaxconn").substr(0, text_of("/proc/sys/net/core/somaxconn").find('\n')))
          .value_or(0));
  const std::string has = "net.core.somaxconn is " + std::to_string(most);
  if (most >= kBacklog) return ok("accept queue", has);
  return warning("accept queue", has + ": when many connect at once, some are refused",
                 "sysctl -w net.core.somaxconn=" + std::to_string(kBacklog));
}

Finding look_at_cores(const Config& config) {
  const std::int64_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::int64_t threads = config.server.processes * (config.server.threads > 0 ? config.server.threads : cores);
  const std::string has = std::to_string(threads) + " io threads for " + std::to_string(cores) + " cores";
  if (threads <= 2 * cores) return ok("cores", has);
  return warning("cores", has + ": they only displace each other",
                 "server.threads = 0, and server.processes = 1 unless processes are wanted for safety");
}

Finding look_at_ciphers(const Config& config) {
  if (has_aes(text_of("/proc/cpuinfo"))) return ok("ciphers", "the processor has instructions for AES");
  const std::string lacks = "the processor has no instructions for AES";
  if (config.server.listen_tls.empty()) return ok("ciphers", lacks + ", and nothing is served over TLS");
  return warning("ciphers", lacks + ": TLS costs several times as much; clients that offer ChaCha20 get it",
                 "another machine, or TLS at a proxy before it");
}

Finding look_at_disk(const std::string& data) {
  struct statvfs disk {};
  // The folder may not be there yet: then the one that it would be made in.
  std::string folder = data;
  while (::statvfs(folder.c_str(), &disk) != 0) {
    const std::size_t slash = folder.rfind('/');
    if (folder == "/" || folder == ".") return problem("disk", "there is no folder for " + data, "make it");
    folder = slash == std::string::npos ? "." : slash == 0 ? "/" : folder.substr(0, slash);
  }
  const std::uint64_t free = disk.f_bavail * disk.f_frsize / kMebibyte;
  const std::uint64_t all = std::max<std::uint64_t>(1, disk.f_blocks * disk.f_frsize / kMebibyte);
  const std::string has = std::to_string(free) + " MiB of " + std::to_string(all) + " are free below " + data;
  if (free < 100) return problem("disk", has + ": publishing is about to stop", "free some space");
  if (free < 1024 || free * 20 < all) return warning("disk", has, "free some space, or set retain on feeds");
  return ok("disk", has);
}

}  // namespace

bool has_aes(std::string_view cpuinfo) {
  for (const std::string_view line : split(cpuinfo, '\n')) {
    if (!line.starts_with("flags") && !line.starts_with("Features")) continue;
    for (const std::string_view word : split(line, ' ')) {
      if (word == "aes") return true;
    }
  }
  return false;
}

Findings look_at_machine(const ServeOptions& options) {
  return {look_at_open_files(options.config), look_at_backlog(), look_at_cores(options.config),
          look_at_ciphers(options.config), look_at_disk(options.data)};
}

}  // namespace courant::server
