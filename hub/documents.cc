#include "hub/documents.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "kernel/problem.h"

namespace courant::hub {
namespace {

constexpr std::size_t kMaxKept = 1024;
constexpr std::size_t kMaxKeptBytes = 64 << 20;

}  // namespace

http::Task<std::optional<PushDocument>> Documents::read(const Topic& topic, const std::string& self, std::int64_t from,
                                                        std::int64_t upto) {
  namespace asio = boost::asio;
  const std::string key = topic.canonical + "\n" + self + "\n" + std::to_string(from) + "\n" + std::to_string(upto);
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
    const auto work = [this, &topic, &self, from, upto](sql::Session& session) {
      return loop_.source.read(session, topic, self, from, upto, loop_.options.document);
    };
    slot->document = co_await loop_.executor.run(work);
  } catch (...) {
    slot->has_failed = true;
  }
  slot->is_done = true;
  slot->done.cancel();
  if (slot->document) {
    keep(key, *slot->document);
  } else {
    slots_.erase(key);
  }
  if (slot->has_failed) throw Problem(503, "the document could not be read");
  co_return slot->document;
}

void Documents::keep(const std::string& key, const PushDocument& document) {
  const std::size_t bytes = document.body ? document.body->size() : 0;
  kept_.emplace_back(key, bytes);
  kept_bytes_ += bytes;
  while (kept_.size() > kMaxKept || kept_bytes_ > kMaxKeptBytes) {
    slots_.erase(kept_.front().first);
    kept_bytes_ -= kept_.front().second;
    kept_.pop_front();
  }
}

}  // namespace courant::hub
