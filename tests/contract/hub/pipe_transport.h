// A transport without HTTP: each request goes through a socket pair as one frame, and its answer comes back as one.
// Frames are a length in decimal digits, a line feed, and so many bytes of JSON.
//   PipePeer peer([](const SinkRequest& request) { return SinkReply{.status = 204}; });
//   PipeTransport transport(peer.take_end());
// Threads: PipeTransport as hub/transport.h says; a PipePeer answers on a thread of its own.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <limits>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/transport.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "tests/support/sink.h"

namespace courant::test {

inline std::string pipe_frame(const nlohmann::json& document) {
  const std::string text = document.dump();
  return std::to_string(text.size()) + "\n" + text;
}

// Takes the first whole frame out of what was received; nullopt: it is not whole yet.
inline std::optional<nlohmann::json> take_pipe_frame(std::string& in) {
  const std::size_t line = in.find('\n');
  if (line == std::string::npos) return std::nullopt;
  const std::size_t end = line + 1 + std::stoul(in.substr(0, line));
  if (in.size() < end) return std::nullopt;
  nlohmann::json document = nlohmann::json::parse(in.substr(line + 1, end - line - 1));
  in.erase(0, end);
  return document;
}

// The subscribers' end: all of them behind one pipe. A reply with `raw` closes it without an answer.
class PipePeer {
 public:
  explicit PipePeer(Sink::Handler handler) : handler_(std::move(handler)) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) != 0) throw std::runtime_error("no socket pair");
    thread_ = std::thread([this] { serve(); });
  }
  // Once the transport has let go of its end, or whatever the handler waits for is released.
  ~PipePeer() {
    ::shutdown(ends_[0], SHUT_RDWR);
    thread_.join();
    ::close(ends_[0]);
    if (ends_[1] >= 0) ::close(ends_[1]);
  }
  PipePeer(const PipePeer&) = delete;
  PipePeer& operator=(const PipePeer&) = delete;

  // The transport's end, which is from then on its own.
  int take_end() { return std::exchange(ends_[1], -1); }

  std::vector<SinkRequest> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    std::string in;
    char piece[16384];
    for (ssize_t count = 0; (count = ::recv(ends_[0], piece, sizeof piece, 0)) > 0;) {
      in.append(piece, static_cast<std::size_t>(count));
      while (const std::optional<nlohmann::json> frame = take_pipe_frame(in)) {
        if (!answer(*frame)) return;
      }
    }
  }

  bool answer(const nlohmann::json& frame) {
    SinkRequest request;
    request.method = frame.at("method");
    request.target = frame.at("target");
    request.headers = frame.at("headers").get<std::vector<std::pair<std::string, std::string>>>();
    request.body = frame.at("body");
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const SinkReply reply = handler_(request);
    if (reply.raw) {
      ::shutdown(ends_[0], SHUT_RDWR);
      return false;
    }
    const std::string bytes = pipe_frame(
        {{"id", frame.at("id")}, {"status", reply.status}, {"headers", reply.headers}, {"body", reply.body}});
    return ::send(ends_[0], bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }

  Sink::Handler handler_;
  int ends_[2] = {-1, -1};
  mutable std::mutex mutex_;  // guards what follows
  std::vector<SinkRequest> requests_;
  std::thread thread_;  // last: it uses all of the above
};

class PipeTransport final : public hub::Transport {
 public:
  // end: of a pair of stream sockets; closed by the destructor.
  explicit PipeTransport(int end) : end_(end), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    ::fcntl(end_, F_SETFL, ::fcntl(end_, F_GETFL) | O_NONBLOCK);
    thread_ = std::thread([this] { run(); });
  }
  ~PipeTransport() override {
    stop();
    ::close(wake_);
    ::close(end_);
  }

  void send(http::ClientRequest request, std::function<void(http::ClientReply)> done) override {
    {
      const std::lock_guard lock(mutex_);
      if (!is_stopping_) {
        arrived_.push_back({std::move(request), std::move(done)});
        done = nullptr;
      }
    }
    if (done) return done(ended(Outcome::kStopped));
    wake();
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    wake();
    const std::lock_guard lock(joining_);
    if (thread_.joinable()) thread_.join();
  }

 private:
  using Outcome = http::ClientReply::Outcome;
  using Clock = std::chrono::steady_clock;

  struct Sent {
    http::ClientRequest request;
    std::function<void(http::ClientReply)> done;
    Clock::time_point begun = Clock::now();
  };

  static http::ClientReply ended(Outcome outcome) {
    http::ClientReply reply;
    reply.outcome = outcome;
    return reply;
  }

  void wake() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }

  // All below is the thread's.
  void run() {
    while (take_arrived()) {
      pollfd watched[2] = {{wake_, POLLIN, 0}, {is_closed_ ? -1 : end_, events(), 0}};
      ::poll(watched, 2, milliseconds_to_wait());
      std::uint64_t ignored = 0;
      [[maybe_unused]] const ssize_t read = ::read(wake_, &ignored, sizeof ignored);
      if (watched[1].revents != 0) exchange();
      end_overdue();
    }
    end_all(Outcome::kStopped);
  }

  short events() const { return static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT); }

  // False: the transport is being stopped.
  bool take_arrived() {
    std::deque<Sent> arrived;
    bool goes_on = true;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(arrived_);
      goes_on = !is_stopping_;
    }
    for (Sent& sent : arrived) begin(std::move(sent));
    return goes_on;
  }

  void begin(Sent sent) {
    if (is_closed_) return sent.done(ended(Outcome::kConnect));
    const Uri url = parse_uri(sent.request.url).value();
    const http::ClientRequest& request = sent.request;
    out_ += pipe_frame({{"id", next_id_},
                        {"method", request.method},
                        {"target", url.path + (url.query ? "?" + *url.query : "")},
                        {"headers", request.headers},
                        {"body", request.body ? *request.body : ""}});
    sent.begun = Clock::now();
    in_flight_.emplace(next_id_++, std::move(sent));
  }

  void exchange() {
    const ssize_t sent = out_.empty() ? 0 : ::send(end_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (sent > 0) out_.erase(0, static_cast<std::size_t>(sent));
    char piece[16384];
    const ssize_t count = ::recv(end_, piece, sizeof piece, 0);
    if (count > 0) in_.append(piece, static_cast<std::size_t>(count));
    while (const std::optional<nlohmann::json> frame = take_pipe_frame(in_)) finish(*frame);
    is_closed_ = count == 0 || (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
    if (is_closed_) end_all(Outcome::kBroken);
  }

  void finish(const nlohmann::json& frame) {
    auto node = in_flight_.extract(frame.at("id").get<std::int64_t>());
    if (node.empty()) return;  // it came too late
    const Sent& sent = node.mapped();
    http::ClientReply reply = ended(Outcome::kAnswered);
    reply.status = frame.at("status");
    reply.headers = frame.at("headers").get<std::vector<std::pair<std::string, std::string>>>();
    reply.body = frame.at("body");
    reply.is_cut = reply.body.size() > sent.request.max_body;
    if (reply.is_cut) reply.body.resize(sent.request.max_body);
    reply.was_connected = true;
    reply.latency = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - sent.begun);
    sent.done(std::move(reply));
  }

  int milliseconds_to_wait() const {
    std::chrono::milliseconds least{1'000};
    for (const auto& [id, sent] : in_flight_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(sent.begun + sent.request.deadline - Clock::now());
      least = std::clamp(left, std::chrono::milliseconds(0), least);
    }
    return static_cast<int>(least.count());
  }

  void end_overdue() {
    std::vector<std::int64_t> overdue;
    for (const auto& [id, sent] : in_flight_) {
      if (sent.begun + sent.request.deadline <= Clock::now()) overdue.push_back(id);
    }
    for (const std::int64_t id : overdue) end(in_flight_.extract(id).mapped(), Outcome::kTimeout);
  }

  void end_all(Outcome outcome) {
    while (!in_flight_.empty()) end(in_flight_.extract(in_flight_.begin()).mapped(), outcome);
  }

  static void end(const Sent& sent, Outcome outcome) {
    http::ClientReply reply = ended(outcome);
    reply.was_connected = true;
    reply.latency = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - sent.begun);
    sent.done(std::move(reply));
  }

  const int end_;
  const int wake_;
  std::mutex joining_;
  std::mutex mutex_;  // guards the two below
  std::deque<Sent> arrived_;
  bool is_stopping_ = false;

  std::map<std::int64_t, Sent> in_flight_;
  std::int64_t next_id_ = 1;
  std::string out_;
  std::string in_;
  bool is_closed_ = false;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace courant::test
