// Several server processes that share their addresses and one database: this one starts them, starts anew whichever
// dies, passes signals on to them, and keeps the private PostgreSQL where there is one. It serves nothing itself.
// Threads: the main thread.
#pragma once

#include <csignal>

#include "server/app.h"

namespace courant::server {

// Until a signal comes. signals: blocked in this thread. Returns the exit status; what went wrong is said.
int run_processes(const ServeOptions& options, const sigset_t& signals);

}  // namespace courant::server
