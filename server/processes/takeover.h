// The time between a new version's start and the old one's end: both serve, on the same sockets and the same database.
// The new one tells the old one once it serves itself (SIGUSR1), and has what only one can have when that is gone: the
// name in DATA/courant.pid and the address of the operator's pages.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <sys/types.h>

#include "server/app.h"
#include "server/processes/pid_file.h"

namespace courant::server {

// Makes this process the server of its data directory, or finds the one that it takes over from, which options then
// name. A fault: somebody else serves it, or the one to take over from is a unit of systemd that this one is not of.
std::optional<Fault> claim(ServeOptions& options, PidFile& pid);

// The unit of systemd whose process has this /proc/PID/cgroup: "courant.service"; nullopt: none.
std::optional<std::string> unit_of(std::string_view cgroup);

// Starts the program that is installed now, with the arguments of this one, to take over from it: as nobody's child
// (server/processes/orphan.h), so that systemd takes it for its own before it is told that this is the main process.
void start_successor(const ServeOptions& options);

class Takeover {
 public:
  // alone: called until it returns true once the predecessor is gone, or from the beginning where there is none.
  // pid: null in one of several processes, whose starter speaks with the predecessor.
  Takeover(const ServeOptions& options, PidFile* pid, std::function<bool()> alone);

  // This process serves: the predecessor may go.
  void begin();
  // To be called a few times a second until it returns true: there is nothing left to do.
  bool look();

  // This process stops, and the predecessor may still be draining: it is told that it is urgent, and waited for, as it
  // may take to stop. systemd kills all that is left of a unit when its main process has ended.
  void hurry() const;
  void await_end(std::chrono::milliseconds drain);

 private:
  const ServeOptions& options_;
  PidFile* const pid_;
  bool is_awaited() const { return has_begun_ && !is_over_; }

  const std::function<bool()> alone_;
  bool has_begun_ = false;  // the predecessor has been told
  bool is_over_ = false;
};

}  // namespace courant::server
