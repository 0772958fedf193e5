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

}  // namespace

std::size_t Documents::Hash::operator()(const Key& key) const {
  constexpr std::size_t kFactor = 0x9E3779B97F4A7C15;  // spreads neighbours
  std::size_t hash = std::hash<std::string_view>{}(key.canonical) ^ std::hash<std::string_view>{}(key.self) * kFactor;
  for (const std::int64_t number : key.numbers) hash = (hash ^ static_cast<std::size_t>(number)) * kFactor;
  return hash ^ hash >> 32;
}

Documents::Document Documents::find(const Topic& topic, const std::string& self, std::int64_t from, std::int64_t upto,
                                    const PushLimits& limits) {
  forget_old();
  const std::shared_ptr<Slot> slot = find_slot(Key(topic, self, from, upto, limits));
  return slot ? slot->document : nullptr;
}

http::Task<Documents::Document> Documents::read(Topic topic, std::string self, std::int64_t from, std::int64_t upto,
                                                PushLimits limits) {
  namespace asio = boost::asio;
  forget_old();
  if (const std::shared_ptr<Slot> slot = find_slot(Key(topic, self, from, upto, limits))) {
    if (!slot->is_done) {
      boost::system::error_code ignored;
      co_await slot->done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    if (slot->has_failed) throw Problem(503, "the document could not be read");
    co_return slot->document;
  }
  const auto slot = std::make_shared<Slot>(loop_.io, std::move(topic), std::move(self));
  slot->done.expires_at(asio::steady_timer::time_point::max());
  const Key key(slot->topic, slot->self, from, upto, limits);
  slots_.emplace(key, slot);
  try {
    const auto work = [this, &slot, from, upto, limits](sql::Session& session) {
      return loop_.source.read(session, slot->topic, slot->self, from, upto, limits);
    };
    std::optional<PushDocument> document = co_await loop_.executor.run(work);
    if (document) slot->document = std::make_shared<const PushDocument>(*std::move(document));
  } catch (...) {
    slot->has_failed = true;
  }
  slot->is_done = true;
  slot->done.cancel();
  if (slot->document) {
    keep(slot, key);
  } else {
    slots_.erase(key);
  }
  if (slot->has_failed) throw Problem(503, "the document could not be read");
  co_return slot->document;
}

std::shared_ptr<Documents::Slot> Documents::find_slot(const Key& key) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return nullptr;
  const std::shared_ptr<Slot> slot = found->second;
  const std::int64_t generation = loop_.source.known_generation(slot->topic.lane, slot->topic.feed);
  if (!slot->document || slot->document->generation >= generation) return slot;
  slots_.erase(found);  // kept_ holds its bytes until they are old
  return nullptr;
}

void Documents::keep(std::shared_ptr<Slot> slot, const Key& key) {
  const std::size_t bytes = slot->document->body ? slot->document->body->size() : 0;
  kept_bytes_ += bytes;
  kept_.push_back({std::move(slot), key, bytes, loop_.clock.ticks() + kKeptFor});
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
