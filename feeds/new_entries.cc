#include "feeds/new_entries.h"

#include <utility>

#include "feeds/queries.h"

namespace courant::feeds {

NewEntries::NewEntries(const std::vector<Entry>& oldest_first) : none_(oldest_first.size()) {
  for (std::size_t i = 0; i < oldest_first.size(); ++i) {
    positions_.push_back(oldest_first[i].position);
    for (const std::string& term : oldest_first[i].terms) by_term_.try_emplace(term, none_).first->second.set(i);
  }
}

NewEntries NewEntries::read(sql::Session& session, FeedKey feed, std::int64_t after) {
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(after).add(kMostEntries).add(kMostTerms);
  const sql::Rows rows = session.run(queries::read_terms, parameters);
  std::vector<Entry> entries;
  for (int i = 0; i < rows.size(); ++i) entries.push_back({rows[i].integer(0), rows[i].texts(1)});
  return NewEntries(entries);
}

std::int64_t NewEntries::newest_match(const Filter& filter) const {
  const auto with_term = [this](const std::string& term) -> const EntrySet& {
    const auto found = by_term_.find(term);
    return found == by_term_.end() ? none_ : found->second;
  };
  const EntrySet matching = filter.matching(with_term, positions_.size());
  for (std::size_t i = positions_.size(); i-- > 0;) {
    if (matching.test(i)) return positions_[i];
  }
  return 0;
}

}  // namespace courant::feeds
