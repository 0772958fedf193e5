#include "tests/support/database_relay.h"

#include <algorithm>
#include <stdexcept>
#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace courant::test {
namespace {

constexpr std::string_view kSocketName = "/.s.PGSQL.5432";

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw std::runtime_error(path + " is too long for a socket");
  path.copy(address.sun_path, path.size());
  return address;
}

int unix_socket() {
  return ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

// A simple query or the parsing of a statement that begins so.
bool says_listen(std::string_view bytes) {
  return bytes.find("listen ") != std::string_view::npos || bytes.find("LISTEN ") != std::string_view::npos;
}

}  // namespace

DatabaseRelay::DatabaseRelay(const std::string& url) {
  constexpr std::string_view kHost = "host=";
  const std::size_t host = url.find(kHost) + kHost.size();
  const std::size_t length = std::min(url.find('&', host), url.size()) - host;
  target_ = url.substr(host, length).append(kSocketName);
  const std::string folder = folder_.path();
  url_ = std::string(url).replace(host, length, folder);
  accepting_socket_ = unix_socket();
  const sockaddr_un address = address_of(folder + std::string(kSocketName));
  if (::bind(accepting_socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(accepting_socket_, 64) != 0) {
    throw std::runtime_error("the relay cannot listen");
  }
  accepting_ = std::thread([this] { accept_all(); });
}

DatabaseRelay::~DatabaseRelay() {
  ::shutdown(accepting_socket_, SHUT_RDWR);
  accepting_.join();
  {
    const std::lock_guard lock(mutex_);
    is_ending_ = true;
  }
  cut(kAll);
  for (std::thread& thread : threads_) thread.join();
  for (const Connection& connection : connections_) {
    ::close(connection.client);
    ::close(connection.database);
  }
  ::close(accepting_socket_);
}

void DatabaseRelay::freeze(Which which) {
  const std::lock_guard lock(mutex_);
  is_frozen_[which] = true;
}

void DatabaseRelay::thaw() {
  const std::lock_guard lock(mutex_);
  is_frozen_[kAll] = is_frozen_[kListeners] = false;
  changed_.notify_all();
}

void DatabaseRelay::cut(Which which) {
  const std::lock_guard lock(mutex_);
  for (Connection& connection : connections_) {
    if (which == kListeners && !connection.is_listener) continue;
    connection.is_over = true;
    ::shutdown(connection.client, SHUT_RDWR);
    ::shutdown(connection.database, SHUT_RDWR);
  }
  changed_.notify_all();
}

int DatabaseRelay::listeners() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(std::count_if(connections_.begin(), connections_.end(), [](const Connection& connection) {
    return connection.is_listener && !connection.is_over;
  }));
}

void DatabaseRelay::accept_all() {
  const sockaddr_un target = address_of(target_);
  while (true) {
    const int client = ::accept4(accepting_socket_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) return;
    const int database = unix_socket();
    if (::connect(database, reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) {
      ::close(client);  // the program sees a database that is not there
      ::close(database);
      continue;
    }
    const std::lock_guard lock(mutex_);
    Connection& connection = connections_.emplace_back(Connection{.client = client, .database = database});
    for (const bool from_client : {true, false}) {
      threads_.emplace_back([this, &connection, from_client] { pass(connection, from_client); });
    }
  }
}

void DatabaseRelay::pass(Connection& connection, bool from_client) {
  const int from = from_client ? connection.client : connection.database;
  const int to = from_client ? connection.database : connection.client;
  char bytes[16384];
  while (true) {
    const ssize_t count = ::recv(from, bytes, sizeof bytes, 0);
    std::unique_lock lock(mutex_);
    const std::string_view read(bytes, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (from_client && says_listen(read)) connection.is_listener = true;
    changed_.wait(lock, [&] {
      return is_ending_ || connection.is_over ||
             (!is_frozen_[kAll] && !(is_frozen_[kListeners] && connection.is_listener));
    });
    if (count <= 0 || is_ending_ || connection.is_over) break;
    lock.unlock();
    for (std::size_t sent = 0; sent < read.size();) {
      const ssize_t part = ::send(to, bytes + sent, read.size() - sent, MSG_NOSIGNAL);
      if (part <= 0) break;
      sent += static_cast<std::size_t>(part);
    }
  }
  // One end's close is the other's, once it may pass.
  const std::lock_guard lock(mutex_);
  connection.is_over = true;
  ::shutdown(connection.client, SHUT_RDWR);
  ::shutdown(connection.database, SHUT_RDWR);
  changed_.notify_all();
}

}  // namespace courant::test
