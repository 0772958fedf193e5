// A connection that hears NOTIFY, and sends it.
// Specification: PostgreSQL 15, LISTEN and NOTIFY.
// Threads: one at a time.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "sql/database.h"

namespace courant::sql {

struct Notification {
  std::string channel;
  std::string payload;
};

class Listener {
 public:
  // Connects and listens on the channel (a plain identifier). Throws Unavailable, like all calls here.
  Listener(const DatabaseOptions& options, const std::string& channel);
  ~Listener();

  // What has arrived, waiting at most `timeout` for something; empty where nothing did.
  std::vector<Notification> wait(std::chrono::milliseconds timeout);

  // payload: less than 8,000 bytes.
  void notify(const std::string& channel, const std::string& payload);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::sql
