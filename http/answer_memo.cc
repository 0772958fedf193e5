#include "http/answer_memo.h"

#include "http/response_bytes.h"

namespace courant::http {
namespace {

constexpr std::size_t kSlots = 4096;
constexpr std::size_t kLongestRequest = 2048;  // with kSlots: what a client can make a thread keep

}  // namespace

AnswerMemo::AnswerMemo() : slots_(kSlots) {}

std::optional<AnswerMemo::Known> AnswerMemo::find(std::string_view request_head, std::uint64_t revision) {
  if (request_head.size() > kLongestRequest) return std::nullopt;
  const std::size_t hash = std::hash<std::string_view>{}(request_head);
  Slot& slot = slots_[hash % kSlots];
  if (slot.hash != hash || slot.request != request_head) return std::nullopt;
  Known known{slot.before_date, slot.after_date, slot.has_body ? slot.body.lock() : nullptr, slot.series};
  if (slot.revision != revision || !slot.holds() || (slot.has_body && !known.body)) {
    slot = Slot{};
    slot.hash = hash;
    return std::nullopt;
  }
  return known;
}

void AnswerMemo::keep(std::string_view request_head, const Response& response, bool has_body, std::uint64_t revision,
                      Tally::Series* series) {
  if (!response.holds || response.more || request_head.size() > kLongestRequest) return;
  const std::size_t hash = std::hash<std::string_view>{}(request_head);
  Slot& slot = slots_[hash % kSlots];
  if (slot.hash != hash) {
    slot = Slot{};
    slot.hash = hash;
    return;
  }
  slot.request = request_head;
  slot.revision = revision;
  slot.before_date.clear();
  slot.after_date.clear();
  append_head_before_date(slot.before_date, response);
  append_head_after_date(slot.after_date, response, {});
  slot.has_body = has_body && response.body;
  slot.body = slot.has_body ? response.body : nullptr;
  slot.series = series;
  slot.holds = response.holds;
}

}  // namespace courant::http
