#include "hub/documents.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

constexpr std::size_t kMaxKept = 1024;
constexpr std::size_t kMaxKeptBytes = 64 << 20;
// Long enough for all who are sent the same; short enough for what expires or is erased from the log meanwhile.
constexpr std::chrono::seconds kKeptFor{10};

std::string key_of(const Topic& topic, const std::string& self, std::int64_t from, std::int64_t upto,
                   const PushLimits& limits) {
  std::string key = topic.canonical + "\n" + self;
  for (const std::int64_t number : {topic.lane, topic.feed, from, upto, limits.max_entries, limits.max_bytes}) {
    key += "\n" + std::to_string(number);
  }
  return key;
}

}  // namespace

http::Task<std::optional<PushDocument>> Documents::read(Topic topic, std::string self, std::int64_t from,
                                                        std::int64_t upto, PushLimits limits) {
  namespace asio = boost::asio;
  forget_old();
  const std::string key = key_of(topic, self, from, upto, limits);
  if (const auto found = slots_.find(key); found != slots_.end()) {
    const std::shared_ptr<Slot> slot = found->second;
    if (!slot->is_done) {
      boost::system::error_code ignored;
      co_await slot->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (slot->has_failed) throw Problem(503, "the document could not be read");
    co_return slot->document;
  }
  const auto slot = std::make_shared<Slot>(loop_.io);
  slot->done.expires_at(asio::steady_timer::time_point::max());
  slots_.emplace(key, slot);
  try {
    const auto work = [this, &topic, &self, from, upto, limits](sql::Session& session) {
      return loop_.source.read(session, topic, self, from, upto, limits);
    };
    slot->document = co_await loop_.executor.run(work);
  } catch (...) {
    slot->has_failed = true;
  }
  slot->is_done = true;
  slot->done.cancel();
  if (slot->document) {
    keep(key, slot->document->body ? slot->document->body->size() : 0);
  } else {
    slots_.erase(key);
  }
  if (slot->has_failed) throw Problem(503, "the document could not be read");
  co_return slot->document;
}

void Documents::keep(std::string key, std::size_t bytes) {
  kept_bytes_ += bytes;
  kept_.push_back({std::move(key), bytes, loop_.clock.ticks() + kKeptFor});
  forget_old();
}

void Documents::forget_old() {
  const Ticks now = loop_.clock.ticks();
  while (!kept_.empty() && (kept_.front().until <= now || kept_.size() > kMaxKept || kept_bytes_ > kMaxKeptBytes)) {
    slots_.erase(kept_.front().key);
    kept_bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
}

}  // namespace courant::hub
