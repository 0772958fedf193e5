#include "http/lookup.h"

#include <chrono>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <netdb.h>

namespace courant::http {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kKnownFor{60};
constexpr std::size_t kMostKnown = 4096;
constexpr std::size_t kMostAtOnce = 2048;  // threads: more than requests, since a lookup may outlive who waited for it

Lookup::Found look_up(const std::string& name) {
  Lookup::Found found;
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* all = nullptr;
  if (const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &all); error != 0) {
    found.failure = ::gai_strerror(error);
    return found;
  }
  for (const addrinfo* one = all; one != nullptr; one = one->ai_next) {
    boost::asio::ip::tcp::endpoint endpoint;
    if (one->ai_addrlen > endpoint.capacity()) continue;
    std::memcpy(endpoint.data(), one->ai_addr, one->ai_addrlen);
    endpoint.resize(one->ai_addrlen);
    found.addresses.push_back(endpoint);
  }
  ::freeaddrinfo(all);
  if (found.addresses.empty()) found.failure = "the name has no address";
  return found;
}

// Names of this machine are not looked up anywhere (RFC 6761 section 6.3).
bool is_local(const std::string& name) {
  return name == "localhost" || name.ends_with(".localhost");
}

Lookup::Found loopback() {
  using namespace boost::asio::ip;
  return {{{address_v4::loopback(), 0}, {address_v6::loopback(), 0}}, {}};
}

}  // namespace

// Where the threads leave what they have found; they keep it alive.
class Lookup::Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  Inbox(boost::asio::io_context& io, Lookup& owner) : io_(&io), owner_(&owner) {}

  void close() {
    const std::lock_guard lock(mutex_);
    io_ = nullptr;
  }
  // The lock is held while the answer is posted, which waits for nothing: the io_context must not go meanwhile.
  void put(std::string name, Found found) {
    const std::lock_guard lock(mutex_);
    if (io_ == nullptr) return;
    auto tell = [self = shared_from_this(), name = std::move(name), found = std::move(found)]() mutable {
      if (self->io_ != nullptr) self->owner_->tell(name, std::move(found));  // closed on this thread alone
    };
    boost::asio::post(*io_, std::move(tell));
  }

 private:
  std::mutex mutex_;  // guards the next, which only the loop's thread changes
  boost::asio::io_context* io_;
  Lookup* const owner_;  // until it is closed
};

Lookup::Lookup(boost::asio::io_context& io) : inbox_(std::make_shared<Inbox>(io, *this)) {}

Lookup::~Lookup() {
  inbox_->close();
}

bool Lookup::find(const std::string& name, Done done) {
  if (is_local(name)) {
    done(loopback());
    return true;
  }
  const auto known = known_.find(name);
  if (known != known_.end() && known->second.until > steady_clock::now()) {
    const Found found = known->second.found;
    done(found);
    return true;
  }
  if (const auto waiting = waiting_.find(name); waiting != waiting_.end()) {
    waiting->second.push_back(std::move(done));
    return true;
  }
  if (waiting_.size() >= kMostAtOnce) return false;
  try {
    std::thread([inbox = inbox_, name] { inbox->put(name, look_up(name)); }).detach();
  } catch (const std::system_error&) {
    return false;
  }
  waiting_[name].push_back(std::move(done));
  return true;
}

void Lookup::forget(const std::string& name) {
  known_.erase(name);
}

void Lookup::tell(const std::string& name, Found found) {
  const std::vector<Done> waiting = std::move(waiting_.extract(name).mapped());
  if (!found.addresses.empty()) {
    if (known_.size() >= kMostKnown) known_.clear();
    known_.insert_or_assign(name, Known{found, steady_clock::now() + kKnownFor});
  }
  for (const Done& done : waiting) done(found);
}

}  // namespace courant::http
