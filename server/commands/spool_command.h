// courant publish --spool: entries are kept on disk before they are sent, and sent until they are stored.
// Threads: the main thread.
#pragma once

#include "server/commands/publish_command.h"

namespace courant::server {

constexpr int kLeftOver = 75;  // EX_TEMPFAIL of sysexits.h

// Spools the files, all or none, says so, and sends all that waits. The exit status: 0 where nothing is left and
// nothing was refused; 1 where an entry was refused or nothing could be spooled; 2 for a wrong call; 75 where entries
// are left.
int publish_spooled(const PublishOptions& options);

}  // namespace courant::server
