// Atom Hopper's table `entries`, as its JDBC adapters write it, read in the order in which its feeds show entries.
// Only reads, and in bounded pieces.
// Threads: one at a time.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "feeds/imported.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

// A place in the table's order: datelastupdated in microseconds since 1970, then id.
struct SourcePlace {
  std::int64_t updated = -62'135'596'800'000'000;  // the year 1: before the first row
  std::int64_t id = 0;
  auto operator<=>(const SourcePlace&) const = default;
};

// So many rows, and a sum over their numbers that tells them from others: rows go and come at once.
struct SourceRows {
  static constexpr std::int64_t kModulus = 1'000'000'000'000'000'000;
  std::int64_t count = 0;
  std::int64_t checksum = 0;  // the sum of their numbers modulo kModulus
  bool operator==(const SourceRows&) const = default;
};

struct SourceFeed {
  std::string name;  // as Atom Hopper calls it; empty: of rows without a feed
  SourceRows rows;
  std::int64_t newest = 0;  // SourcePlace::updated of its newest row
};

struct SourceRow {
  std::string feed;
  SourcePlace place;
  Instant published;
  feeds::StoredElsewhere entry;
};

class AtomHopperSource {
 public:
  static constexpr std::int64_t kMostRows = 2000;      // of one piece
  static constexpr std::int64_t kMostBytes = 8 << 20;  // a piece ends with the entry that goes beyond

  // time_zone: of timestamps that the table keeps without one. max_entry_bytes: of a longer entry only a bit more
  // comes, so that it is seen to be too long. All calls throw sql::Unavailable or sql::Refused.
  AtomHopperSource(const std::string& url, std::string time_zone, std::int64_t max_entry_bytes);

  const std::string& name() const { return name_; }  // of the database, another for each, the same whenever it is read
  std::vector<SourceFeed> feeds();
  std::vector<SourceRow> rows_after(const SourcePlace& place, const std::vector<std::string>& feeds);
  SourceRows rows_up_to(const SourcePlace& place, const std::string& feed);

 private:
  const std::string time_zone_;
  const std::int64_t max_entry_bytes_;
  std::unique_ptr<sql::Session> session_;
  std::string name_;
};

}  // namespace courant::server
