// One HTTP connection of many, plain or TLS, which never blocks: a socket, what is left of a request and of an answer.
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <netinet/in.h>
#include <openssl/ssl.h>

namespace courant::bench {

// Where all clients of a run connect to.
struct Target {
  sockaddr_in address{};
  SSL_CTX* tls = nullptr;          // null: plain
  SSL_SESSION* session = nullptr;  // with which connections go on; null: each one begins anew
};

class Client {
 public:
  // kLost: refused, closed by the server, or no HTTP that is understood here.
  enum class Event { kNone, kOpened, kAnswered, kLost };

  Client() = default;
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Begins to connect, and watches itself under its id. source: which of the addresses 127.0.0.x it comes from, for one
  // address has ports for 28,000 connections only. False: the system refuses.
  bool open(const Target& target, int source, int epoll, std::uint32_t id);

  // Sends a request, whose bytes must stay until it is answered. False: the connection is lost.
  bool ask(std::string_view request);

  // Goes on as far as the socket allows; called when it is ready.
  Event advance();

  void close();

  bool is_open() const { return state_ == State::kOpen; }
  bool is_resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }
  int status() const { return status_; }               // of the answer that came last
  void keep_head(std::string* into) { head_ = into; }  // copies the heads of answers there

 private:
  enum class State { kClosed, kConnecting, kShaking, kOpen };
  enum class Progress { kDone, kBlocked, kLost };

  Progress shake_hands();
  Progress send_on();
  Event read_on();
  long read_some(char* into, std::size_t room);  // 0: nothing more will come; -1: nothing is there now
  bool take_head(std::string_view head);
  void watch(bool for_writing);

  const Target* target_ = nullptr;
  SSL* ssl_ = nullptr;
  std::string_view unsent_;
  std::string partial_;  // a head that has not come whole
  std::string* head_ = nullptr;
  std::uint64_t body_left_ = 0;
  int fd_ = -1;
  int epoll_ = -1;
  std::uint32_t id_ = 0;
  int status_ = 0;
  State state_ = State::kClosed;
  bool is_in_body_ = false;
  bool watches_writing_ = false;
};

// For all connections of a process: the newest TLS, no verification, as little memory for each as there can be.
SSL_CTX* client_tls();

}  // namespace courant::bench
