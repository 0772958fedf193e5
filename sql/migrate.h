// Brings a database to this program's schema: runs the files of sql/migrations/ that it has not seen, in the order of
// their numbers, each in a transaction of its own; then puts in place the functions of sql/functions/ that differ.
// A version before this one may serve meanwhile (docs/decisions/0011-takeover-and-package.md): a migration only adds,
// and waits for a table's lock in moments of 200 ms, for five minutes at most. Migrations only grow: a file that has
// run never changes. A function has one file, which changes; a migration drops it where its parameters or its result
// change. Threads: any number of processes may call it at once; one works, the others wait (advisory lock).
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "sql/database.h"

namespace courant::sql {

// A file of SQL: its name "0001_log" and its text.
struct SqlFile {
  std::string_view name;
  std::string_view text;
};

struct Schema {
  std::vector<SqlFile> migrations;  // in the order of their names
  std::vector<SqlFile> functions;
};

// progress is called with the name of each file before it runs. Throws Unavailable or Refused; also Refused where the
// database is newer than this program or a migration that it has run is not the one of this program. Returns how many
// migrations ran.
int migrate(Session& session, const std::function<void(std::string_view)>& progress);

// The same for another schema.
int migrate(Session& session, const Schema& schema, const std::function<void(std::string_view)>& progress);

}  // namespace courant::sql
