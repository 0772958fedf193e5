// The work of an import: reads rows of a source, judges them, and stores them by the log's own publish(), in the order
// of the source. How far each feed has come is stored in the transaction that stores its entries, so a killed import
// goes on exactly where it was. While one piece is stored, the next one is read and judged.
// Threads: the main thread; one of its own that reads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "feeds/directory.h"
#include "feeds/prepared_entry.h"
#include "server/commands/atom_hopper_source.h"
#include "sql/database.h"

namespace courant::server {

// A feed of the source: where it goes, and how far it has come.
struct FeedImport {
  std::shared_ptr<feeds::LiveFeed> target;
  feeds::EntryRules rules;
  Instant kept_since = Instant::min();  // rows until then were dropped by retention: they do not come back
  SourcePlace place = {};               // the last row that was taken; of those up to there ...
  std::int64_t imported = 0;            // ... so many were stored,
  std::int64_t present = 0;             // were there before,
  std::int64_t refused = 0;             // cannot be taken;
  std::int64_t checksum = 0;            // of all: SourceRows
  SourceRows taken() const { return {imported + present + refused, checksum}; }
};

using FeedImports = std::map<std::string, FeedImport>;  // by the source's name

class Importer {
 public:
  // Called with a sentence for each row that is refused, once it is passed.
  using Refusal = std::function<void(const std::string&)>;
  // Called after each transaction with how many rows it took.
  using Taken = std::function<void(std::int64_t)>;

  Importer(AtomHopperSource& source, const sql::Database& database, sql::Session& target, FeedImports& feeds,
           const Clock& clock, Refusal refusal, Taken taken);

  // Brings every feed to the place that is stored for it.
  void load_places();

  // The feed is read from the beginning the next time: what is there is recognised.
  void begin_again(const std::string& name);

  // Takes all rows of these feeds after their places. Throws sql::Unavailable and sql::Refused; what was taken stays.
  void take(const std::vector<std::string>& names);

 private:
  struct JudgedRow;

  std::vector<JudgedRow> judge(const std::vector<SourceRow>& rows, const FeedImports& started) const;
  void store_piece(std::vector<JudgedRow>& piece);
  void store(std::vector<JudgedRow*> rows);
  void tell_servers(bool at_once);

  AtomHopperSource& source_;
  const sql::Database& database_;
  sql::Session& target_;
  FeedImports& feeds_;
  const Clock& clock_;
  const Refusal refusal_;
  const Taken taken_;
  std::set<std::int64_t> moved_;  // lanes that servers have not been told of
  Ticks told_{};
};

}  // namespace courant::server
