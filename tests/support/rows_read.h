// How many rows PostgreSQL has read of a test's database, by all sessions, through indexes and without, of all tables.
// Threads: one.
#pragma once

#include <cstdint>

#include "sql/database.h"

namespace courant::test {

// worker: the session whose reading is in question; both tell what they have read so far.
inline std::int64_t rows_read(sql::Session& worker, sql::Session& asking) {
  constexpr sql::Query kTell{"test.tell", "select pg_stat_force_next_flush()"};
  constexpr sql::Query kRead{
      "test.read",
      "select ((select sum(idx_tup_read) from pg_stat_user_indexes) + (select sum(seq_tup_read) from "
      "pg_stat_user_tables))::bigint"};
  worker.run(kTell);
  asking.run(kTell);
  return asking.run(kRead)[0].integer(0);
}

}  // namespace courant::test
