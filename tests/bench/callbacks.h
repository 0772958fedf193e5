// Callbacks by the thousand, for measuring a hub: one thread answers on many hosts, 127.0.1.1 and following, as fast as it
// can be done.
// Verifications of intent are confirmed, deliveries are counted.
// Threads: one for each object, its own; counts may be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace courant::bench {

class Callbacks {
 public:
  enum class Deliveries { kTaken, kNeverAnswered };

  // delivered: called with the body of each delivery, on the thread of the callbacks.
  Callbacks(int hosts, Deliveries deliveries, std::function<void(std::string_view)> delivered);
  ~Callbacks();
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  // "http://127.0.1.1:2345", one for each host.
  const std::vector<std::string>& urls() const { return urls_; }
  std::int64_t confirmed() const { return confirmed_; }  // verifications
  std::int64_t delivered() const { return delivered_; }

 private:
  struct Connection {
    std::string in;
  };

  void run();
  void accept_from(int listener);
  void read_from(int socket);
  bool take_requests(int socket, std::string& in);
  bool answer(int socket, std::string_view head, std::string_view body);

  const Deliveries deliveries_;
  const std::function<void(std::string_view)> on_delivery_;
  int epoll_ = -1;
  int ending_ = -1;  // an eventfd: it ends the thread
  std::vector<int> listeners_;
  std::vector<std::string> urls_;
  std::unordered_map<int, Connection> connections_;
  std::atomic<std::int64_t> confirmed_{0};
  std::atomic<std::int64_t> delivered_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace courant::bench
