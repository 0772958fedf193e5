#include "http/answer_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include "http/errand.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t kUsualFields = 8;
constexpr int kSwitchingProtocols = 101;  // the last answer there is in HTTP

bool is_interim(int status) {
  return status / 100 == 1 && status != kSwitchingProtocols;
}

std::string too_long() {
  return "the answer's header fields are longer than " + std::to_string(kMaxAnswerHead) + " bytes";
}

}  // namespace

AnswerReader::Parser::Parser(AnswerReader& reader) : reader_(reader) {
  header_limit(static_cast<std::uint32_t>(kMaxAnswerHead - std::min(kMaxAnswerHead - 1, reader.head_bytes_)));
  body_limit(boost::none);  // what is not wanted is not read
  eager(true);
}

void AnswerReader::Parser::on_field_impl(beast_http::field name, Text name_text, Text value, Error& error) {
  if (name == beast_http::field::transfer_encoding && !equal_ignoring_case({value.data(), value.size()}, "chunked")) {
    reader_.break_off("the answer has a transfer coding that was not asked for");
    error = beast_http::error::bad_transfer_encoding;
    return;
  }
  auto& headers = reader_.reply_.headers;
  if (headers.empty()) headers.reserve(kUsualFields);
  headers.emplace_back(std::string_view(name_text.data(), name_text.size()),
                       std::string_view(value.data(), value.size()));
}

std::size_t AnswerReader::Parser::on_body_impl(Text body, Error& error) {
  std::string& kept = reader_.reply_.body;
  const std::size_t room = reader_.max_body_ - kept.size();
  kept.append(body.data(), std::min(body.size(), room));
  reader_.reply_.is_cut = body.size() > room;
  if (reader_.reply_.is_cut) error = beast_http::error::body_limit;
  return body.size();
}

std::size_t AnswerReader::Parser::on_chunk_body_impl(std::uint64_t, Text body, Error& error) {
  return on_body_impl(body, error);
}

AnswerReader::State AnswerReader::take(std::string_view bytes) {
  has_begun_ = has_begun_ || !bytes.empty();
  if (rest_.empty()) {
    rest_.assign(bytes.substr(read(bytes)));
  } else {
    rest_.append(bytes);
    rest_.erase(0, read(rest_));
  }
  if (state_ == State::kReading && rest_.size() > kMaxAnswerHead) return break_off(too_long());
  // What nobody has asked for is no answer to anything that is asked later.
  if (state_ == State::kWhole && !rest_.empty()) leaves_open_ = false;
  return state_;
}

// How many bytes are used.
std::size_t AnswerReader::read(std::string_view bytes) {
  std::size_t used = 0;
  while (state_ == State::kReading && used < bytes.size()) {
    Error error;
    const std::size_t count = next_->put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += count;
    if (judge(error) == State::kReading && next_->is_done()) {
      if (is_interim(reply_.status)) head_bytes_ += count;
      finish();
    } else if (error) {
      break;
    }
  }
  return used;
}

AnswerReader::State AnswerReader::judge(const Error& error) {
  if (!error || error == beast_http::error::need_more || state_ != State::kReading) return state_;
  if (reply_.is_cut) return state_ = State::kWhole;
  if (error == beast_http::error::header_limit) return break_off(too_long());
  if (error == beast_http::error::end_of_stream) return break_off("the connection ended without an answer");
  if (error == beast_http::error::partial_message) return break_off("the connection ended within the answer");
  return break_off("the answer is malformed: " + error.message());
}

// An answer is over. Of an interim one nothing is kept.
void AnswerReader::finish() {
  if (!is_interim(reply_.status)) {
    leaves_open_ = reply_.status != kSwitchingProtocols && next_->keep_alive();
    state_ = State::kWhole;
    return;
  }
  reply_ = ClientReply();
  if (head_bytes_ >= kMaxAnswerHead) {
    break_off(too_long());
  } else {
    next_.emplace(*this);
  }
}

AnswerReader::State AnswerReader::end() {
  if (state_ != State::kReading) return state_;
  if (!next_->got_some()) return break_off("the connection ended without an answer");
  Error error;
  next_->put_eof(error);
  if (judge(error) == State::kReading) {
    if (next_->is_done()) {
      finish();
      leaves_open_ = false;
    } else {
      break_off("the connection ended within the answer");
    }
  }
  return state_;
}

AnswerReader::State AnswerReader::break_off(std::string why) {
  if (why_.empty()) why_ = std::move(why);
  return state_ = State::kBroken;
}

}  // namespace courant::http
