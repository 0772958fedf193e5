// Callbacks by the thousand: one thread answers on many hosts, 127.0.1.1 and following, as fast as it can be done, and
// as badly as it is told to. Verifications of intent are confirmed. Threads: one for each object, its own; counts may
// be read by any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

namespace courant::test {

struct Delivered {
  std::string_view target;  // "/17"
  std::string_view head;    // the request's, with its first line
  std::string_view body;
};

// What a delivery is answered with.
struct CallbackAnswer {
  enum class Then { kGoesOn, kCloses, kResets };

  std::string bytes = "HTTP/1.1 204 No Content\r\n\r\n";  // none: it is left without an answer
  Then then = Then::kGoesOn;
};

class Callbacks {
 public:
  // answer: called with each delivery, on the thread of the callbacks.
  Callbacks(int hosts, std::function<CallbackAnswer(const Delivered&)> answer);
  ~Callbacks();
  Callbacks(const Callbacks&) = delete;
  Callbacks& operator=(const Callbacks&) = delete;

  // "http://127.0.1.1:2345", one for each host.
  const std::vector<std::string>& urls() const { return urls_; }
  std::int64_t confirmed() const { return confirmed_; }  // verifications
  std::int64_t delivered() const { return delivered_; }

 private:
  void run();
  void accept_from(int listener);
  void read_from(int socket);
  bool take_requests(int socket, std::string& in);
  bool answer(int socket, std::string_view head, std::string_view body);

  const std::function<CallbackAnswer(const Delivered&)> answer_;
  int epoll_ = -1;
  int ending_ = -1;  // an eventfd: it ends the thread
  std::vector<int> listeners_;
  std::vector<std::string> urls_;
  std::unordered_map<int, std::string> connections_;  // by socket: what was read of the next request
  std::atomic<std::int64_t> confirmed_{0};
  std::atomic<std::int64_t> delivered_{0};
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace courant::test
