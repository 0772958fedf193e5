// What is new in a feed, as filters see it: which of some entries have which term. A term of a filter is looked up
// once, however many entries there are, so that what many filters cost depends on their terms alone. Threads: a value;
// reading it takes a database thread.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "feeds/filter.h"
#include "feeds/writer.h"
#include "sql/database.h"

namespace courant::feeds {

class NewEntries {
 public:
  struct Entry {
    std::int64_t position = 0;
    std::vector<std::string> terms;  // folded
  };
  explicit NewEntries(const std::vector<Entry>& oldest_first);

  // The entries after a position, as many as are looked at at once: at most so many entries and terms, but one entry.
  static NewEntries read(sql::Session& session, FeedKey feed, std::int64_t after);
  static constexpr std::int64_t kMostEntries = 1'000;
  static constexpr std::int64_t kMostTerms = 50'000;

  // Up to where they go; 0: there are none.
  std::int64_t last() const { return positions_.empty() ? 0 : positions_.back(); }

  // The newest one that the filter matches; 0: none.
  std::int64_t newest_match(const Filter& filter) const;

 private:
  std::vector<std::int64_t> positions_;
  std::unordered_map<std::string, EntrySet> by_term_;
  EntrySet none_;  // of them
};

}  // namespace courant::feeds
