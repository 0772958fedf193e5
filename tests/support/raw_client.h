// A blocking TCP client that sends bytes as they are: for everything that well-behaved clients never do.
// Threads: one.
#pragma once

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/patience.h"

namespace courant::test {

class RawClient {
 public:
  // patience: how long a read waits before it counts as the end. receive_buffer: how many bytes wait to be read, about;
  // 0: as many as the system sees fit.
  explicit RawClient(std::uint16_t port, std::chrono::seconds patience = kPatience, int receive_buffer = 0)
      : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (receive_buffer > 0) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("cannot connect");
    }
    const timeval longest{patience.count(), 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // Nothing more will be sent.
  void end() { ::shutdown(socket_, SHUT_WR); }

  // Whether anything comes; it is read by the calls below.
  bool has_answer_within(std::chrono::milliseconds patience) const {
    pollfd waiting{socket_, POLLIN, 0};
    return ::poll(&waiting, 1, static_cast<int>(patience.count())) == 1;
  }

  // So many bytes, or fewer where the peer closes before.
  std::string read_bytes(std::size_t count) {
    while (in_.size() < count && read_some()) {
    }
    std::string bytes = in_.substr(0, count);
    in_.erase(0, bytes.size());
    return bytes;
  }

  // What is there, and at least one byte of it; empty: the peer has closed.
  std::string read_piece() {
    if (in_.empty()) read_some();
    return std::exchange(in_, {});
  }

  // Everything until the peer closes.
  std::string read_all() {
    while (read_some()) {
    }
    return std::exchange(in_, {});
  }

  // Whether the last of the reads found that the peer has closed, in order.
  bool was_ended() const { return was_ended_; }

  // One response: its head, and as much body as its Content-Length says (none where `is_head`).
  std::string read_response(bool is_head = false) {
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_some()) return std::exchange(in_, {});
    }
    std::size_t length = 0;
    const std::size_t field = in_.find("Content-Length: ");
    if (!is_head && field < end) length = std::stoul(in_.substr(field + 16));
    while (in_.size() < end + 4 + length && read_some()) {
    }
    std::string response = in_.substr(0, end + 4 + length);
    in_.erase(0, response.size());
    return response;
  }

 private:
  bool read_some() {
    char piece[16384];
    const ssize_t count = ::recv(socket_, piece, sizeof piece, 0);
    was_ended_ = count == 0;
    if (count <= 0) return false;
    in_.append(piece, static_cast<std::size_t>(count));
    return true;
  }

  int socket_;
  std::string in_;
  bool was_ended_ = false;
};

}  // namespace courant::test
