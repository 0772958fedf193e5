#include "http/transport.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <linux/sockios.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

namespace courant::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kRecord = 16 * 1024;        // what a TLS record holds
constexpr std::size_t kSealedAtOnce = 64 * 1024;  // and what is sealed before the peer has to take it
constexpr std::size_t kMostSealed = 2 * kSealedAtOnce;
constexpr std::size_t kMostBarren = 256 * 1024;  // that a peer may send between two pieces of data: key update floods
constexpr std::size_t kKeptRoom = 4 * 1024;      // a larger buffer is given back when it is empty

iovec piece_of(std::string_view bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size()};
}

}  // namespace

// OpenSSL works on these two strings, not on the socket: a connection at rest keeps a short one, and any number of
// records is sent by one call.
struct Transport::Tls {
  explicit Tls(SslPtr the_ssl) : ssl(std::move(the_ssl)) {
    BIO* const bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl.get(), bio, bio);
  }

  SslPtr ssl;
  std::string in;  // read and not yet opened
  std::size_t in_used = 0;
  std::size_t barren = 0;  // bytes since the last that carried data
  std::string out;         // sealed and not yet sent

  static Tls& of(BIO* bio) { return *static_cast<Tls*>(BIO_get_data(bio)); }

  static int give(BIO* bio, char* into, int room) {
    BIO_clear_retry_flags(bio);
    Tls& tls = of(bio);
    const std::size_t count = std::min(tls.in.size() - tls.in_used, static_cast<std::size_t>(std::max(room, 0)));
    if (count == 0) {
      BIO_set_retry_read(bio);
      return -1;
    }
    tls.in.copy(into, count, tls.in_used);
    tls.in_used += count;
    return static_cast<int>(count);
  }

  static int take(BIO* bio, const char* bytes, int count) {
    BIO_clear_retry_flags(bio);
    of(bio).out.append(bytes, static_cast<std::size_t>(std::max(count, 0)));
    return count;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static BIO_METHOD* const made = [] {
      BIO_METHOD* const bio = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "courant");
      BIO_meth_set_read(bio, give);
      BIO_meth_set_write(bio, take);
      BIO_meth_set_ctrl(bio, control);
      return bio;
    }();
    return made;
  }

  // Room for ciphertext at the end of what is there.
  char* make_room(std::size_t room) {
    in.erase(0, std::exchange(in_used, 0));
    if (in.empty() && in.capacity() > kKeptRoom) in = std::string();
    const std::size_t used = in.size();
    in.resize(used + room);
    return in.data() + used;
  }

  // How much of the room was filled. False: the peer works us with what carries nothing.
  bool filled(std::size_t room, std::size_t count) {
    in.resize(in.size() - room + count);
    barren += count;
    return barren <= kMostBarren;
  }

  // Application data: 1, as OpenSSL says.
  int read(char* into, std::size_t room, std::size_t& count) {
    ERR_clear_error();
    const int result = SSL_read_ex(ssl.get(), into, room, &count);
    if (result == 1) barren = 0;
    return result;
  }
};

struct Transport::Watch {
  std::function<void()> gone;  // null: nobody asks
  bool is_waiting = false;     // on the socket
};

Transport::Transport(asio::ip::tcp::socket socket, SslPtr tls) : socket_(std::move(socket)) {
  if (tls) tls_ = std::make_unique<Tls>(std::move(tls));
}

Transport::~Transport() = default;

Task<bool> Transport::read_for_tls(std::size_t room) {
  if (is_at_end_) co_return false;
  char* const into = tls_->make_room(room);
  auto [error, count] = co_await socket_.async_read_some(asio::buffer(into, room), kToken);
  const bool is_sound = tls_->filled(room, error ? 0 : count);
  received_ += error ? 0 : count;
  is_at_end_ = !is_sound || (error && error != asio::error::operation_aborted);
  was_given_up_ = was_given_up_ || error == asio::error::timed_out;
  co_return is_sound && !error && count > 0;
}

Task<bool> Transport::handshake() {
  while (tls_) {
    ERR_clear_error();
    const int result = SSL_do_handshake(tls_->ssl.get());
    const bool goes_on = result == 1 || SSL_get_error(tls_->ssl.get(), result) == SSL_ERROR_WANT_READ;
    bool is_there = flush_tls();
    while (is_there && has_unsent()) {
      is_there = co_await wait_writable();
      is_there = is_there && flush_tls();
    }
    if (!is_there || !goes_on) co_return false;
    if (result == 1) break;
    const bool more = co_await read_for_tls(kKeptRoom);
    if (!more) co_return false;
  }
  co_return true;
}

std::string_view Transport::protocol() const {
  if (!tls_) return {};
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(tls_->ssl.get(), &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

Task<std::size_t> Transport::read_some(std::string& into, std::size_t room) {
  const std::size_t used = into.size();
  if (!tls_) {
    if (is_at_end_) co_return 0;
    into.resize(used + room);
    auto [error, count] = co_await socket_.async_read_some(asio::buffer(into.data() + used, room), kToken);
    into.resize(used + (error ? 0 : count));
    received_ += error ? 0 : count;
    is_at_end_ = error && error != asio::error::operation_aborted;
    was_given_up_ = was_given_up_ || error == asio::error::timed_out;
    co_return error ? 0 : count;
  }
  for (;;) {
    if (tls_->in_used < tls_->in.size() || SSL_has_pending(tls_->ssl.get()) == 1) {
      into.resize(used + room);
      std::size_t count = 0;
      const int result = tls_->read(into.data() + used, room, count);
      into.resize(used + (result == 1 ? count : 0));
      if (result == 1) co_return count;
      const bool goes_on = SSL_get_error(tls_->ssl.get(), result) == SSL_ERROR_WANT_READ && flush_tls();
      if (!goes_on) co_return 0;
    }
    const bool more = co_await read_for_tls(room);
    if (!more) co_return 0;
  }
}

Task<std::size_t> Transport::throw_away() {
  thread_local std::array<char, 64 << 10> bin;  // nobody reads it
  while (socket_.is_open()) {
    const ssize_t count = ::recv(socket_.native_handle(), bin.data(), bin.size(), MSG_DONTWAIT);
    if (count > 0) {
      received_ += static_cast<std::uint64_t>(count);
      co_return static_cast<std::size_t>(count);
    }
    was_given_up_ = was_given_up_ || (count < 0 && errno == ETIMEDOUT);
    if (count == 0 || (errno != EAGAIN && errno != EINTR)) break;
    auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, kToken);
    if (error) break;
  }
  co_return 0;
}

bool Transport::has_more() {
  if (!socket_.is_open()) return false;
  const bool is_here = tls_ && (tls_->in_used < tls_->in.size() || SSL_has_pending(tls_->ssl.get()) == 1);
  std::optional<bool> ended;
  if (is_here) ended = has_tls_ended();
  if (!ended) ended = has_ended();
  return ended && !*ended;
}

std::size_t Transport::unacknowledged() {
  int count = 0;
  if (!socket_.is_open() || ::ioctl(socket_.native_handle(), SIOCOUTQ, &count) != 0) return 0;
  return static_cast<std::size_t>(std::max(count, 0));
}

// How many bytes the socket took at once; nullopt: the peer is gone.
std::optional<std::size_t> Transport::send_now(std::string_view first, std::string_view second) {
  std::array<iovec, 2> pieces = {piece_of(first), piece_of(second)};
  msghdr message{};
  message.msg_iov = pieces.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  for (;;) {
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) return static_cast<std::size_t>(sent);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    was_given_up_ = was_given_up_ || errno == ETIMEDOUT;
    if (errno != EINTR) return std::nullopt;
  }
}

std::optional<std::size_t> Transport::send(std::string_view first, std::string_view second) {
  if (tls_) return send_tls(first, second);
  const std::optional<std::size_t> sent = send_now(first, second);
  left_ += sent.value_or(0);
  return sent;
}

// Seals and sends; what the peer does not take at once stays sealed.
std::optional<std::size_t> Transport::send_tls(std::string_view first, std::string_view second) {
  thread_local std::string joined;
  if (!flush_tls()) return std::nullopt;
  std::size_t taken = 0;
  while (tls_->out.size() < kSealedAtOnce && taken < first.size() + second.size()) {
    std::string_view piece =
        taken < first.size() ? first.substr(taken, kRecord) : second.substr(taken - first.size(), kRecord);
    if (taken < first.size() && piece.size() < kRecord && !second.empty()) {
      joined.assign(piece).append(second.substr(0, kRecord - piece.size()));
      piece = joined;
    }
    ERR_clear_error();
    std::size_t count = 0;
    if (SSL_write_ex(tls_->ssl.get(), piece.data(), piece.size(), &count) != 1) return std::nullopt;
    taken += count;
  }
  if (!flush_tls()) return std::nullopt;
  return taken;
}

// False: the peer is gone, or it has us answer (key updates) and does not read.
bool Transport::flush_tls() {
  std::string& out = tls_->out;
  std::size_t sent = 0;
  while (sent < out.size()) {
    const std::optional<std::size_t> count = send_now(std::string_view(out).substr(sent), std::string_view());
    if (!count) return false;
    if (*count == 0) break;
    sent += *count;
  }
  out.erase(0, sent);
  left_ += sent;
  if (out.size() > kMostSealed) return false;
  if (out.empty() && out.capacity() > kKeptRoom) out = std::string();
  return true;
}

bool Transport::has_unsent() const {
  return tls_ && !tls_->out.empty();
}

Task<bool> Transport::wait_writable() {
  auto [error] = co_await socket_.async_wait(asio::ip::tcp::socket::wait_write, kToken);
  co_return !error;
}

void Transport::watch(std::function<void()> gone) {
  if (!watch_) watch_ = std::make_shared<Watch>();
  watch_->gone = std::move(gone);
  if (!std::exchange(watch_->is_waiting, true)) await_end();
}

void Transport::unwatch() {
  if (watch_) watch_->gone = nullptr;  // the wait stays, for the next watch
}

void Transport::await_end() {
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [this, weak = std::weak_ptr(watch_)](const boost::system::error_code& error) {
                       const std::shared_ptr<Watch> watch = weak.lock();
                       if (!watch) return;  // and so are we
                       watch->is_waiting = false;
                       if (error || !watch->gone) return;
                       const std::optional<bool> ended = has_ended();
                       if (!ended) {
                         watch->is_waiting = true;
                         await_end();
                       } else if (*ended) {
                         std::exchange(watch->gone, nullptr)();
                       }
                     });
}

// nullopt: nothing is there yet that would tell.
std::optional<bool> Transport::has_ended() {
  const int socket = socket_.native_handle();
  char byte = 0;
  ssize_t count = 0;
  if (!tls_) {
    count = ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  } else {
    char* const into = tls_->make_room(kKeptRoom);
    count = ::recv(socket, into, kKeptRoom, MSG_DONTWAIT);
    if (!tls_->filled(kKeptRoom, static_cast<std::size_t>(std::max<ssize_t>(count, 0)))) return true;
  }
  was_given_up_ = was_given_up_ || (count < 0 && errno == ETIMEDOUT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (count <= 0) return true;
  if (!tls_) return false;
  return has_tls_ended();
}

std::optional<bool> Transport::has_tls_ended() {
  ERR_clear_error();
  char byte = 0;
  std::size_t seen = 0;
  const int result = SSL_peek_ex(tls_->ssl.get(), &byte, 1, &seen);
  if (result == 1) return false;
  if (SSL_get_error(tls_->ssl.get(), result) == SSL_ERROR_WANT_READ && flush_tls()) return std::nullopt;
  return true;
}

void Transport::give_room_back() {
  if (!tls_) return;
  tls_->in.erase(0, std::exchange(tls_->in_used, 0));
  if (tls_->in.empty()) std::string().swap(tls_->in);
  if (tls_->out.empty()) std::string().swap(tls_->out);
}

void Transport::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Transport::close_notify() {
  if (!tls_ || (SSL_get_shutdown(tls_->ssl.get()) & SSL_SENT_SHUTDOWN) != 0) return;
  ERR_clear_error();
  SSL_shutdown(tls_->ssl.get());  // the peer's is not waited for
}

void Transport::shutdown_send() {
  if (tls_ && socket_.is_open()) {
    close_notify();
    flush_tls();
  }
  boost::system::error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

void Transport::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

std::string Transport::peer_address() const {
  boost::system::error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

}  // namespace courant::http
