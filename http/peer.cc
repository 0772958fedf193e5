#include "http/peer.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace courant::http {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kFirstPiece = 2 * 1024;  // what a connection at rest keeps room for
constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kMostLingered = 16 << 20;
constexpr auto kLastWord = std::chrono::seconds(2);  // to end, for a peer that has got all that there is
constexpr std::size_t kGatherBelow = 4 * 1024;       // shorter bodies are copied behind their head

}  // namespace

Peer::Peer(asio::ip::tcp::socket socket, SslPtr tls, ConnectionContext& context)
    : transport_(std::move(socket), std::move(tls)),
      context_(context),
      address_(transport_.peer_address()),
      number_(context.next_connection()) {
  enter(Phase::kIdle);
  context_.metrics.connections.add(1);
}

Peer::~Peer() {
  note_traffic();
  context_.metrics.connections.add(-1);
}

void Peer::enter(Phase phase) {
  phase_ = phase;
  expired_ = false;
  switch (phase) {
    case Phase::kIdle:
      deadline_ = context_.now + context_.options.idle_timeout;
      break;
    case Phase::kHead:
      deadline_ = context_.now + context_.options.header_timeout;
      break;
    case Phase::kBody:
      deadline_ = context_.now + context_.options.body_timeout;
      break;
    case Phase::kWrite:
      deadline_ = context_.now + context_.options.write_timeout;
      break;
    case Phase::kEnd:
      deadline_ = context_.now + context_.options.write_timeout;
      unacknowledged_ = std::numeric_limits<std::size_t>::max();
      break;
    case Phase::kAnswer:
      deadline_ = Ticks::max();
      break;
  }
}

void Peer::note_traffic() {
  const std::uint64_t sent = transport_.left();
  const std::uint64_t received = transport_.received();
  context_.tally.sent += sent - std::exchange(noted_sent_, sent);
  context_.tally.received += received - std::exchange(noted_received_, received);
}

// The limit that a phase has come up against; null where none has, as when an idle connection is closed.
Counter* Peer::limit_of_phase() {
  switch (phase_) {
    case Phase::kHead:
      return &context_.metrics.hit(Limit::kSlowHeader);
    case Phase::kBody:
      return &context_.metrics.hit(Limit::kSlowBody);
    case Phase::kWrite:
      return &context_.metrics.hit(Limit::kStoppedReader);
    case Phase::kEnd:
      return unacknowledged_ == 0 ? nullptr : &context_.metrics.hit(Limit::kStoppedReader);
    case Phase::kIdle:
    case Phase::kAnswer:
      break;
  }
  return nullptr;
}

// At the end, as before it, a slow reader has the whole time again whenever it took something.
void Peer::note_taken() {
  const std::size_t left = transport_.unacknowledged();
  if (left == std::exchange(unacknowledged_, left)) return;
  const Ticks::duration time = context_.options.write_timeout;
  deadline_ = context_.now + (left == 0 ? std::min<Ticks::duration>(kLastWord, time) : time);
}

void Peer::check_deadline() {
  note_traffic();
  if (phase_ == Phase::kEnd) note_taken();
  if (context_.now < deadline_) return;
  // Again with each sweep: a read that had bytes already was not there to be cancelled.
  if (!std::exchange(expired_, true)) {
    if (Counter* const limit = limit_of_phase()) limit->add();
  }
  if (phase_ == Phase::kWrite) return close();
  transport_.cancel();
}

void Peer::watch(std::function<void()> gone) {
  was_kept_waiting_ = true;
  if (in_.empty()) std::string().swap(in_);
  if (out_.empty()) std::string().swap(out_);
  transport_.give_room_back();
  transport_.watch(std::move(gone));
}

Task<bool> Peer::read_more() {
  const std::size_t count = co_await transport_.read_some(in_, in_.empty() ? kFirstPiece : kReadPiece);
  co_return count > 0;
}

void Peer::put_body(Bytes body) {
  if (body->size() < kGatherBelow) {
    out_ += *body;
  } else {
    body_ = std::move(body);
  }
}

Peer::Sending Peer::send_at_once() {
  while (!is_written()) {
    const std::uint64_t left = transport_.left();
    const std::string_view body = body_ ? std::string_view(*body_).substr(body_sent_) : std::string_view();
    const std::optional<std::size_t> sent = transport_.send(out_, body);
    if (!sent) return Sending::kGone;
    // A reader that is slow has the whole time again whenever it took something: it may be slow, but not stop.
    if (transport_.left() > left && phase_ == Phase::kWrite) enter(Phase::kWrite);
    if (*sent == 0) {
      if (is_written()) break;  // what had been taken before is sent now
      return Sending::kBlocked;
    }
    const std::size_t of_head = std::min(*sent, out_.size());
    out_.erase(0, of_head);
    body_sent_ += *sent - of_head;
    if (body_ && body_sent_ == body_->size()) {
      body_.reset();
      body_sent_ = 0;
    }
  }
  return Sending::kDone;
}

Task<bool> Peer::flush() {
  Sending sending = send_at_once();
  if (sending == Sending::kBlocked) enter(Phase::kWrite);
  while (sending == Sending::kBlocked) {
    const bool writable = co_await transport_.wait_writable();
    if (!writable) co_return false;
    sending = send_at_once();
  }
  co_return sending == Sending::kDone;
}

Task<void> Peer::linger() {
  in_.clear();
  transport_.close_notify();
  const bool written = co_await flush();
  if (!written) co_return;
  transport_.shutdown_send();
  enter(Phase::kEnd);
  std::size_t count = 1;
  for (std::size_t thrown = 0; count > 0 && thrown < kMostLingered; thrown += count) {
    count = co_await transport_.throw_away();
  }
}

Task<void> Peer::end_at_rest() {
  if (transport_.unacknowledged() > 0 || transport_.has_more()) co_await linger();
}

void Peer::end() {
  if (transport_.was_given_up()) context_.metrics.hit(Limit::kStoppedReader).add();
  transport_.shutdown_send();
  close();
}

void Peer::close() {
  transport_.close();
}

}  // namespace courant::http
