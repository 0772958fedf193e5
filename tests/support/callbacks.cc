#include "tests/support/callbacks.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::test {
namespace {

void watch(int epoll, int descriptor) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = descriptor;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) throw std::runtime_error("epoll takes no more");
}

constexpr std::uint32_t kFirstHost = 0x7F000101;  // 127.0.1.1

// Sets the URL.
int listen_as(std::uint32_t host, std::string& url) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(kFirstHost + host);
  socklen_t size = sizeof address;
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), size) != 0 || ::listen(listener, 1024) != 0 ||
      ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  url = "http://127.0." + std::to_string((kFirstHost + host) >> 8 & 0xFF) + "." +
        std::to_string((kFirstHost + host) & 0xFF) + ":" + std::to_string(ntohs(address.sin_port));
  return listener;
}

// The value of Content-Length; 0: there is none.
std::size_t length_in(std::string_view head) {
  constexpr std::string_view kName = "content-length: ";
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2);
    if (line.size() > kName.size() && equal_ignoring_case(line.substr(0, kName.size()), kName)) {
      return std::stoul(std::string(line.substr(kName.size(), 12)));
    }
  }
  return 0;
}

}  // namespace

Callbacks::Callbacks(int hosts, std::function<CallbackAnswer(const Delivered&)> answer)
    : answer_(std::move(answer)), epoll_(::epoll_create1(EPOLL_CLOEXEC)), ending_(::eventfd(0, EFD_CLOEXEC)) {
  watch(epoll_, ending_);
  for (int i = 0; i < hosts; ++i) {
    listeners_.push_back(listen_as(static_cast<std::uint32_t>(i), urls_.emplace_back()));
    watch(epoll_, listeners_.back());
  }
  thread_ = std::thread([this] { run(); });
}

Callbacks::~Callbacks() {
  ::eventfd_write(ending_, 1);
  thread_.join();
  for (const auto& [socket, connection] : connections_) ::close(socket);
  for (const int listener : listeners_) ::close(listener);
  ::close(ending_);
  ::close(epoll_);
}

void Callbacks::run() {
  std::array<epoll_event, 256> events;
  while (true) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int ready = events[static_cast<std::size_t>(i)].data.fd;
      if (ready == ending_) return;
      if (connections_.contains(ready)) {
        read_from(ready);
      } else {
        accept_from(ready);
      }
    }
  }
}

void Callbacks::accept_from(int listener) {
  const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (socket < 0) return;
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connections_[socket];
  watch(epoll_, socket);
}

void Callbacks::read_from(int socket) {
  std::string& in = connections_[socket];
  std::array<char, 65536> piece;
  const ssize_t count = ::recv(socket, piece.data(), piece.size(), 0);
  if (count < 0 && errno == EAGAIN) return;  // said of a socket that had this number before
  if (count > 0) {
    in.append(piece.data(), static_cast<std::size_t>(count));
    if (take_requests(socket, in)) return;
  }
  connections_.erase(socket);
  ::close(socket);
}

// False: the connection is to end.
bool Callbacks::take_requests(int socket, std::string& in) {
  while (true) {
    const std::size_t end = in.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const std::string_view head = std::string_view(in).substr(0, end + 2);
    const std::size_t whole = end + 4 + length_in(head);
    if (in.size() < whole) return true;
    if (!answer(socket, head, std::string_view(in).substr(end + 4, whole - end - 4))) return false;
    in.erase(0, whole);
  }
}

bool Callbacks::answer(int socket, std::string_view head, std::string_view body) {
  const std::size_t begin = head.find(' ') + 1;
  const std::string_view target = head.substr(begin, head.find(' ', begin) - begin);
  CallbackAnswer reply;
  if (head.starts_with("GET ")) {
    const auto parameters = parse_query(target.substr(std::min(target.size(), target.find('?') + 1)));
    const std::string* const challenge = parameters ? find_parameter(*parameters, "hub.challenge") : nullptr;
    if (challenge == nullptr) return false;
    reply.bytes = "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(challenge->size()) + "\r\n\r\n" + *challenge;
    ++confirmed_;
  } else {
    reply = answer_({target, head, body});
    ++delivered_;
  }
  if (reply.then == CallbackAnswer::Then::kResets) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return false;
  }
  if (reply.bytes.empty()) return true;
  // What does not fit into the socket is cut off: whoever sends so much does not mean to be understood.
  ::send(socket, reply.bytes.data(), reply.bytes.size(), MSG_NOSIGNAL);
  return reply.then == CallbackAnswer::Then::kGoesOn;
}

}  // namespace courant::test
