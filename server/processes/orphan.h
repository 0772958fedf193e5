// A program that is started for good, as nobody's child: whoever takes orphans (systemd, init) is its parent before its
// first instruction, and can wait for it as for what it has started itself.
// Threads: any; the caller waits for a moment.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "kernel/result.h"

namespace courant::server {

// arguments: with the program's name as the first. The files of this process but standard input, output and error are
// not its, the signals that are blocked here are blocked there. Gives its number. Where this process is itself the one
// that takes orphans (the first of a container), it has one more child.
Result<pid_t> start_orphan(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace courant::server
