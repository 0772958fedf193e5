// Several server processes that share their addresses and one database: this one starts them, starts anew whichever
// dies, passes signals on to them, and keeps the private PostgreSQL where there is one. It serves nothing itself.
// Threads: the main thread.
#pragma once

#include <csignal>

#include "server/app.h"
#include "server/processes/pid_file.h"

namespace courant::server {

// Until a signal comes. signals: blocked in this thread. pid: of the data directory, which a predecessor may have
// still. Returns the exit status; what went wrong is said.
int run_processes(const ServeOptions& options, PidFile& pid, const sigset_t& signals);

}  // namespace courant::server
