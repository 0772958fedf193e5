// Queries that a test makes up: a session prepares each once, by its name, so that each text has a name of its own.
// Threads: the session's.
#pragma once

#include <cstdint>
#include <string>

#include "kernel/digest.h"
#include "sql/database.h"

namespace courant::test {

// What was published, in the place of `entries`: servers tell of acts and, each full hour, of usage in entries of their
// own.
inline const std::string kPublished =
    "(select e.* from entries e join feeds f using (lane, feed) where f.workspace <> '_courant') as published";

inline sql::Rows rows_of(sql::Session& session, const std::string& query) {
  const std::string name = "test." + std::to_string(stable_hash(query));
  return session.run({name, query});
}

// The first column of the first row.
inline std::int64_t number_of(sql::Session& session, const std::string& query) {
  return rows_of(session, query)[0].integer(0);
}

}  // namespace courant::test
