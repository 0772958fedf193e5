#include "tests/bench/crowd_worker.h"

#include <array>
#include <utility>

#include <sys/epoll.h>
#include <unistd.h>

namespace courant::bench {
namespace {

constexpr Nanoseconds kLook = 20 * kMillisecond;       // how often the board is looked at where nothing happens
constexpr Nanoseconds kEarly = 2 * kSecond;            // before its time an empty answer is an error
constexpr Nanoseconds kLongestSilence = 10 * kSecond;  // for answers when the last request has been sent

}  // namespace

Crowd::Crowd(const Plan& plan, Board& board, int first, int count)
    : plan_(plan),
      board_(board),
      first_(first),
      count_(static_cast<std::uint32_t>(count)),
      clients_(std::make_unique<Client[]>(count_)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {}

Crowd::~Crowd() {
  ::close(epoll_);
}

void Crowd::run() {
  while (!board_.is_over) {
    connect_more();
    turn(kLook);
  }
}

void Crowd::rest() {
  ++board_.finished;
  while (!board_.is_over) turn(kLook);
}

void Crowd::connect(std::uint32_t id) {
  const int source = (first_ + static_cast<int>(id)) % plan_.addresses;
  ++connecting_;
  if (!clients_[id].open(plan_.target, source, epoll_, id)) lose(id);
}

void Crowd::connect_more() {
  while (connecting_ < plan_.pace && next_ < count_) connect(next_++);
}

void Crowd::ask(std::uint32_t id, const std::string& request) {
  if (!clients_[id].ask(request)) lose(id);
}

void Crowd::lose(std::uint32_t id) {
  if (clients_[id].is_open()) {
    --board_.opened;
  } else {
    --connecting_;
  }
  clients_[id].close();
  ++board_.lost;
  lost(id);
}

void Crowd::turn(Nanoseconds longest) {
  std::array<epoll_event, 256> events{};
  const timespec timeout{longest / kSecond, longest % kSecond};
  const int count = ::epoll_pwait2(epoll_, events.data(), events.size(), &timeout, nullptr);
  for (int i = 0; i < count; ++i) {
    const std::uint32_t id = events[static_cast<std::size_t>(i)].data.u32;
    switch (clients_[id].advance()) {
      case Client::Event::kNone:
        break;
      case Client::Event::kOpened:
        --connecting_;
        ++board_.opened;
        if (plan_.target.session != nullptr && !clients_[id].is_resumed()) ++board_.unresumed;
        opened(id);
        break;
      case Client::Event::kAnswered:
        answered(id);
        break;
      case Client::Event::kLost:
        lose(id);
        break;
    }
  }
}

Parkers::Parkers(const Plan& plan, Board& board, int first, int count)
    : Crowd(plan, board, first, count), parked_at_(count_) {}

void Parkers::opened(std::uint32_t id) {
  park(id);
}

void Parkers::park(std::uint32_t id) {
  parked_at_[id] = now();
  ++board_.parked;
  ask(id, feed_of(id).poll);
}

void Parkers::answered(std::uint32_t id) {
  const Nanoseconds at = now();
  const Nanoseconds published_at = board_.published_at;
  const int status = clients_[id].status();
  const Nanoseconds waited = at - parked_at_[id];
  parked_at_[id] = 0;
  --board_.parked;
  if (status == 200 && published_at != 0) {
    board_.latencies.add(at - published_at);
    ++board_.answered;
  } else if (status == 304 && published_at == 0 && waited > plan_.wait - kEarly) {
    ++board_.ended;
    park(id);
  } else {
    board_.note_unexpected(status);
  }
}

void Parkers::lost(std::uint32_t id) {
  if (parked_at_[id] != 0) --board_.parked;
  parked_at_[id] = 0;
}

Requesters::Requesters(const Plan& plan, Board& board, int first, int count, double rate)
    : Crowd(plan, board, first, count), rate_(rate), due_(count_) {}

void Requesters::opened(std::uint32_t id) {
  idle_.push_back(id);
}

void Requesters::answered(std::uint32_t id) {
  ++done_;
  if (clients_[id].status() == 304) {
    board_.latencies.add(now() - std::exchange(due_[id], 0));
    ++board_.answered;
  } else {
    board_.note_unexpected(clients_[id].status());
  }
  idle_.push_back(id);
}

void Requesters::lost(std::uint32_t id) {
  if (due_[id] != 0) ++done_;
}

Nanoseconds Requesters::due(std::int64_t number) const {
  return board_.begin_at + static_cast<Nanoseconds>(static_cast<double>(number) * kSecond / rate_);
}

void Requesters::send_due(Nanoseconds at) {
  const Nanoseconds end = board_.end_at;
  for (Nanoseconds next = due(sent_); next <= at && next < end; next = due(++sent_)) {
    if (at - next > board_.most_late) board_.most_late = at - next;
    waiting_.push_back(next);
  }
  while (!waiting_.empty() && !idle_.empty()) {
    const std::uint32_t id = idle_.front();
    idle_.pop_front();
    due_[id] = waiting_.front();
    waiting_.pop_front();
    ask(id, feed_of(id).get);
  }
}

void Requesters::run() {
  while (board_.begin_at == 0 && !board_.is_over) {
    connect_more();
    turn(kLook);
  }
  bool goes_on = true;
  while (goes_on && !board_.is_over) {
    const Nanoseconds at = now();
    send_due(at);
    turn(std::clamp<Nanoseconds>(due(sent_) - now(), 0, kLook));
    goes_on = at < board_.end_at || (done_ < sent_ && at < board_.end_at + kLongestSilence);
  }
  board_.lost += sent_ - done_;
  rest();
}

Connectors::Connectors(const Plan& plan, Board& board, int first, int count)
    : Crowd(plan, board, first, count), began_at_(count_) {}

void Connectors::begin(std::uint32_t id) {
  began_at_[id] = now();
  connect(id);
}

void Connectors::opened(std::uint32_t id) {
  ask(id, feed_of(id).get);
}

void Connectors::answered(std::uint32_t id) {
  const Nanoseconds at = now();
  if (clients_[id].status() == 304) {
    board_.latencies.add(at - began_at_[id]);
    ++board_.answered;
  } else {
    board_.note_unexpected(clients_[id].status());
  }
  clients_[id].close();
  --board_.opened;
  if (at < board_.end_at) begin(id);
}

void Connectors::run() {
  for (std::uint32_t id = 0; id < count_; ++id) begin(id);
  while (now() < board_.end_at || (board_.opened > 0 && now() < board_.end_at + kLongestSilence)) turn(kLook);
  rest();
}

}  // namespace courant::bench
