// One call of the server-side function publish_items(): its items, its parameters, its answer.
// Specification: sql/functions/publish.sql.
// Threads: a plain value, used by one writer thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feeds/writer.h"

namespace courant::feeds {

struct PublishItem {
  FeedKey feed;
  std::shared_ptr<const PreparedEntry> entry;
  Writer::Outcome outcome;
  std::size_t bytes = 0;
  std::int64_t group = 0;  // items of one batch share a number; 0: alone
  bool is_strict = false;  // the same content again fails the batch
  Change change;
  Ticks submitted = {};                   // the same for all of a batch
  std::optional<Instant> recorded = {};   // when another server stored it; absent: now
  std::optional<Instant> published = {};  // absent: as recorded
};

struct PublishCall {
  std::string name;  // a UUID: a repeated call is known by it
  std::int64_t lane = 0;
  std::vector<PublishItem> items;  // in the order of their arrival
  std::vector<std::string> salts;  // 16 bytes each
};

PublishCall make_call(std::int64_t lane, std::vector<PublishItem> items, Instant now);

// Runs the call once, in autocommit: when this returns, the commit is durable. `repeated`: an earlier try may have been
// committed. Results are in the order of the items. Throws what sql::Session::run throws.
std::vector<Published> run_call(sql::Session& session, const PublishCall& call, bool repeated, Instant now);

// What a call's results moved, one Advance for each feed.
std::vector<Advance> advances_of(const PublishCall& call, const std::vector<Published>& results);

// The 16-byte hash that entries are found by, as a UUID's text.
std::string id_hash(std::string_view id);

}  // namespace courant::feeds
