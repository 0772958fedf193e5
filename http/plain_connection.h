// A connection over TCP that carries one request after the other: each goes out in one write, and its answer is read as
// it comes.
// Specification: RFC 9112 section 9.
// Threads: that of its io_context.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "http/answer_reader.h"
#include "http/message.h"
#include "kernel/time.h"

namespace courant::http {

class PlainConnection : public std::enable_shared_from_this<PlainConnection> {
 public:
  // What has become of a request.
  struct Carried {
    ClientReply reply;      // of an answer: status, headers, body, is_cut
    std::string failure;    // why there is no answer; empty: there is one
    bool was_heard = true;  // a byte of an answer came
  };
  using Done = std::function<void(Carried)>;
  using Gone = std::function<void()>;

  PlainConnection(boost::asio::ip::tcp::socket socket, Ticks now);

  // Watches the peer, too; before anything else.
  void start();

  // Only while it is open and carries nothing. `done` is called once, later, unless close() is called before.
  void send(std::string head, Bytes body, std::size_t max_body, Done done);
  // Called when the peer ends the connection while it carries nothing.
  void set_gone(Gone gone) { gone_ = std::move(gone); }

  // Nobody is told anything any more.
  void close();

  bool is_open() const { return socket_.is_open(); }
  Ticks opened() const { return opened_; }

 private:
  void read();
  void came(const boost::system::error_code& error, std::size_t count);
  void write_rest(std::size_t written);
  void finish();

  boost::asio::ip::tcp::socket socket_;
  const Ticks opened_;
  Gone gone_;
  // Of the request that it carries:
  std::string head_;
  Bytes body_;
  bool is_written_ = true;
  Done done_;  // null: it carries nothing
  std::optional<AnswerReader> answer_;
  std::array<char, 4096> piece_;  // what is read goes here
};

using PlainConnectionPtr = std::shared_ptr<PlainConnection>;

}  // namespace courant::http
