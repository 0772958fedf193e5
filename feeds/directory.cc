#include "feeds/directory.h"

#include "feeds/own_feeds.h"
#include "feeds/queries.h"
#include "kernel/digest.h"
#include "kernel/log.h"
#include "kernel/problem.h"

namespace courant::feeds {
namespace {

std::size_t piece_of_name(const std::string& full) {
  return std::hash<std::string>{}(full) % 256;
}
std::size_t piece_of_key(FeedKey key) {
  return static_cast<std::size_t>(key.feed * 31 + key.lane) % 256;
}
// Lanes are few: the two numbers fit in one.
std::int64_t packed(FeedKey key) {
  return key.feed << 16 | key.lane;
}

template <class Map, class Key>
std::shared_ptr<LiveFeed> find_in(const Snapshot<Map>& piece, const Key& key) {
  const std::shared_ptr<const Map> map = piece.load();
  if (!map) return nullptr;
  const auto found = map->find(key);
  return found == map->end() ? nullptr : found->second;
}

template <class Map, class Key>
void put_into(Snapshot<Map>& piece, const Key& key, const std::shared_ptr<LiveFeed>& feed) {
  const std::shared_ptr<const Map> old = piece.load();
  auto fresh = old ? std::make_shared<Map>(*old) : std::make_shared<Map>();
  (*fresh)[key] = feed;
  piece.store(std::move(fresh));
}

template <class Map, class Key>
void take_from(Snapshot<Map>& piece, const Key& key) {
  auto fresh = std::make_shared<Map>(*piece.load());
  fresh->erase(key);
  piece.store(std::move(fresh));
}

std::uint64_t fresh_version() {
  static std::atomic<std::uint64_t> versions{0};
  return ++versions;
}

FeedSettings stored_settings(std::string_view text, const std::string& feed) {
  Result<FeedSettings> settings = feed_settings_from_json(text);
  if (settings) return *std::move(settings);
  log_error("a feed's stored settings cannot be read; defaults are used", {{"feed", feed}});
  return {};
}

}  // namespace

std::string full_name(std::string_view workspace, std::string_view name) {
  std::string full(workspace);
  full += '/';
  full += name;
  return full;
}

LiveFeed::LiveFeed(FeedFacts facts, FeedState state, std::int64_t head)
    : facts_(std::move(facts)),
      state_(std::make_shared<const FeedState>(std::move(state))),
      head_(head),
      version_(fresh_version()),
      rhythm_(std::chrono::steady_clock::now()) {}

void LiveFeed::advance(std::int64_t head) {
  std::int64_t known = head_;
  while (known < head) {
    if (head_.compare_exchange_weak(known, head)) return rhythm_.beat(std::chrono::steady_clock::now());
  }
}

void LiveFeed::restart(std::int64_t head) {
  head_ = head;
  outdate();
}

void LiveFeed::replace_state(FeedState state) {
  state_.store(std::make_shared<const FeedState>(std::move(state)));
  outdate();
}

void LiveFeed::outdate() {
  version_ = fresh_version();
}

std::int64_t read_lanes(sql::Session& session) {
  return session.run(queries::find_lanes)[0].integer(0);
}

std::shared_ptr<LiveFeed> Directory::find(std::string_view workspace, std::string_view name) const {
  const std::string full = full_name(workspace, name);
  return find_in(by_name_[piece_of_name(full)], full);
}

std::shared_ptr<LiveFeed> Directory::find(FeedKey key) const {
  return find_in(by_key_[piece_of_key(key)], packed(key));
}

void Directory::advance(FeedKey key, std::int64_t head) {
  if (const std::shared_ptr<LiveFeed> feed = find(key)) feed->advance(head);
}

std::shared_ptr<LiveFeed> Directory::load(sql::Session& session, std::string_view workspace, std::string_view name) {
  const std::int64_t lane = lane_of(workspace, name);
  const std::uint64_t ticket = ++tickets_;
  const sql::Rows rows = session.run(queries::find_feed, sql::Parameters().add(lane).add(workspace).add(name));
  if (rows.empty()) {
    if (const std::shared_ptr<LiveFeed> known = find(workspace, name)) forget(*known);
    return nullptr;
  }
  return take(rows[0], {lane, rows[0].integer(0)}, workspace, name, ticket);
}

std::shared_ptr<LiveFeed> Directory::load(sql::Session& session, FeedKey key) {
  const sql::Rows rows = session.run(queries::find_feed_name, sql::Parameters().add(key.lane).add(key.feed));
  return rows.empty() ? nullptr : load(session, rows[0].text(0), rows[0].text(1));
}

std::vector<Refreshed> Directory::load_all(sql::Session& session) {
  std::unordered_map<std::int64_t, std::int64_t> before;  // heads, noted before the database is asked
  const std::vector<std::shared_ptr<LiveFeed>> known = all();
  for (const std::shared_ptr<LiveFeed>& feed : known) before.emplace(packed(feed->facts().key), feed->head());
  const std::uint64_t ticket = ++tickets_;
  const sql::Rows rows = session.run(queries::list_feeds);
  std::vector<Refreshed> refreshed;
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    const FeedKey key{row.integer(10), row.integer(0)};
    Refreshed& feed = refreshed.emplace_back();
    feed.feed = take(row, key, row.text(11), row.text(12), ticket);
    feed.stored = row.integer(8);
    if (const auto noted = before.find(packed(key)); noted != before.end()) {
      feed.before = noted->second;
      before.erase(noted);
    }
  }
  for (const std::shared_ptr<LiveFeed>& feed : known) {
    if (before.contains(packed(feed->facts().key))) forget(*feed);
  }
  return refreshed;
}

// A row of find_feed or list_feeds, into memory.
std::shared_ptr<LiveFeed> Directory::take(const sql::Row& row, FeedKey key, std::string_view workspace,
                                          std::string_view name, std::uint64_t ticket) {
  FeedState state;
  state.settings = as_meant(workspace, stored_settings(row.text(3), full_name(workspace, name)));
  state.revision = row.integer(4);
  state.floor = row.integer(6);
  state.redactions = row.integer(7);
  state.generation = row.integer(9);
  const std::int64_t head = row.integer(8);
  if (const std::shared_ptr<LiveFeed> known = find(key)) {
    {
      const std::lock_guard lock(writing_);
      const bool is_restarted = known->state()->generation != state.generation;
      if (ticket < known->loaded_) {
        if (!is_restarted) known->advance(head);
        return known;
      }
      known->loaded_ = ticket;
      if (*known->state() != state) known->replace_state(std::move(state));
      is_restarted ? known->restart(head) : known->advance(head);
    }
    remember(known);
    return known;
  }
  FeedFacts facts{key,           std::string(workspace), std::string(name), std::string(row.text(1)), row.integer(2),
                  row.instant(5)};
  const auto fresh = std::make_shared<LiveFeed>(std::move(facts), std::move(state), head);
  fresh->loaded_ = ticket;
  remember(fresh);
  return find(key);
}

std::shared_ptr<LiveFeed> Directory::create(sql::Session& session, const NewFeed& feed, Instant now) {
  sql::Parameters parameters;
  parameters.add(lane_of(feed.workspace, feed.name)).add(feed.workspace).add(feed.name);
  parameters.add("urn:uuid:" + uuid_v7(now)).add(feed.page_size).add(to_json(feed.settings)).add(feed.source_time);
  parameters.add(now);
  feed.quota ? parameters.add(*feed.quota) : parameters.add_null();
  const sql::Rows made = session.run(queries::create_feed, parameters);
  if (made[0].is_null(0)) return nullptr;
  if (made[0].integer(0) == 0) throw Problem(404, "There is no workspace " + std::string(feed.workspace));
  return load(session, feed.workspace, feed.name);
}

std::vector<std::shared_ptr<LiveFeed>> Directory::all() const {
  std::vector<std::shared_ptr<LiveFeed>> feeds;
  for (const Snapshot<ByName>& piece : by_name_) {
    const std::shared_ptr<const ByName> map = piece.load();
    if (!map) continue;
    for (const auto& [name, feed] : *map) feeds.push_back(feed);
  }
  return feeds;
}

std::int64_t Directory::lane_of(std::string_view workspace, std::string_view name) const {
  return static_cast<std::int64_t>(stable_hash(full_name(workspace, name)) % static_cast<std::uint64_t>(lanes_));
}

void Directory::remember(const std::shared_ptr<LiveFeed>& feed) {
  const FeedFacts& facts = feed->facts();
  const std::string full = full_name(facts.workspace, facts.name);
  const std::lock_guard lock(writing_);
  // Another thread may have loaded the same feed meanwhile: the first one stays, everybody shares it.
  std::shared_ptr<LiveFeed> known = find_in(by_key_[piece_of_key(facts.key)], packed(facts.key));
  if (!known) {
    known = feed;
    put_into(by_key_[piece_of_key(facts.key)], packed(facts.key), known);
  }
  // Its name may have meant another feed, which has been deleted since.
  const std::shared_ptr<LiveFeed> former = find_in(by_name_[piece_of_name(full)], full);
  if (former == known) return;
  put_into(by_name_[piece_of_name(full)], full, known);
  if (!former) return;
  take_from(by_key_[piece_of_key(former->facts().key)], packed(former->facts().key));
  former->outdate();
}

void Directory::forget(LiveFeed& feed) {
  const FeedFacts& facts = feed.facts();
  const std::string full = full_name(facts.workspace, facts.name);
  const std::lock_guard lock(writing_);
  if (find_in(by_key_[piece_of_key(facts.key)], packed(facts.key)).get() != &feed) return;
  take_from(by_key_[piece_of_key(facts.key)], packed(facts.key));
  // Another feed may have got the name already.
  if (find_in(by_name_[piece_of_name(full)], full).get() == &feed) take_from(by_name_[piece_of_name(full)], full);
  feed.outdate();
}

}  // namespace courant::feeds
