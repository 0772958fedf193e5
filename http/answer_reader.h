// The answer to a request over HTTP/1.1, read as it comes by Beast's parser: no more of it is kept than was asked for,
// and no more is read.
// Specification: RFC 9112.
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <boost/beast/http/basic_parser.hpp>

#include "http/client.h"

namespace courant::http {

class AnswerReader {
 public:
  // kWhole: as far as it is wanted. kBroken: why() says what is wrong.
  enum class State { kReading, kWhole, kBroken };

  explicit AnswerReader(std::size_t max_body) : max_body_(max_body) { next_.emplace(*this); }
  AnswerReader(const AnswerReader&) = delete;
  AnswerReader& operator=(const AnswerReader&) = delete;

  // What the peer has sent now.
  State take(std::string_view bytes);
  // The peer sends nothing more.
  State end();

  State state() const { return state_; }
  const std::string& why() const { return why_; }
  bool has_begun() const { return has_begun_; }
  // Of a whole one: status, headers, body, is_cut.
  ClientReply& reply() { return reply_; }
  // Of a whole one: whether the connection may carry another request.
  bool leaves_open() const { return leaves_open_; }

 private:
  using Error = boost::beast::error_code;
  using Text = boost::beast::string_view;

  // Of one answer, of which an interim one is followed by others.
  class Parser final : public boost::beast::http::basic_parser<false> {
   public:
    explicit Parser(AnswerReader& reader);

   private:
    void on_request_impl(boost::beast::http::verb, Text, Text, int, Error&) override {}
    void on_response_impl(int status, Text, int, Error&) override { reader_.reply_.status = status; }
    void on_field_impl(boost::beast::http::field name, Text name_text, Text value, Error& error) override;
    void on_header_impl(Error&) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
    std::size_t on_body_impl(Text body, Error& error) override;
    void on_chunk_header_impl(std::uint64_t, Text, Error&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, Text body, Error& error) override;
    void on_finish_impl(Error&) override {}

    AnswerReader& reader_;
  };

  std::size_t read(std::string_view bytes);
  void finish();
  State break_off(std::string why);
  State judge(const Error& error);

  const std::size_t max_body_;
  std::optional<Parser> next_;
  std::string rest_;            // came, and is not used yet: a head or a line of a chunk that is not whole
  std::size_t head_bytes_ = 0;  // of the interim answers before this one
  State state_ = State::kReading;
  bool has_begun_ = false;
  bool leaves_open_ = false;
  std::string why_;
  ClientReply reply_;
};

}  // namespace courant::http
