// libcurl's transfers of one thread, driven by epoll: what is to be done costs by what happens, not by how many wait.
// Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include <curl/curl.h>

#include "kernel/time.h"

namespace courant::http {

struct EasyClosing {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using EasyHandle = std::unique_ptr<CURL, EasyClosing>;

class Multi {
 public:
  Multi();  // throws std::runtime_error
  ~Multi();
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  CURLM* get() const { return multi_.get(); }

  // A handle without options, new or used before; null: no memory.
  EasyHandle take_handle();
  void give_back(EasyHandle handle);

  // Readable when there is something to do: work() is to be called then, and when `due` has come.
  int descriptor() const { return epoll_; }
  std::optional<Ticks> due() const { return due_; }
  // Does what can be done at once.
  void work();

 private:
  static int on_socket(CURL* handle, curl_socket_t socket, int what, void* self, void* known) noexcept;
  static int on_timer(CURLM* multi, long milliseconds, void* self) noexcept;

  struct Closing {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  int epoll_ = -1;
  std::optional<Ticks> due_;  // when libcurl wants to look at its clocks
  std::vector<EasyHandle> idle_;
  std::unique_ptr<CURLM, Closing> multi_;  // last: its end calls on_socket
};

}  // namespace courant::http
