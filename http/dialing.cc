#include "http/dialing.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <sys/socket.h>

namespace courant::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kHeadStart{250};  // RFC 8305 section 5

// The families alternate, the first one first (RFC 8305 section 4).
std::vector<tcp::endpoint> interlaced(std::vector<tcp::endpoint> addresses) {
  if (addresses.empty()) return addresses;
  const auto is_as_first = [first = addresses[0].protocol()](const tcp::endpoint& one) {
    return one.protocol() == first;
  };
  std::stable_partition(addresses.begin(), addresses.end(), is_as_first);
  const auto others = std::find_if_not(addresses.begin(), addresses.end(), is_as_first);
  std::vector<tcp::endpoint> all;
  auto left = addresses.begin();
  auto right = others;
  while (left != others || right != addresses.end()) {
    if (left != others) all.push_back(*left++);
    if (right != addresses.end()) all.push_back(*right++);
  }
  return all;
}

}  // namespace

Dialing::Dialing(asio::io_context& io, std::vector<Endpoint> addresses, May may, Done done)
    : io_(io), addresses_(interlaced(std::move(addresses))), may_(std::move(may)), done_(std::move(done)), timer_(io) {}

void Dialing::start() {
  const std::shared_ptr<Dialing> self = shared_from_this();
  open_next();
}

void Dialing::stop() {
  done_ = nullptr;
  finish(std::nullopt);
}

void Dialing::open_next() {
  while (done_ && next_ < addresses_.size()) {
    const Endpoint& address = addresses_[next_++];
    if (!may_(address)) continue;
    const int descriptor =
        ::socket(address.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (descriptor < 0) {
      failure_ = boost::system::error_code(errno, boost::system::system_category()).message();
      continue;
    }
    ++opened_;
    auto socket = std::make_shared<Socket>(io_, address.protocol(), descriptor);
    under_way_.push_back(socket);
    socket->async_connect(address, [self = shared_from_this(), socket](const boost::system::error_code& error) {
      self->opened(socket, error);
    });
    if (next_ == addresses_.size()) return;
    timer_.expires_after(kHeadStart);
    timer_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
      if (!error) self->open_next();
    });
    return;
  }
  if (under_way_.empty()) finish(std::nullopt);
}

void Dialing::opened(const std::shared_ptr<Socket>& socket, const boost::system::error_code& error) {
  if (!done_) return;
  std::erase(under_way_, socket);
  if (!error) {
    finish(std::move(*socket));
    return;
  }
  boost::system::error_code ignored;
  failure_ = error.message();
  timer_.cancel();
  open_next();
}

void Dialing::finish(std::optional<Socket> socket) {
  timer_.cancel();
  boost::system::error_code ignored;
  for (const auto& other : std::exchange(under_way_, {})) other->close(ignored);
  const Done done = std::exchange(done_, nullptr);
  if (done) done({std::move(socket), opened_, failure_});
}

}  // namespace courant::http
