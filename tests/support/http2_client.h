// A blocking HTTP/2 client by nghttp2, over any connection; frames of an attacker's own making can be put between.
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace courant::test {

struct Http2Answer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool is_over = false;
  std::optional<std::uint32_t> error;  // where the stream was reset: why

  std::string header(std::string_view name) const;  // empty: there is none
};

class Http2Client {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  // What carries it. receive: at least one byte, or none at the end.
  struct Wire {
    std::function<void(std::string_view)> send;
    std::function<std::string()> receive;
  };

  // settings: ours. windows_stay: what is received opens no window.
  explicit Http2Client(Wire wire, std::vector<nghttp2_settings_entry> settings = {}, bool windows_stay = false);
  ~Http2Client();
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  // The stream's number. body: none, or all of it; where is_open the request goes on.
  std::int32_t request(std::string_view method, std::string_view path, const Fields& headers = {},
                       std::optional<std::string> body = std::nullopt, std::string_view authority = "localhost",
                       bool is_open = false);
  // Exactly these fields, pseudo-header fields too; `checks` off also where nghttp2 would not send them.
  std::int32_t request_of(const Fields& fields);
  void reset(std::int32_t stream);
  void send_bytes(std::string_view bytes);
  void flush();

  // Waits until it is over, or the connection is.
  const Http2Answer& wait(std::int32_t stream);
  // Waits until everything that was given for a request is on its way.
  void send_body(std::int32_t stream);
  // Waits until `holds`, or the connection is over: false.
  bool wait_until(const std::function<bool()>& holds);
  const Http2Answer& answer(std::int32_t stream) { return answers_[stream]; }
  Http2Answer get(std::string_view path, const Fields& headers = {}) { return wait(request("GET", path, headers)); }

  // The peer's GOAWAY: its error code.
  std::optional<std::uint32_t> goaway() const { return goaway_; }
  bool is_over() const { return is_over_; }
  std::uint32_t remote_setting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_, id);
  }

 private:
  struct Callbacks;
  bool receive();

  Wire wire_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Http2Answer> answers_;
  std::map<std::int32_t, std::string> bodies_;
  std::map<std::int32_t, bool> is_open_;
  std::optional<std::uint32_t> goaway_;
  bool is_over_ = false;
};

}  // namespace courant::test
