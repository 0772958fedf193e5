// Where the private PostgreSQL of a data directory lies, as whom it runs, and who may start it.
//   DATA/postgres/cluster   the cluster
//   DATA/postgres/users     locked, shared, by every process that uses it: while anybody does, it runs
//   DATA/postgres/keeper    locked by the process that runs it (postgres_keeper.h)
// Threads: immutable.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "kernel/result.h"
#include "server/postgres/embedded_postgres.h"

namespace courant::server {

inline constexpr const char* kPostgresPrograms = "/usr/lib/postgresql/15/bin";

struct PostgresHome {
  struct Account {
    uid_t user;
    gid_t group;
  };

  std::string folder;  // DATA/postgres
  std::string cluster;
  std::string socket_folder;
  std::string log;
  // Whom PostgreSQL runs as; set where this process is root. A cluster that is there stays its owner's, so that root
  // may run commands beside a server that has a user of its own.
  std::optional<Account> account;

  // The paths alone.
  static PostgresHome in(const std::string& data);
  // Also finds the account. A fault says what to do.
  static Result<PostgresHome> find(const EmbeddedPostgresOptions& options);

  std::string url() const { return "postgresql:///courant?host=" + socket_folder + "&user=courant"; }
  std::string admin_url() const { return "postgresql:///postgres?host=" + socket_folder + "&user=courant"; }
  std::string users() const { return folder + "/users"; }
  std::string keeper() const { return folder + "/keeper"; }

  // A file or folder that root has made becomes the account's, who may have to open it later. False: errno says why
  // not.
  bool give(const std::string& path) const;

  // Starts a program of PostgreSQL as that account; it is told to stop (SIGINT) when this thread ends.
  pid_t start(const std::vector<std::string>& arguments) const;
};

}  // namespace courant::server
