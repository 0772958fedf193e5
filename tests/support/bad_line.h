// A bad line to a server on loopback: a proxy that refuses connections, delays, swallows, and cuts both ways at any
// byte, by chance from a seed.
// Threads: any may call; a thread for each connection, all ended by the destructor.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace courant::test {

class BadLine {
 public:
  BadLine(int server_port, std::uint32_t seed)
      : server_port_(server_port), random_(seed), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      ::close(listener_);
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~BadLine() {
    is_ending_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    ::close(listener_);
    for (std::thread& thread : threads_) thread.join();
  }
  BadLine(const BadLine&) = delete;
  BadLine& operator=(const BadLine&) = delete;

  int port() const { return port_; }
  int cut_requests() const { return cut_requests_; }  // connections that ended while bytes went to the server
  int cut_replies() const { return cut_replies_; }    // ... while bytes came back
  int refused() const { return refused_; }
  int swallowed() const { return swallowed_; }  // connections of which nothing went on

 private:
  // What happens to a connection.
  struct Fate {
    bool is_refused;
    bool is_swallowed;
    std::size_t to_server;  // bytes until the cut
    std::size_t to_client;
    std::chrono::milliseconds delay;  // before each piece
  };

  static sockaddr_in loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    return address;
  }

  // A reset, not an orderly end.
  static void reset(int socket) {
    const linger now{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    ::close(socket);
  }

  std::size_t up_to(std::size_t most) { return std::uniform_int_distribution<std::size_t>(0, most)(random_); }

  void accept_all() {
    while (true) {
      const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) return;
      const std::size_t dice = up_to(99);
      const Fate fate{dice < 10, dice >= 95, up_to(6000), up_to(9000), std::chrono::milliseconds(up_to(15))};
      threads_.emplace_back([this, socket, fate] { carry(socket, fate); });
    }
  }

  void carry(int client, Fate fate) {
    if (fate.is_refused) {
      ++refused_;
      return reset(client);
    }
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(server_port_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      if (fate.is_swallowed) ++swallowed_;
      exchange(client, server, fate);
    }
    reset(client);
    reset(server);
  }

  void exchange(int client, int server, Fate fate) {
    while (!is_ending_) {
      pollfd ends[2] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (::poll(ends, 2, 50) == 0) continue;
      std::this_thread::sleep_for(fate.delay);
      if (ends[0].revents != 0) {
        if (!move(client, fate.is_swallowed ? -1 : server, fate.to_server)) return;
        if (fate.to_server == 0) return void(++cut_requests_);
      }
      if (ends[1].revents != 0) {
        if (!move(server, client, fate.to_client)) return;
        if (fate.to_client == 0) return void(++cut_replies_);
      }
    }
  }

  // Carries a piece on, at most `left` bytes of it; to no socket (-1) it is dropped. False: an end has closed.
  static bool move(int from, int to, std::size_t& left) {
    char piece[4096];
    const ssize_t count = ::recv(from, piece, sizeof piece, 0);
    if (count <= 0) return false;
    if (to < 0) return true;
    const std::size_t some = std::min(static_cast<std::size_t>(count), left);
    left -= some;
    return some == 0 || ::send(to, piece, some, MSG_NOSIGNAL) == static_cast<ssize_t>(some);
  }

  const int server_port_;
  std::mt19937 random_;  // the accepting thread's
  int listener_;
  int port_ = 0;
  std::atomic<bool> is_ending_ = false;
  std::atomic<int> cut_requests_ = 0;
  std::atomic<int> cut_replies_ = 0;
  std::atomic<int> refused_ = 0;
  std::atomic<int> swallowed_ = 0;
  std::vector<std::thread> threads_;  // the accepting thread's
  std::thread accepting_;             // last: it uses all of the above
};

}  // namespace courant::test
