// Gives up connections on which an answer is waited for too long. A PostgreSQL that is frozen (its disk hangs, its
// machine is paused) keeps its connections and says nothing: no timeout of its own runs then, TCP's do not since the
// kernel still acknowledges, and Unix sockets have none. Whoever waits on a connection that is given up finds it lost,
// as if the server had died.
// Threads: any.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "kernel/time.h"

namespace courant::sql {

// A connection's socket. Its own duplicate of it: the descriptor of the connection may be closed in the middle of a
// statement, and another file may have its number then.
class WatchedSocket {
 public:
  explicit WatchedSocket(int socket);  // throws Unavailable where there are no descriptors
  ~WatchedSocket();
  WatchedSocket(const WatchedSocket&) = delete;
  WatchedSocket& operator=(const WatchedSocket&) = delete;

  // While this lives, an answer is waited for. One at a time for each socket, in the thread that uses the connection.
  class Waiting {
   public:
    explicit Waiting(WatchedSocket& socket) : socket_(socket) { socket_.set_since(std::chrono::steady_clock::now()); }
    ~Waiting() { socket_.set_since(Ticks{}); }
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;

   private:
    WatchedSocket& socket_;
  };

  // From now on answers may take any time. In the thread that uses the connection.
  void wait_without_end() { is_patient_ = true; }

  // Whoever waits on the connection finds it lost. Any thread.
  void give_up() const;

 private:
  friend class Watch;
  void set_since(Ticks since) { since_ = is_patient_ ? 0 : since.time_since_epoch().count(); }
  bool is_overdue(Ticks latest) const;

  const int descriptor_;
  std::atomic<Ticks::rep> since_{0};  // when what is waited for was asked; 0: nothing is
  bool is_patient_ = false;           // used by the connection's thread alone
};

class Watch {
 public:
  // longest: that an answer is waited for; more than statement_timeout, so that a server that works says it itself.
  explicit Watch(std::chrono::milliseconds longest);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  std::chrono::milliseconds longest() const { return longest_; }

  // The socket of a new connection, watched until it is let go of.
  std::shared_ptr<WatchedSocket> watch(int socket);

 private:
  void look_again_and_again();
  std::vector<std::shared_ptr<WatchedSocket>> overdue();  // with mutex_ held

  const std::chrono::milliseconds longest_;
  std::mutex mutex_;  // guards sockets_ and is_over_
  std::condition_variable over_;
  std::vector<std::weak_ptr<WatchedSocket>> sockets_;
  bool is_over_ = false;
  std::thread thread_;  // of its own: all others may be waiting for PostgreSQL
};

// The socket of a new connection; watch: that which watches it, null: nobody does.
std::shared_ptr<WatchedSocket> socket_of(const std::shared_ptr<Watch>& watch, int socket);

}  // namespace courant::sql
