#include "server/processes/process_group.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "http/server.h"
#include "kernel/argv.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "server/admission/first_token.h"
#include "server/open_database.h"
#include "server/processes/handover.h"
#include "server/processes/notify.h"
#include "server/processes/takeover.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kTrial = 30s;  // one that ends by itself so soon after the first start will not do better the next time
constexpr auto kShortestRest = 1s;  // before one that died is started anew; doubled while that does not help
constexpr auto kLongestRest = 30s;
constexpr auto kBeyondDrain = 15s;  // for what comes after the last answer, when stopping

struct Member {
  pid_t process = 0;  // 0: it does not run
  steady_clock::time_point started;
  steady_clock::time_point ended;
  steady_clock::duration rest = kShortestRest;
};

class Group {
 public:
  // signals: as run_processes has them.
  Group(const ServeOptions& options, std::string database, const sigset_t& signals)
      : options_(options), database_(std::move(database)), signals_(signals) {
    members_.resize(static_cast<std::size_t>(options.config.server.processes));
  }

  // False: it cannot be started, which has been said.
  bool start(std::size_t index) {
    std::vector<std::string> arguments = {"courant"};
    arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
    arguments.insert(arguments.end(),
                     {"--process", std::to_string(index + 1), "--started-by", std::to_string(::getpid())});
    if (!database_.empty()) arguments.insert(arguments.end(), {"--database", database_});
    const std::vector<char*> argv = argv_of(arguments);
    Member& member = members_[index];
    // The signals that are blocked here stay so: one that comes early waits until the process asks for it.
    const int error = ::posix_spawn(&member.process, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
    member.started = steady_clock::now();
    if (error == 0) return true;
    member.process = 0;
    say(Fault{std::string("a server process cannot be started: ") + std::strerror(error)});
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
        member.ended = steady_clock::now();
        if (WIFEXITED(status) && member.ended - begun_ < kTrial) return std::max(1, WEXITSTATUS(status));
        const bool has_run = member.ended - member.started > kTrial;
        member.rest = has_run ? kShortestRest : std::min<steady_clock::duration>(2 * member.rest, kLongestRest);
      }
      if (member.process == 0 && steady_clock::now() - member.ended >= member.rest && !start(i))
        member.ended = steady_clock::now();
    }
    return std::nullopt;
  }

  // SIGHUP: each of them reads the configuration again. This one has to know how long they may take to stop.
  void reload() {
    const ConfigReading reading = options_.read_again();
    if (reading.faults.empty()) drain_ = std::max(drain_, reading.config.server.drain);
    tell(SIGHUP);
  }

  // Whether all of them serve.
  bool serves() const {
    return std::all_of(members_.begin(), members_.end(), [this](const Member& member) {
      return member.process != 0 && offers_sockets(options_.data, ::getpid(), member.process);
    });
  }

  // signal: SIGTERM, or SIGUSR1 where successors serve. A signal that comes meanwhile says that it is urgent.
  void stop(int signal = SIGTERM) {
    tell(signal);
    const int drains = signal == SIGUSR1 ? 2 : 1;
    const steady_clock::time_point give_up = steady_clock::now() + drains * drain_ + kBeyondDrain;
    for (Member& member : members_) {
      while (member.process != 0 && ::waitpid(member.process, nullptr, WNOHANG) == 0) {
        if (steady_clock::now() > give_up) ::kill(member.process, SIGKILL);
        const timespec moment{0, 20'000'000};
        if (::sigtimedwait(&signals_, nullptr, &moment) > 0) tell(SIGTERM);
      }
      member.process = 0;
    }
  }

 private:
  const ServeOptions& options_;
  std::chrono::milliseconds drain_ = options_.config.server.drain;
  const std::string database_;  // empty: as the arguments say
  const sigset_t& signals_;
  std::vector<Member> members_;
  const steady_clock::time_point begun_ = steady_clock::now();
};

}  // namespace

int run_processes(const ServeOptions& options, PidFile& pid, const sigset_t& signals) {
  for (const auto* addresses : {&options.config.server.listen, &options.config.server.listen_tls}) {
    for (const std::string& address : *addresses) {
      if (parse_unsigned(std::string_view(address).substr(address.rfind(':') + 1)) == 0U) {
        return say({"a port that the system chooses cannot be shared by processes: name one instead of " + address});
      }
      if (options.predecessor != 0) continue;  // which serves there
      if (const std::optional<Fault> fault = http::fault_of_address(address)) return say(*fault);
    }
  }
  const Result<OpenDatabase> opened = open_database(options, Opening::kOwn);
  if (!opened) return say(opened.fault());
  if (const std::optional<Fault> fault = fault_of_missing_key(options.config, options.data, *opened->database)) {
    return say(*fault);
  }
  if (const Result<Vault> vault = open_vault(options.config, options.data); !vault) return say(vault.fault());

  if (opened->embedded && !options.config.access.is_open()) {
    if (const std::optional<std::string> token = first_token(*opened->database, SystemClock().now())) {
      std::printf("Token of this new installation (shown this once): %s\n", token->c_str());
      std::fflush(stdout);
    }
  }
  Group group(options, opened->embedded ? opened->database->options().url : std::string(), signals);
  for (std::int64_t i = 0; i < options.config.server.processes; ++i) {
    if (!group.start(static_cast<std::size_t>(i))) {
      group.stop();
      return 1;
    }
  }
  const timespec beat{0, 200'000'000};
  Takeover takeover(options, &pid, [] { return true; });
  bool has_begun = false;
  bool is_ready = false;
  std::optional<int> status;
  int ended_by = SIGTERM;
  while (!status) {
    if (!has_begun && options.predecessor != 0 && group.serves()) {
      has_begun = true;
      takeover.begin();
    }
    if (!is_ready && group.serves()) {
      is_ready = true;
      notify_service_manager("READY=1\nMAINPID=" + std::to_string(::getpid()));
    }
    if (has_begun) takeover.look();
    const int signal = ::sigtimedwait(&signals, nullptr, &beat);
    if (signal == SIGHUP) {
      group.reload();
    } else if (signal == SIGUSR2) {
      start_successor(options);
    } else if (signal > 0) {
      log_info("stopping", {{"signal", signal}});
      status = 0;
      ended_by = signal == SIGUSR1 ? SIGUSR1 : SIGTERM;
    } else {
      status = group.look_after();
    }
  }
  if (ended_by == SIGTERM) {
    notify_service_manager("STOPPING=1");
    takeover.hurry();
  }
  group.stop(ended_by);
  if (ended_by == SIGTERM) takeover.await_end(options.config.server.drain);
  return *status;
}

}  // namespace courant::server
