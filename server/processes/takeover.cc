#include "server/processes/takeover.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <signal.h>

#include "kernel/log.h"
#include "kernel/text.h"
#include "server/processes/orphan.h"
#include "server/processes/own_program.h"

namespace courant::server {

namespace {

constexpr std::chrono::seconds kBeyondItsDrain{20};  // for what comes after a predecessor's last answer

std::string cgroup_of(const std::string& process) {
  std::ifstream file("/proc/" + process + "/cgroup");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

std::optional<std::string> unit_of(std::string_view cgroup) {
  const std::string_view line = trim(cgroup);
  const std::string_view last = line.substr(line.rfind('/') + 1);
  return last.ends_with(".service") ? std::optional(std::string(last)) : std::nullopt;
}

std::optional<Fault> claim(ServeOptions& options, PidFile& pid) {
  if (options.takes_over) {
    options.predecessor = pid.holder().value_or(0);
    // Of several processes one that is started anew finds its own starter there.
    if (options.predecessor == options.started_by) options.predecessor = 0;
    if (options.predecessor != 0) {
      const std::string cgroup = cgroup_of(std::to_string(options.predecessor));
      const std::optional<std::string> unit = unit_of(cgroup);
      if (!unit || cgroup == cgroup_of("self")) return std::nullopt;
      return Fault{"the server to take over from is " + *unit +
                   " of systemd, which would take it for ended and end its PostgreSQL: systemctl kill --kill-whom=main "
                   "--signal=SIGUSR2 " +
                   *unit + " has it start the program that is installed now"};
    }
    if (options.process == 0) log_info("there is nobody to take over from");
  }
  if (options.process > 0) return std::nullopt;
  const Result<bool> taken = pid.take();
  if (!taken) return taken.fault();
  // Servers of somebody else's database may have one folder; the first of them is named.
  if (*taken || !options.config.database.url.empty()) return std::nullopt;
  return Fault{"the data directory " + std::filesystem::absolute(options.data).string() +
               " is in use by another courant: stop it, take over from it with --take-over, or give another --data"};
}

void start_successor(const ServeOptions& options) {
  if (options.process > 0) return;  // whoever has started this one does it
  const std::string program = own_program();
  std::vector<std::string> arguments = {"courant"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  if (!options.takes_over) arguments.emplace_back("--take-over");
  // systemd kills a main process that it cannot wait for where it is told to stop it, and all that is the unit's with
  // it.
  const Result<pid_t> successor = start_orphan(program, arguments);
  if (successor) {
    log_info("a successor has been started",
             {{"program", program}, {"process", static_cast<std::int64_t>(*successor)}});
  } else {
    log_error("no successor can be started", {{"program", program}, {"why", successor.fault().detail}});
  }
}

Takeover::Takeover(const ServeOptions& options, PidFile* pid, std::function<bool()> alone)
    : options_(options), pid_(pid), alone_(std::move(alone)) {}

void Takeover::begin() {
  if (options_.predecessor == 0 || pid_ == nullptr) return;
  has_begun_ = true;
  log_info("taking over", {{"from", static_cast<std::int64_t>(options_.predecessor)}});
  ::kill(options_.predecessor, SIGUSR1);
}

bool Takeover::look() {
  if (is_over_) return true;
  if (options_.predecessor != 0) {
    if (pid_ != nullptr) {
      const Result<bool> taken = pid_->take();
      if (!taken || !*taken) return false;
    } else if (PidFile(options_.data).holder() == options_.predecessor) {
      return false;
    }
  }
  is_over_ = alone_();
  if (is_over_ && options_.predecessor != 0 && pid_ != nullptr) log_info("the version before has ended");
  return is_over_;
}

void Takeover::hurry() const {
  if (is_awaited() && pid_->holder() == options_.predecessor) ::kill(options_.predecessor, SIGTERM);
}

void Takeover::await_end(std::chrono::milliseconds drain) {
  if (!is_awaited()) return;
  for (const auto give_up = std::chrono::steady_clock::now() + drain + kBeyondItsDrain;
       std::chrono::steady_clock::now() < give_up;) {
    const Result<bool> taken = pid_->take();
    if (!taken || *taken) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace courant::server
