// Stands between a program and its database, and holds back or cuts what passes: the test of a peer that is deaf.
// Not by stopping server processes: one that is stopped holding a lock of the cluster stops every other test with it.
//   DatabaseRelay relay(database.url());
//   CourantServer server({"--database", relay.url()});
//   relay.freeze(DatabaseRelay::kListeners); ... relay.thaw();
// Threads: any may call.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/temporary_folder.h"

namespace courant::test {

class DatabaseRelay {
 public:
  enum Which { kAll, kListeners };  // listeners: connections on which a `listen` was said

  explicit DatabaseRelay(const std::string& url);  // of a database that is reached over a Unix socket
  ~DatabaseRelay();
  DatabaseRelay(const DatabaseRelay&) = delete;
  DatabaseRelay& operator=(const DatabaseRelay&) = delete;

  // The same database, through here.
  const std::string& url() const { return url_; }

  // From now on nothing passes in either direction, on later connections neither.
  void freeze(Which which);
  void thaw();
  void cut(Which which);
  int listeners() const;  // connected now

 private:
  struct Connection {
    int client = -1;
    int database = -1;
    bool is_listener = false;
    bool is_over = false;
  };
  void accept_all();
  void pass(Connection& connection, bool from_client);

  const TemporaryFolder folder_;  // of its socket
  std::string url_;
  std::string target_;
  int accepting_socket_ = -1;
  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool is_frozen_[2] = {false, false};
  bool is_ending_ = false;
  std::list<Connection> connections_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

}  // namespace courant::test
