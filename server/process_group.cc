#include "server/process_group.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/server.h"
#include "kernel/log.h"
#include "server/open_database.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kRest = 1s;    // before one that died is started anew
constexpr auto kTrial = 30s;  // one that ends by itself so soon will not do better the next time

struct Member {
  pid_t process = 0;  // 0: it does not run
  Clock::time_point started;
};

class Group {
 public:
  Group(const ServeOptions& options, std::string database) : options_(options), database_(std::move(database)) {
    members_.resize(static_cast<std::size_t>(options.config.server.processes));
  }

  // False: it cannot be started, which has been said.
  bool start(std::size_t index) {
    std::vector<std::string> arguments = {"courant"};
    arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
    arguments.insert(arguments.end(), {"--process", std::to_string(index + 1)});
    if (!database_.empty()) arguments.insert(arguments.end(), {"--database", database_});
    std::vector<char*> raw;
    for (std::string& argument : arguments) raw.push_back(argument.data());
    raw.push_back(nullptr);
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    sigset_t none;
    sigemptyset(&none);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    Member& member = members_[index];
    const int error = ::posix_spawn(&member.process, "/proc/self/exe", nullptr, &attributes, raw.data(), environ);
    posix_spawnattr_destroy(&attributes);
    member.started = Clock::now();
    if (error == 0) return true;
    member.process = 0;
    std::fprintf(stderr, "courant: a server process cannot be started: %s\n", std::strerror(error));
    return false;
  }

  void tell(int signal) {
    for (const Member& member : members_) {
      if (member.process != 0) ::kill(member.process, signal);
    }
  }

  // Looks after those that have ended. The exit status if it is better to end.
  std::optional<int> look_after() {
    for (std::size_t i = 0; i < members_.size(); ++i) {
      Member& member = members_[i];
      int status = 0;
      // Each by its number: the private PostgreSQL is a child of ours too, and another thread waits for it.
      if (member.process != 0 && ::waitpid(member.process, &status, WNOHANG) == member.process) {
        log_error("a server process ended", {{"process", i + 1}, {"status", status}});
        member.process = 0;
        if (WIFEXITED(status) && Clock::now() - member.started < kTrial) return std::max(1, WEXITSTATUS(status));
        ended_ = Clock::now();
      }
      if (member.process == 0 && Clock::now() - ended_ >= kRest && !start(i)) return 1;
    }
    return std::nullopt;
  }

  void stop() {
    tell(SIGTERM);
    for (const Member& member : members_) {
      while (member.process != 0 && ::waitpid(member.process, nullptr, 0) < 0 && errno == EINTR) {
      }
    }
  }

 private:
  const ServeOptions& options_;
  const std::string database_;  // empty: as the arguments say
  std::vector<Member> members_;
  Clock::time_point ended_;  // the last one
};

}  // namespace

int run_processes(const ServeOptions& options, const sigset_t& signals) {
  const auto say = [](const Fault& fault) {
    std::fprintf(stderr, "courant: %s\n", fault.detail.c_str());
    return 1;
  };
  for (const auto* addresses : {&options.config.server.listen, &options.config.server.listen_tls}) {
    for (const std::string& address : *addresses) {
      if (address.ends_with(":0")) {
        return say({"a port that the system chooses cannot be shared by processes: name one instead of " + address});
      }
      if (const std::optional<Fault> fault = http::fault_of_address(address)) return say(*fault);
    }
  }
  const Result<OpenDatabase> opened = open_database(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  if (const Result<Vault> vault = open_vault(options.config, options.data); !vault) return say(vault.fault());

  Group group(options, opened->embedded ? opened->database->options().url : std::string());
  for (std::int64_t i = 0; i < options.config.server.processes; ++i) {
    if (!group.start(static_cast<std::size_t>(i))) {
      group.stop();
      return 1;
    }
  }
  const timespec beat{0, 200'000'000};
  std::optional<int> status;
  while (!status) {
    const int signal = ::sigtimedwait(&signals, nullptr, &beat);
    if (signal == SIGHUP) {
      group.tell(SIGHUP);
    } else if (signal == SIGINT || signal == SIGTERM) {
      log_info("stopping", {{"signal", signal}});
      status = 0;
    } else {
      status = group.look_after();
    }
  }
  group.stop();
  return *status;
}

}  // namespace courant::server
