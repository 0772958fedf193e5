// An HTTP server on loopback for tests of what is sent: records requests and answers as it is told.
//   Sink sink([](const SinkRequest& request) { return SinkReply{.status = 204}; });
//   ... sink.port() ... sink.wait_for(1) ... sink.requests()
// Keeps connections alive. Chunked requests are not read.
// Threads: any may call. The handler runs on a thread for each connection and may block; whatever it waits for must
// be released before the Sink is destroyed.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/patience.h"

namespace courant::test {

struct SinkRequest {
  std::string method;
  std::string target;  // "/callback?x=1"
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int connection = 0;  // 0 is the first one that was accepted

  // The first field of a name, ignoring case.
  std::optional<std::string> header(const std::string& name) const {
    for (const auto& [key, value] : headers) {
      if (::strcasecmp(key.c_str(), name.c_str()) == 0) return value;
    }
    return std::nullopt;
  }
};

struct SinkReply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  std::optional<std::string> raw = {};      // sent in place of all the above; then the connection ends
  std::chrono::milliseconds byte_pause{0};  // between the bytes: a peer that drips
};

class Sink {
 public:
  using Handler = std::function<SinkReply(const SinkRequest&)>;

  explicit Sink(Handler handler)
      : handler_(std::move(handler)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 512) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ::close(listener_);
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }

  ~Sink() {
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
      for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
    for (const int socket : sockets_) ::close(socket);
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  int port() const { return port_; }
  std::string url(const std::string& target = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + target;
  }

  // What came so far, in the order of arrival.
  std::vector<SinkRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  int connections() const {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(sockets_.size());
  }

  // Waits until something holds, looked at with each request that comes or is answered; false: it does not in
  // kPatience.
  bool wait_until(const std::function<bool()>& holds) const {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (!holds()) {
      std::unique_lock lock(mutex_);
      if (std::chrono::steady_clock::now() > give_up) return false;
      changed_.wait_for(lock, std::chrono::milliseconds(20));
    }
    return true;
  }

  // Waits until `count` requests came (before they are answered); false: they did not in kPatience.
  bool wait_for(std::size_t count) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return requests_.size() >= count; });
  }

 private:
  void accept_all() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::lock_guard lock(mutex_);
      const int number = static_cast<int>(sockets_.size());
      sockets_.push_back(socket);
      threads_.emplace_back([this, socket, number] { serve(socket, number); });
    }
  }

  void serve(int socket, int number) {
    std::string in;
    while (std::optional<SinkRequest> request = read_request(socket, in)) {
      request->connection = number;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(*request);
      }
      changed_.notify_all();
      const SinkReply reply = handler_(*request);
      if (!write(socket, reply.raw ? *reply.raw : compose(reply), reply.byte_pause) || reply.raw) break;
    }
    ::shutdown(socket, SHUT_RDWR);
  }

  static bool read_some(int socket, std::string& in) {
    char piece[16384];
    const ssize_t count = ::recv(socket, piece, sizeof piece, 0);
    if (count <= 0) return false;
    in.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  static std::optional<SinkRequest> read_request(int socket, std::string& in) {
    std::size_t end = 0;
    while ((end = in.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some(socket, in) || in.front() == '\x16') return std::nullopt;  // a TLS hello is not HTTP
    }
    SinkRequest request;
    std::size_t line = in.find("\r\n");
    const std::size_t space = in.find(' ');
    request.method = in.substr(0, space);
    request.target = in.substr(space + 1, in.find(' ', space + 1) - space - 1);
    while (line < end) {
      const std::size_t next = in.find("\r\n", line + 2);
      const std::string field = in.substr(line + 2, next - line - 2);
      const std::size_t colon = field.find(':');
      const std::size_t value = field.find_first_not_of(' ', colon + 1);
      request.headers.emplace_back(field.substr(0, colon), value == std::string::npos ? "" : field.substr(value));
      line = next;
    }
    const std::size_t length = std::stoul(request.header("Content-Length").value_or("0"));
    while (in.size() < end + 4 + length) {
      if (!read_some(socket, in)) return std::nullopt;
    }
    request.body = in.substr(end + 4, length);
    in.erase(0, end + 4 + length);
    return request;
  }

  static std::string compose(const SinkReply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Told\r\n";
    for (const auto& [name, value] : reply.headers) text.append(name).append(": ").append(value).append("\r\n");
    if (reply.status != 204 && reply.status != 304) {
      text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    }
    return text + "\r\n" + reply.body;
  }

  bool write(int socket, std::string_view bytes, std::chrono::milliseconds pause) {
    while (!bytes.empty()) {
      const std::size_t piece = pause.count() > 0 ? 1 : bytes.size();
      const ssize_t count = ::send(socket, bytes.data(), piece, MSG_NOSIGNAL);
      if (count <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
      if (pause.count() == 0) continue;
      std::unique_lock lock(mutex_);
      if (changed_.wait_for(lock, pause, [this] { return is_ending_; })) return false;
    }
    return true;
  }

  Handler handler_;
  int listener_;
  int port_ = 0;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::condition_variable changed_;
  bool is_ending_ = false;
  std::vector<SinkRequest> requests_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread accepting_;
};

// A gate that handlers wait at. Declare it before the Sink, and a GateOpener after it.
class Gate {
 public:
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_open_ = false;
};

// Opens a gate at the end of a scope, so that a failing test ends too.
struct GateOpener {
  Gate& gate;
  ~GateOpener() { gate.open(); }
};

// Takes every request, but one of them, from 1, waits at a gate first.
inline Sink::Handler one_waits_at(Gate& gate, int which = 1) {
  const auto count = std::make_shared<std::atomic<int>>(0);
  return [&gate, which, count](const SinkRequest&) {
    if (++*count == which) gate.wait();
    return SinkReply{.status = 204};
  };
}

}  // namespace courant::test
