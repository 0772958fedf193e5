// A PostgreSQL of Courant's own: made once in the data directory, reachable through a Unix socket only, run as an
// unprivileged user when the server is root, restarted when it dies, and gone when the last process that uses it is
// gone: it is run by a process of its own (postgres_keeper.h), so that a server may end while its successor serves.
// Specification: PostgreSQL 15.
// Threads: start and stop from one thread; a thread of its own looks after the keeper.
#pragma once

#include <memory>
#include <string>

#include "kernel/result.h"

namespace courant::server {

struct EmbeddedPostgresOptions {
  std::string data;               // the server's data directory, absolute; the cluster lies in its folder "postgres"
  int connections = 100;          // at once
  std::string user = "postgres";  // whom the postmaster runs as when the server is root
};

class EmbeddedPostgres {
 public:
  explicit EmbeddedPostgres(EmbeddedPostgresOptions options);
  ~EmbeddedPostgres();  // stops
  EmbeddedPostgres(const EmbeddedPostgres&) = delete;
  EmbeddedPostgres& operator=(const EmbeddedPostgres&) = delete;

  // Makes the cluster where there is none, and starts it where nobody runs it. Returns the database's URL once it takes
  // connections. A fault says what to do.
  Result<std::string> start();

  // The same for a program beside the server: a fault where there is no cluster.
  Result<std::string> join();

  // It is used no more. Where nobody else uses it, returns when it has ended: quickly, and by force where that takes
  // longer than ten seconds.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::server
