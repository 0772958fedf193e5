#include "server/commands/importer.h"

#include <algorithm>
#include <future>
#include <utility>

#include "feeds/follower.h"
#include "feeds/lifecycle.h"
#include "feeds/publish_call.h"
#include "server/queries.h"

namespace courant::server {

using feeds::PublishOutcome;

// A row on its way: the entry where it can be taken, and what became of it.
struct Importer::JudgedRow {
  std::string feed;
  std::string id;
  SourcePlace place;
  Instant published;
  Instant updated;
  std::shared_ptr<const feeds::PreparedEntry> entry;  // null: refused, or it was here once
  std::string reason;                                 // why it is refused
  bool is_new = false;
};

namespace {

constexpr std::chrono::seconds kHintPause{1};
constexpr std::size_t kMostOfCall = 500;

void save_place(sql::Session& session, const std::string& source, const std::string& name, const FeedImport& feed) {
  sql::Parameters parameters;
  parameters.add(source)
      .add(name)
      .add(feed.target->facts().created)
      .add(feed.place.updated)
      .add(feed.place.id)
      .add(feed.checksum);
  parameters.add(feed.imported).add(feed.present).add(feed.refused);
  session.run(queries::save_import_place, parameters);
}

// Why a row was not stored; empty: it is there, now or before.
std::string reason_of_refusal(const feeds::Published& result) {
  switch (result.outcome) {
    case PublishOutcome::kCreated:
    case PublishOutcome::kSame:
    case PublishOutcome::kGone:  // it was there, and has been deleted since
      return {};
    case PublishOutcome::kConflict:
      return "other content is stored under its id, at position " + std::to_string(result.position);
    case PublishOutcome::kNoFeed:
      throw sql::Unavailable("the feed was deleted meanwhile", false);
    default:
      return "the database refused it";
  }
}

}  // namespace

Importer::Importer(AtomHopperSource& source, const sql::Database& database, sql::Session& target, FeedImports& feeds,
                   const Clock& clock, Refusal refusal, Taken taken)
    : source_(source),
      database_(database),
      target_(target),
      feeds_(feeds),
      clock_(clock),
      refusal_(std::move(refusal)),
      taken_(std::move(taken)) {}

void Importer::load_places() {
  const sql::Rows rows = target_.run(queries::list_import_places, sql::Parameters().add(source_.name()));
  for (int i = 0; i < rows.size(); ++i) {
    const auto feed = feeds_.find(std::string(rows[i].text(0)));
    if (feed == feeds_.end()) continue;
    // Deleted since, with all that was imported: what is there now begins anew.
    if (rows[i].instant(1) != feed->second.target->facts().created) continue;
    feed->second.place = {rows[i].integer(2), rows[i].integer(3)};
    feed->second.checksum = rows[i].integer(4);
    feed->second.imported = rows[i].integer(5);
    feed->second.present = rows[i].integer(6);
    feed->second.refused = rows[i].integer(7);
  }
}

// What retention has dropped since would be stored once more, as the newest, since its ids are free again.
void Importer::begin_again(const std::string& name) {
  FeedImport& feed = feeds_.at(name);
  feed = {feed.target, feed.rules};
  if (feed.target->state()->settings.retain == feeds::Retention{}) return;
  const feeds::FeedKey key = feed.target->facts().key;
  const sql::Rows rows = target_.run(queries::kept_since, sql::Parameters().add(key.lane).add(key.feed));
  if (!rows.empty()) feed.kept_since = rows[0].instant(0);
}

void Importer::take(const std::vector<std::string>& names) {
  if (names.empty()) return;
  const FeedImports started = feeds_;
  SourcePlace place = started.at(names.front()).place;
  for (const std::string& name : names) place = std::min(place, started.at(name).place);

  struct Piece {
    std::vector<JudgedRow> rows;
    std::optional<SourcePlace> last;  // absent: nothing comes after
  };
  const auto read_after = [&](SourcePlace after) {
    const std::vector<SourceRow> rows = source_.rows_after(after, names);
    Piece piece;
    if (!rows.empty()) piece = {judge(rows, started), rows.back().place};
    return piece;
  };
  std::future<Piece> reading = std::async(std::launch::async, read_after, place);
  for (;;) {
    Piece piece = reading.get();
    if (!piece.last) break;
    reading = std::async(std::launch::async, read_after, *piece.last);
    store_piece(piece.rows);
    tell_servers(false);
  }
  tell_servers(true);
}

// Rows that a feed has passed already are left out: the feeds of one pass need not stand at the same place.
std::vector<Importer::JudgedRow> Importer::judge(const std::vector<SourceRow>& rows, const FeedImports& started) const {
  std::vector<JudgedRow> judged;
  for (const SourceRow& row : rows) {
    const FeedImport& feed = started.at(row.feed);
    if (row.place <= feed.place) continue;
    JudgedRow& next = judged.emplace_back();
    next.feed = row.feed;
    next.id = row.entry.id;
    next.place = row.place;
    next.published = row.published;
    next.updated = row.entry.updated;
    if (next.updated <= feed.kept_since) continue;
    Result<feeds::PreparedEntry> entry = feeds::read_stored_elsewhere(row.entry, feed.rules);
    if (entry) {
      next.entry = std::make_shared<const feeds::PreparedEntry>(*std::move(entry));
    } else {
      next.reason = with_place(entry.fault());
    }
  }
  return judged;
}

// A transaction takes one lane's lock and no other (docs/decisions/0002).
void Importer::store_piece(std::vector<JudgedRow>& piece) {
  std::map<std::int64_t, std::vector<JudgedRow*>> by_lane;
  for (JudgedRow& row : piece) {
    const std::int64_t lane = feeds_.at(row.feed).target->facts().key.lane;
    std::vector<JudgedRow*>& rows = by_lane[lane];
    rows.push_back(&row);
    if (rows.size() == kMostOfCall) store(std::exchange(rows, {}));
  }
  for (auto& [lane, rows] : by_lane) {
    if (!rows.empty()) store(std::move(rows));
  }
}

void Importer::store(std::vector<JudgedRow*> rows) {
  const std::int64_t lane = feeds_.at(rows.front()->feed).target->facts().key.lane;
  std::vector<feeds::PublishItem> items;
  std::set<std::string> begun;
  for (JudgedRow* const row : rows) {
    if (!row->entry) continue;
    const FeedImport& feed = feeds_.at(row->feed);
    if (feed.imported == 0 && begun.insert(row->feed).second)
      feeds::begin_earlier(target_, feed.target->facts().key, row->updated);
    const auto note = [row](const feeds::Published& result) {
      row->is_new = result.outcome == PublishOutcome::kCreated;
      row->reason = reason_of_refusal(result);
    };
    feeds::PublishItem& item = items.emplace_back();
    item.feed = feed.target->facts().key;
    item.entry = row->entry;
    item.outcome = note;
    item.recorded = row->updated;
    item.published = row->published;
  }
  FeedImports moved;
  try {
    target_.transaction([&] {
      if (!items.empty()) {
        const Instant now = clock_.now();
        const feeds::PublishCall call = feeds::make_call(lane, items, now);
        const std::vector<feeds::Published> results = feeds::run_call(target_, call, false, now);
        for (std::size_t i = 0; i < results.size(); ++i) call.items[i].outcome(results[i]);
      }
      for (const JudgedRow* const row : rows) {
        FeedImport& feed = moved.try_emplace(row->feed, feeds_.at(row->feed)).first->second;
        feed.place = row->place;
        feed.checksum = (feed.checksum + row->place.id % SourceRows::kModulus) % SourceRows::kModulus;
        ++(row->is_new ? feed.imported : row->reason.empty() ? feed.present : feed.refused);
      }
      for (const auto& [name, feed] : moved) save_place(target_, source_.name(), name, feed);
    });
  } catch (const sql::Refused& refused) {
    // A right or a table that is missing is no row's fault: nothing is passed for it.
    if (!refused.is_of_values()) throw;
    // The database refused the whole statement: only the guilty row shall be left out.
    if (rows.size() > 1) {
      for (JudgedRow* const row : rows) store({row});
      return;
    }
    if (!rows.front()->entry) throw;
    rows.front()->entry = nullptr;
    rows.front()->is_new = false;
    rows.front()->reason = "the database refused it";
    return store(std::move(rows));
  }
  for (auto& [name, feed] : moved) feeds_.at(name) = feed;
  for (const JudgedRow* const row : rows) {
    if (row->reason.empty()) continue;
    refusal_("row " + std::to_string(row->place.id) + " of " + row->feed + " (" + row->id +
             ") was not imported: " + row->reason);
  }
  if (!items.empty()) moved_.insert(lane);
  taken_(static_cast<std::int64_t>(rows.size()));
}

void Importer::tell_servers(bool at_once) {
  const Ticks now = clock_.ticks();
  if (moved_.empty() || (!at_once && now < told_ + kHintPause)) return;
  feeds::tell_servers(database_.options(), moved_);
  moved_.clear();
  told_ = now;
}

}  // namespace courant::server
