// Brings a database to this program's schema: runs the files of sql/migrations/ that it has not seen, in the order of
// their numbers, each in a transaction of its own. Migrations only grow: a file that has run never changes.
// Threads: any number of processes may call it at once; one works, the others wait (advisory lock).
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "sql/database.h"

namespace courant::sql {

// A step of the schema: its name "0001_log" and its SQL.
struct Migration {
  std::string_view name;
  std::string_view text;
};

// progress is called with the name of each migration before it runs. Throws Unavailable or Refused; also Refused
// where the database is newer than this program or a migration that it has run is not the one of this program.
// Returns how many ran.
int migrate(Session& session, const std::function<void(std::string_view)>& progress);

// The same for another list, in the order of its names.
int migrate(Session& session, const std::vector<Migration>& migrations,
            const std::function<void(std::string_view)>& progress);

}  // namespace courant::sql
