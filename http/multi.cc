#include "http/multi.h"

#include <array>
#include <stdexcept>

#include <sys/epoll.h>
#include <unistd.h>

namespace courant::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t kIdleHandles = 512;  // kept for the next transfers, each with some 10 KiB

}  // namespace

Multi::Multi() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  multi_.reset(curl_multi_init());
  if (!multi_ || epoll_ < 0) throw std::runtime_error("libcurl cannot be initialised");
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, static_cast<void*>(this));
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, static_cast<void*>(this));
}

Multi::~Multi() {
  multi_.reset();
  ::close(epoll_);
}

EasyHandle Multi::take_handle() {
  if (idle_.empty()) return EasyHandle(curl_easy_init());
  EasyHandle handle = std::move(idle_.back());
  idle_.pop_back();
  return handle;
}

void Multi::give_back(EasyHandle handle) {
  if (!handle || idle_.size() >= kIdleHandles) return;
  curl_easy_reset(handle.get());
  idle_.push_back(std::move(handle));
}

void Multi::work() {
  int running = 0;
  if (due_ && *due_ <= steady_clock::now()) {
    due_.reset();
    curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
  }
  std::array<epoll_event, 256> events;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    int what = (event.events & EPOLLIN ? CURL_CSELECT_IN : 0) | (event.events & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    if (event.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
  }
}

// known: null of a socket that is not watched yet.
int Multi::on_socket(CURL*, curl_socket_t socket, int what, void* self, void* known) noexcept {
  auto& multi = *static_cast<Multi*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(multi.epoll_, EPOLL_CTL_DEL, socket, nullptr);  // fails where it is closed already
    return 0;
  }
  epoll_event event{};
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
  event.data.fd = socket;
  if (::epoll_ctl(multi.epoll_, known == nullptr ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, &event) != 0) return -1;
  if (known == nullptr) curl_multi_assign(multi.multi_.get(), socket, self);
  return 0;
}

int Multi::on_timer(CURLM*, long milliseconds_from_now, void* self) noexcept {
  auto& multi = *static_cast<Multi*>(self);
  multi.due_.reset();
  if (milliseconds_from_now >= 0) multi.due_ = steady_clock::now() + milliseconds(milliseconds_from_now);
  return 0;
}

}  // namespace courant::http
