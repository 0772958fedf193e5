#include "sql/watch.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/log.h"
#include "sql/database.h"

namespace courant::sql {

WatchedSocket::WatchedSocket(int socket) : descriptor_(::fcntl(socket, F_DUPFD_CLOEXEC, 0)) {
  if (descriptor_ < 0) throw Unavailable("no descriptor is left for a connection to the database", false);
}

WatchedSocket::~WatchedSocket() {
  ::close(descriptor_);
}

bool WatchedSocket::is_overdue(Ticks latest) const {
  const Ticks::rep since = since_;
  return since != 0 && Ticks(Ticks::duration(since)) < latest;
}

void WatchedSocket::give_up() const {
  ::shutdown(descriptor_, SHUT_RDWR);
}

Watch::Watch(std::chrono::milliseconds longest) : longest_(longest), thread_([this] { look_again_and_again(); }) {}

Watch::~Watch() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  over_.notify_all();
  thread_.join();
}

std::shared_ptr<WatchedSocket> Watch::watch(int socket) {
  auto watched = std::make_shared<WatchedSocket>(socket);
  const std::lock_guard lock(mutex_);
  std::erase_if(sockets_, [](const auto& other) { return other.expired(); });
  sockets_.push_back(watched);
  return watched;
}

std::shared_ptr<WatchedSocket> socket_of(const std::shared_ptr<Watch>& watch, int socket) {
  return watch ? watch->watch(socket) : std::make_shared<WatchedSocket>(socket);
}

std::vector<std::shared_ptr<WatchedSocket>> Watch::overdue() {
  const Ticks latest = std::chrono::steady_clock::now() - longest_;
  std::vector<std::shared_ptr<WatchedSocket>> found;
  for (const std::weak_ptr<WatchedSocket>& watched : sockets_) {
    std::shared_ptr<WatchedSocket> socket = watched.lock();
    if (socket && socket->is_overdue(latest)) found.push_back(std::move(socket));
  }
  return found;
}

void Watch::look_again_and_again() {
  const auto pause =
      std::min<std::chrono::milliseconds>(longest_ / 4 + std::chrono::milliseconds(1), std::chrono::seconds(1));
  std::unique_lock lock(mutex_);
  while (!over_.wait_for(lock, pause, [this] { return is_over_; })) {
    const std::vector<std::shared_ptr<WatchedSocket>> given_up = overdue();
    if (given_up.empty()) continue;
    lock.unlock();
    for (const auto& socket : given_up) socket->give_up();
    log_error("PostgreSQL does not answer: connections are given up",
              {{"connections", static_cast<std::int64_t>(given_up.size())},
               {"waited_ms", static_cast<std::int64_t>(longest_.count())}});
    lock.lock();
  }
}

}  // namespace courant::sql
