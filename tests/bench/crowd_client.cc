#include "tests/bench/crowd_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/text.h"

namespace courant::bench {
namespace {

bool is_loopback(const sockaddr_in& address) {
  return ntohl(address.sin_addr.s_addr) >> 24 == 127;
}

constexpr std::string_view kLength = "content-length:";

}  // namespace

SSL_CTX* client_tls() {
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);  // one system call for a record, not two
  SSL_CTX_set_quiet_shutdown(context, 1);
  return context;
}

bool Client::open(const Target& target, int source, int epoll, std::uint32_t id) {
  target_ = &target;
  epoll_ = epoll;
  id_ = id;
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (is_loopback(target.address)) {
    // The port is chosen by connect(): one that is in use to elsewhere will do.
    ::setsockopt(fd_, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    sockaddr_in from{};
    from.sin_family = AF_INET;
    from.sin_addr.s_addr = htonl(0x7f000001U + static_cast<std::uint32_t>(source));
    if (::bind(fd_, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) return false;
  }
  const auto* to = reinterpret_cast<const sockaddr*>(&target.address);
  if (::connect(fd_, to, sizeof target.address) != 0 && errno != EINPROGRESS) return false;
  state_ = State::kConnecting;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT;
  event.data.u32 = id;
  watches_writing_ = true;
  return ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd_, &event) == 0;
}

void Client::close() {
  if (ssl_ != nullptr) {
    // Said to itself only: a session of a connection that ended without it would not be resumed.
    SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
  if (fd_ >= 0) ::close(fd_);
  ssl_ = nullptr;
  fd_ = -1;
  unsent_ = {};
  partial_.clear();
  is_in_body_ = false;
  state_ = State::kClosed;
}

void Client::watch(bool for_writing) {
  if (for_writing == watches_writing_) return;
  watches_writing_ = for_writing;
  epoll_event event{};
  event.events = for_writing ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u32 = id_;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd_, &event);
}

bool Client::ask(std::string_view request) {
  unsent_ = request;
  return send_on() != Progress::kLost;
}

Client::Event Client::advance() {
  if (state_ == State::kClosed) return Event::kNone;
  if (state_ == State::kConnecting) {
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return Event::kLost;
    if (target_->tls == nullptr) {
      state_ = State::kOpen;
      watch(false);
      return Event::kOpened;
    }
    ssl_ = SSL_new(target_->tls);
    SSL_set_fd(ssl_, fd_);
    SSL_set_connect_state(ssl_);
    if (target_->session != nullptr) SSL_set_session(ssl_, target_->session);
    state_ = State::kShaking;
  }
  if (state_ == State::kShaking) {
    const Progress progress = shake_hands();
    if (progress == Progress::kLost) return Event::kLost;
    if (progress == Progress::kBlocked) return Event::kNone;
    state_ = State::kOpen;
    watch(false);
    return Event::kOpened;
  }
  if (!unsent_.empty() && send_on() == Progress::kLost) return Event::kLost;
  return read_on();
}

Client::Progress Client::shake_hands() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_);
  if (result == 1) return Progress::kDone;
  const int error = SSL_get_error(ssl_, result);
  if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) return Progress::kLost;
  watch(error == SSL_ERROR_WANT_WRITE);
  return Progress::kBlocked;
}

Client::Progress Client::send_on() {
  while (!unsent_.empty()) {
    long sent = 0;
    bool is_blocked = false;
    if (ssl_ != nullptr) {
      ERR_clear_error();
      sent = SSL_write(ssl_, unsent_.data(), static_cast<int>(unsent_.size()));
      const int error = sent > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, static_cast<int>(sent));
      is_blocked = error == SSL_ERROR_WANT_WRITE || error == SSL_ERROR_WANT_READ;
    } else {
      sent = ::send(fd_, unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
      is_blocked = sent < 0 && errno == EAGAIN;
    }
    if (is_blocked) {
      watch(true);
      return Progress::kBlocked;
    }
    if (sent <= 0) return Progress::kLost;
    unsent_.remove_prefix(static_cast<std::size_t>(sent));
  }
  watch(false);
  return Progress::kDone;
}

long Client::read_some(char* into, std::size_t room) {
  if (ssl_ == nullptr) {
    const long count = ::recv(fd_, into, room, 0);
    if (count >= 0) return count;
    return errno == EAGAIN ? -1 : 0;
  }
  ERR_clear_error();
  const int count = SSL_read(ssl_, into, static_cast<int>(room));
  if (count > 0) return count;
  const int error = SSL_get_error(ssl_, count);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

Client::Event Client::read_on() {
  static std::array<char, 64 * 1024> buffer;  // what is read is looked at before anybody else reads
  for (;;) {
    const long count = read_some(buffer.data(), buffer.size());
    if (count < 0) return Event::kNone;
    if (count == 0) return Event::kLost;
    std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
    if (!is_in_body_) {
      if (!partial_.empty()) bytes = partial_.append(bytes);
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string_view::npos) {
        if (partial_.empty()) partial_ = bytes;
        continue;
      }
      if (!take_head(bytes.substr(0, end + 2))) return Event::kLost;
      is_in_body_ = true;
      bytes.remove_prefix(end + 4);
    }
    if (bytes.size() > body_left_) return Event::kLost;
    body_left_ -= bytes.size();
    partial_.clear();
    if (body_left_ > 0) continue;
    is_in_body_ = false;
    return Event::kAnswered;
  }
}

// False: it does not say where its body ends.
bool Client::take_head(std::string_view head) {
  if (head_ != nullptr) *head_ = head;
  if (head.size() < 12 || !head.starts_with("HTTP/1.1 ")) return false;
  status_ = std::atoi(head.data() + 9);
  body_left_ = 0;
  bool has_length = status_ == 304 || status_ == 204;
  for (std::size_t begin = head.find("\r\n"); begin + 2 < head.size() && !has_length;) {
    begin += 2;
    const std::size_t end = head.find("\r\n", begin);
    const std::string_view line = head.substr(begin, end - begin);
    if (equal_ignoring_case(line.substr(0, kLength.size()), kLength)) {
      body_left_ = parse_unsigned(trim(line.substr(kLength.size()))).value_or(0);
      has_length = true;
    }
    begin = end;
  }
  return has_length;
}

}  // namespace courant::bench
