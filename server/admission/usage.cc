#include "server/admission/usage.h"

#include <unordered_map>

#include <nlohmann/json.hpp>

#include "feeds/chronicler.h"

namespace courant::server {
namespace {

constexpr std::size_t kRowsOfANotice = 1'000;
constexpr const char* kOthers = "(others)";
constexpr std::string_view kUrl = "signed:";  // how identities of signed URLs are called (access/identity.cc)
constexpr const char* kOtherUrls = "signed:(others)";

std::uint64_t next_number() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

// What a thread has met already.
struct Met {
  std::uint64_t number = 0;  // of the Usage
  std::unordered_map<std::string, Usage::Counts*> counts;
  std::string key;  // kept for its memory
};
thread_local Met met;

}  // namespace

Usage::Usage(std::string process, std::chrono::seconds every, const Clock& clock)
    : process_(std::move(process)),
      every_(every),
      clock_(clock),
      number_(next_number()),
      from_(clock.now()),
      due_(next_after(from_)) {}

Instant Usage::next_after(Instant now) const {
  if (every_.count() == 0) return Instant::max();
  const auto since = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch();
  return Instant(since - since % every_ + every_);
}

Usage::Counts& Usage::of(std::string_view identity, std::string_view workspace) {
  if (met.number != number_) met = {number_, {}, {}};
  met.key.assign(identity).append(1, '\n').append(workspace);
  if (const auto known = met.counts.find(met.key); known != met.counts.end()) return *known->second;
  const std::lock_guard lock(mutex_);
  Key key(identity, workspace);
  const bool is_url = identity.starts_with(kUrl);
  if (is_url && urls_ >= kMostUrls && !counts_.contains(key)) key.first = kOtherUrls;
  if (counts_.size() >= kMostCounted && !counts_.contains(key)) key = {kOthers, kOthers};
  std::unique_ptr<Counts>& counts = counts_[key];
  if (!counts) {
    counts = std::make_unique<Counts>();
    if (is_url) ++urls_;
  }
  // So many are rarely met, and then some of them again.
  if (met.counts.size() >= kMostCounted) met.counts.clear();
  met.counts.emplace(met.key, counts.get());
  return *counts;
}

void Usage::report(sql::Session& session, bool is_last) {
  const Instant now = clock_.now();
  if (every_.count() == 0 || (now < due_ && !is_last)) return;
  const Instant to = is_last ? now : due_;
  std::vector<std::pair<Counts*, std::array<std::int64_t, http::kUses + 2>>> taken;
  std::vector<nlohmann::json> rows;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, counts] : counts_) {
      auto& [of, amounts] = taken.emplace_back(counts.get(), std::array<std::int64_t, http::kUses + 2>{});
      nlohmann::json row = {{"identity", key.first}, {"workspace", key.second}};
      std::int64_t all = 0;
      for (std::size_t use = 0; use < http::kUses; ++use) {
        all += amounts[use] = of->used[use].exchange(0);
        row[std::string(http::kNamesOfUses[use])] = amounts[use];
      }
      all += amounts[http::kUses] = of->refused.exchange(0);
      all += amounts[http::kUses + 1] = of->sent.exchange(0);
      row["refused"] = amounts[http::kUses];
      row["bytes_sent"] = amounts[http::kUses + 1];
      if (all > 0) rows.push_back(std::move(row));
    }
  }
  try {
    session.transaction([&] {
      for (std::size_t first = 0; first < rows.size(); first += kRowsOfANotice) {
        const std::size_t last = std::min(rows.size(), first + kRowsOfANotice);
        const nlohmann::json data = {
            {"process", process_},
            {"from", format_rfc3339(from_)},
            {"to", format_rfc3339(to)},
            {"used", std::vector<nlohmann::json>(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                                 rows.begin() + static_cast<std::ptrdiff_t>(last))}};
        const auto replace = nlohmann::json::error_handler_t::replace;
        feeds::put_notice(session, {feeds::kUsageFeed, "courant.usage", process_, data.dump(-1, ' ', false, replace)},
                          now);
      }
    });
  } catch (...) {
    for (const auto& [counts, amounts] : taken) {
      for (std::size_t use = 0; use < http::kUses; ++use) counts->used[use] += amounts[use];
      counts->refused += amounts[http::kUses];
      counts->sent += amounts[http::kUses + 1];
    }
    throw;
  }
  from_ = to;
  due_ = next_after(now);
}

}  // namespace courant::server
