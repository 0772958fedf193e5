#include "http/plain_connection.h"

#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

namespace courant::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// What follows the first `skipped` bytes of the two.
std::array<asio::const_buffer, 2> gather(const std::string& head, const Bytes& body, std::size_t skipped) {
  const asio::const_buffer first = asio::buffer(head) + skipped;
  const asio::const_buffer second = body ? asio::buffer(*body) : asio::const_buffer();
  return {first, second + (skipped > head.size() ? skipped - head.size() : 0)};
}

}  // namespace

PlainConnection::PlainConnection(asio::ip::tcp::socket socket, Ticks now) : socket_(std::move(socket)), opened_(now) {}

void PlainConnection::start() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  read();
}

// What cannot be written is not the end: the peer may have answered before it has read everything (RFC 9112 section
// 9.5), and otherwise reading ends, too.
void PlainConnection::send(std::string head, Bytes body, std::size_t max_body, Done done) {
  head_ = std::move(head);
  body_ = std::move(body);
  done_ = std::move(done);
  answer_.emplace(max_body);
  error_code error;
  const std::size_t written = socket_.write_some(gather(head_, body_, 0), error);
  is_written_ = written == head_.size() + (body_ ? body_->size() : 0);
  if (is_written_ || (error && error != asio::error::would_block)) return;
  write_rest(written);
}

void PlainConnection::write_rest(std::size_t written) {
  // The bytes stay as they are until this has ended: after its answer the connection is closed where it has not.
  const auto wrote = [self = shared_from_this(), body = body_](const error_code& error, std::size_t) {
    if (!error) self->is_written_ = true;
  };
  asio::async_write(socket_, gather(head_, body_, written), wrote);
}

void PlainConnection::read() {
  socket_.async_read_some(
      asio::buffer(piece_),
      [self = shared_from_this()](const error_code& error, std::size_t count) { self->came(error, count); });
}

void PlainConnection::came(const error_code& error, std::size_t count) {
  if (!socket_.is_open()) return;
  if (!done_) {  // nobody has asked for anything
    const Gone gone = std::move(gone_);
    close();
    if (gone) gone();
    return;
  }
  if (count > 0) answer_->take({piece_.data(), count});
  if (error == asio::error::eof) {
    answer_->end();
  } else if (error && answer_->state() == AnswerReader::State::kReading) {
    finish();
    return;
  }
  if (answer_->state() != AnswerReader::State::kReading) {
    finish();
  }
  if (socket_.is_open() && !error) read();
}

void PlainConnection::finish() {
  Carried carried;
  using State = AnswerReader::State;
  const bool is_whole = answer_->state() == State::kWhole;
  carried.was_heard = answer_->has_begun();
  if (is_whole) {
    carried.reply = std::move(answer_->reply());
  } else {
    carried.failure = answer_->state() == State::kBroken ? answer_->why() : "the connection was reset";
  }
  const Done done = std::exchange(done_, nullptr);
  if (!is_whole || !answer_->leaves_open() || !is_written_) close();
  answer_.reset();
  body_.reset();
  done(std::move(carried));
}

void PlainConnection::close() {
  done_ = nullptr;
  gone_ = nullptr;
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace courant::http
