// The listening sockets of a server on their way to its successor: while both have them, whoever connects is in a queue
// that one of them empties, so nobody is turned away however the two begin and end. Each process that serves offers its
// sockets at DATA/handover/LEADER-PROCESS, a Unix socket that only its user may open; LEADER is what DATA/courant.pid
// names: the process itself, or the one that has started it.
// Threads: the main thread; offering has a thread of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "http/server.h"
#include "kernel/result.h"

namespace courant::server {

class SocketOffer {
 public:
  ~SocketOffer();  // withdraws
  SocketOffer(const SocketOffer&) = delete;
  SocketOffer& operator=(const SocketOffer&) = delete;

  // From now on a successor may have copies of these sockets; none of them is taken over from the caller.
  static Result<std::unique_ptr<SocketOffer>> make(const std::string& data, pid_t leader,
                                                   const std::vector<http::ListeningSocket>& sockets);

  // Those who are being served have what they came for; nobody else comes.
  void withdraw();

 private:
  struct State;
  explicit SocketOffer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether such a process offers its sockets already: it serves.
bool offers_sockets(const std::string& data, pid_t leader, pid_t process);

// The sockets of a leader's processes: of all of them, or of every count-th from index on, where several take over.
// What processes left that died is removed. Their files are the caller's.
std::vector<http::ListeningSocket> take_sockets(const std::string& data, pid_t leader, int index, int count);

}  // namespace courant::server
