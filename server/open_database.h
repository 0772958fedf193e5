// The database that a command works on: the one given by --database, or the private one of the data directory.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "kernel/result.h"
#include "server/app.h"
#include "server/postgres/embedded_postgres.h"
#include "sql/database.h"

namespace courant::server {

struct OpenDatabase {
  std::unique_ptr<EmbeddedPostgres> embedded;  // null: the database is not a private one
  std::unique_ptr<sql::Database> database;     // goes before the cluster that it is in
};

// How many connections all processes of an installation may have at once: twice what they have, since while a new
// version takes over, both are there.
std::int64_t connections_needed(const Config& config);

enum class Opening {
  kOwn,   // a server's: a private cluster is made where there is none
  kJoin,  // a command's: that there is none is a fault
};

// Started where it is private, and migrated. A fault says what to do. answer_timeout: how long its connections are
// waited for, with a thread that watches over them; 0: without end.
Result<OpenDatabase> open_database(const ServeOptions& options, Opening opening,
                                   std::chrono::milliseconds answer_timeout = {});

// The same database for work that shall take no connections of others.
sql::DatabaseOptions own_pool(sql::DatabaseOptions options, int connections);

}  // namespace courant::server
