// What one process of a crowd does: connects its clients, a few at a time, and keeps them busy. Processes share only
// the board, on which the first one writes what all of them do next. Threads: one in each process.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/crowd_board.h"
#include "tests/bench/crowd_client.h"

namespace courant::bench {

// Made before the processes are; their clients send from it.
struct Plan {
  struct Feed {
    std::string get;   // a conditional request of its head as it is
    std::string poll;  // the same, which waits
  };
  Target target;
  std::vector<Feed> feeds;
  int pace = 64;       // connections that a process makes at once
  int addresses = 16;  // that connections come from
  Nanoseconds wait = 60 * kSecond;
};

// The clients of a process, and what wakes them.
class Crowd {
 public:
  // first: the number of its first client, among those of all processes.
  Crowd(const Plan& plan, Board& board, int first, int count);
  virtual ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  virtual void run();  // until all is over

 protected:
  virtual void opened(std::uint32_t id) = 0;
  virtual void answered(std::uint32_t id) = 0;

  void connect(std::uint32_t id);
  void connect_more();  // as many as the pace allows
  void turn(Nanoseconds longest);
  void rest();  // done, and connections stay
  void ask(std::uint32_t id, const std::string& request);
  void lose(std::uint32_t id);
  virtual void lost(std::uint32_t) {}
  const Plan::Feed& feed_of(std::uint32_t id) const {
    return plan_.feeds[(static_cast<std::size_t>(first_) + id) % plan_.feeds.size()];
  }

  const Plan& plan_;
  Board& board_;
  const int first_;
  const std::uint32_t count_;
  const std::unique_ptr<Client[]> clients_;

 private:
  const int epoll_;
  std::uint32_t next_ = 0;  // the first that has not begun to connect
  int connecting_ = 0;
};

// Each of them waits for news of its feed, again and again until there is some.
class Parkers final : public Crowd {
 public:
  Parkers(const Plan& plan, Board& board, int first, int count);

 private:
  void opened(std::uint32_t id) override;
  void answered(std::uint32_t id) override;
  void lost(std::uint32_t id) override;
  void park(std::uint32_t id);

  std::vector<Nanoseconds> parked_at_;  // 0: does not wait
};

// Conditional requests at a constant rate, each due at its time whether the server is ready or not: what a stalled
// server delays counts in full.
class Requesters final : public Crowd {
 public:
  Requesters(const Plan& plan, Board& board, int first, int count, double rate);
  void run() override;

 private:
  void opened(std::uint32_t id) override;
  void answered(std::uint32_t id) override;
  void lost(std::uint32_t id) override;
  void send_due(Nanoseconds at);
  Nanoseconds due(std::int64_t number) const;

  const double rate_;
  std::int64_t sent_ = 0;
  std::int64_t done_ = 0;
  std::deque<Nanoseconds> waiting_;  // due, and no connection is free
  std::deque<std::uint32_t> idle_;
  std::vector<Nanoseconds> due_;  // of what each asks for; 0: it is idle
};

// Each connects, asks once, closes and begins again.
class Connectors final : public Crowd {
 public:
  Connectors(const Plan& plan, Board& board, int first, int count);
  void run() override;

 private:
  void opened(std::uint32_t id) override;
  void answered(std::uint32_t id) override;
  void begin(std::uint32_t id);

  std::vector<Nanoseconds> began_at_;
};

}  // namespace courant::bench
