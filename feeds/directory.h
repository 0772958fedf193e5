// The feeds that this process knows, each with where it stands: what a conditional GET is answered from without SQL.
// A feed's head here may be trusted only while the follower proves that it hears of other processes (follower.h).
// Threads: every call from any thread; reading takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "feeds/rhythm.h"
#include "feeds/settings.h"
#include "feeds/writer.h"
#include "kernel/snapshot.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::feeds {

// "demo/events"; no feed's is empty.
std::string full_name(std::string_view workspace, std::string_view name);

// What never changes of a feed.
struct FeedFacts {
  FeedKey key;
  std::string workspace;
  std::string name;
  std::string uri;  // its atom:id
  std::int64_t page_size = 25;
  Instant created;
};

// What changes now and then; all of it is in every ETag of the feed.
struct FeedState {
  FeedSettings settings;
  std::int64_t revision = 0;
  std::int64_t floor = 0;  // positions up to here are not kept any more
  std::int64_t redactions = 0;
  std::int64_t generation = 1;
  bool operator==(const FeedState&) const = default;
};

// How far the page of the newest entries reaches back, as it was read when the feed was of this version and stood
// there: what its links follow from. Pages are cut at max_page_bytes, so that page_size alone does not tell.
struct HeadPage {
  std::uint64_t version = 0;
  std::int64_t head = 0;
  std::int64_t after = 0;  // exclusive
};

class LiveFeed {
 public:
  LiveFeed(FeedFacts facts, FeedState state, std::int64_t head);

  const FeedFacts& facts() const { return facts_; }
  std::shared_ptr<const FeedState> state() const { return state_.load(); }
  std::int64_t head() const { return head_; }
  // Another one whenever anything but the head may have changed, and when the feed is forgotten: what was made of an
  // earlier state does not hold any more. Never 0, and never that of another feed.
  std::uint64_t version() const { return version_; }
  // As somebody has read it last; null: nobody has.
  std::shared_ptr<const HeadPage> head_page() const { return head_page_.load(); }
  void note_head_page(HeadPage page) { head_page_.store(std::make_shared<const HeadPage>(page)); }
  // By the steady clock, as Clock::ticks is.
  const Rhythm& rhythm() const { return rhythm_; }

  // Never back: of two threads that tell, the later position wins.
  void advance(std::int64_t head);
  // A new generation: the log may have been set back.
  void restart(std::int64_t head);
  void replace_state(FeedState state);
  // It is not what this name means any more.
  void outdate();

 private:
  const FeedFacts facts_;
  Snapshot<FeedState> state_;
  std::atomic<std::int64_t> head_;
  std::atomic<std::uint64_t> version_;
  Snapshot<HeadPage> head_page_;
  Rhythm rhythm_;

  friend class Directory;
  std::uint64_t loaded_ = 0;  // the ticket of the newest row that was applied; guarded by Directory::writing_
};

// A feed to be made.
struct NewFeed {
  std::string_view workspace;
  std::string_view name;
  std::int64_t page_size = 25;
  FeedSettings settings;
  Instant source_time;  // of the configuration that its settings come from
  // Feeds that its workspace may have; 0: any number. nullopt: nor is it asked whether there is such a workspace.
  std::optional<std::int64_t> quota = std::nullopt;
};

// A feed that was read anew: where memory had it before, and where it stands in the database.
struct Refreshed {
  std::shared_ptr<LiveFeed> feed;
  std::int64_t before = 0;  // 0: it was not known
  std::int64_t stored = 0;
};

// The lanes of a database, fixed when it was made.
std::int64_t read_lanes(sql::Session& session);

class Directory {
 public:
  explicit Directory(std::int64_t lanes) : lanes_(lanes) {}

  // From memory; null: not known to this process (it may exist all the same).
  std::shared_ptr<LiveFeed> find(std::string_view workspace, std::string_view name) const;
  std::shared_ptr<LiveFeed> find(FeedKey key) const;

  // What a commit has appended to; what is not known to this process stays unknown.
  void advance(FeedKey key, std::int64_t head);

  // From the database, and from then on in memory; null: there is no such feed, and memory forgets it. Known feeds are
  // brought up to date.
  std::shared_ptr<LiveFeed> load(sql::Session& session, std::string_view workspace, std::string_view name);

  // The same by its number, of a feed that another process has made.
  std::shared_ptr<LiveFeed> load(sql::Session& session, FeedKey key);

  // Makes the feed where there is none, then loads it. Two that make the same feed at once get the same. Null: the
  // workspace's quota is used up. Throws Problem 404 where there is no such workspace.
  std::shared_ptr<LiveFeed> create(sql::Session& session, const NewFeed& feed, Instant now);

  // All feeds of the database, into memory, so that readers and the hub need not ask for each; what the database does
  // not have any more is forgotten.
  std::vector<Refreshed> load_all(sql::Session& session);

  // All feeds that are known, in no order.
  std::vector<std::shared_ptr<LiveFeed>> all() const;

  // The lane of a feed: a hash of its name that every process computes alike.
  std::int64_t lane_of(std::string_view workspace, std::string_view name) const;

 private:
  using ByName = std::unordered_map<std::string, std::shared_ptr<LiveFeed>>;
  using ByKey = std::unordered_map<std::int64_t, std::shared_ptr<LiveFeed>>;  // by feed number, one map per lane

  // ticket: drawn before the row was read. Of two rows the one that was asked for later wins.
  std::shared_ptr<LiveFeed> take(const sql::Row& row, FeedKey key, std::string_view workspace, std::string_view name,
                                 std::uint64_t ticket);
  void remember(const std::shared_ptr<LiveFeed>& feed);
  void forget(LiveFeed& feed);

  // Maps are replaced, not changed: a reader keeps the one it has. Cut into pieces so that a new feed copies little.
  static constexpr std::size_t kPieces = 256;
  const std::int64_t lanes_;
  std::array<Snapshot<ByName>, kPieces> by_name_;
  std::array<Snapshot<ByKey>, kPieces> by_key_;
  std::atomic<std::uint64_t> tickets_{0};
  std::mutex writing_;  // guards replacing a map, not reading one
};

}  // namespace courant::feeds
