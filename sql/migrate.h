// Brings a database to this program's schema: runs the files of sql/migrations/ that it has not seen, in the order of
// their numbers, each in a transaction of its own. Migrations only grow: a file that has run never changes.
// Threads: any number of processes may call it at once; one works, the others wait (advisory lock).
#pragma once

#include <functional>
#include <string_view>

#include "sql/database.h"

namespace courant::sql {

// progress is called with the name of each migration before it runs. Throws Unavailable or Refused; also Refused
// where the database is newer than this program or a migration that it has run is not the one of this program.
// Returns how many ran.
int migrate(Session& session, const std::function<void(std::string_view)>& progress);

}  // namespace courant::sql
