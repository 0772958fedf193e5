// The engine: everything that the routes of feeds need, made once. What a process knows (directory), how it writes
// (writer), how it hears of others (follower), and the threads that wait for PostgreSQL (executor).
// Threads: made and stopped by server/app.cc; used from every io thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/identity.h"
#include "feeds/directory.h"
#include "feeds/door_tally.h"
#include "feeds/doors.h"
#include "feeds/follower.h"
#include "feeds/further_forms.h"
#include "feeds/load.h"
#include "feeds/media_room.h"
#include "feeds/page_cache.h"
#include "feeds/quotas.h"
#include "feeds/waiting_room.h"
#include "feeds/workshop.h"
#include "feeds/writer.h"
#include "http/task.h"
#include "kernel/metrics.h"
#include "kernel/problem.h"
#include "kernel/replaceable.h"
#include "kernel/snapshot.h"
#include "kernel/time.h"
#include "sql/executor.h"

namespace courant::feeds {

struct EngineOptions {
  std::string public_url;  // without a final slash
  std::string hub_url;     // empty: no hub
  std::map<std::string, WorkspaceSettings, std::less<>> workspaces;
  Instant source_time;  // of the configuration
  std::uint64_t max_entry_bytes = 1 << 20;
  std::uint64_t max_batch_bytes = 16 << 20;
  std::uint64_t max_media_bytes = 16 << 20;
  std::uint64_t media_room = 256 << 20;          // bytes of media in memory for readers
  std::size_t max_batch = 1000;                  // entries of a batch
  std::int64_t max_page_bytes = 16 << 20;        // of entries in one page
  std::uint64_t cache_bytes = 256 << 20;         // of pages in memory
  std::chrono::seconds wait_cap{60};             // longest wait of a reader for news
  std::chrono::seconds most_poll_interval{60};   // the longest Poll-Interval; 0: none is sent
  std::chrono::milliseconds keep_alive{15'000};  // longest silence on a stream of events
  WaitingOptions waiting;
  WriterOptions writer;
};

// 404: there is no feed of this name.
Problem no_such_feed(const std::string& workspace, const std::string& name);
// 507: no more feeds are made in it.
Problem no_room_for_feeds(const std::string& workspace, std::int64_t max_feeds);

class Engine {
 public:
  // moved: told of every advance, by this process and by others; called on a writer's or the follower's thread.
  Engine(EngineOptions options, std::int64_t lanes, const sql::Database& database, sql::Executor& executor,
         const Clock& clock, Metrics& metrics, std::function<void(const std::vector<Advance>&)> moved);

  // Those of the moment; the reference holds as long as the engine.
  const EngineOptions& options() const { return *options_; }
  // Other workspaces, limits, cache and waiting options, for what begins from now on. URLs and writer stay.
  void change(EngineOptions options);
  // Schemas and stylesheets, read again, for what is published from now on.
  void change(std::shared_ptr<const Doors> doors) { doors_.store(std::move(doors)); }
  Directory& directory() { return directory_; }
  Follower& follower() { return follower_; }
  const Follower& follower() const { return follower_; }
  const Writer& writer() const { return writer_; }
  sql::Executor& executor() { return executor_; }
  MediaRoom& media_room() { return media_room_; }
  PageCache& pages() { return pages_; }
  FurtherForms& further_forms() { return further_forms_; }
  const FurtherForms& further_forms() const { return further_forms_; }
  WaitingRoom& waiting() { return waiting_; }
  const Quotas& quotas() const { return quotas_; }
  const DoorTally& door_tally() const { return door_tally_; }
  const Clock& clock() const { return clock_; }

  std::shared_ptr<const Doors> doors() const { return doors_.load(); }
  Workshop& workshop() { return workshop_; }

  const WorkspaceSettings* workspace(std::string_view name) const;  // null: not configured
  std::string feed_url(const FeedFacts& feed) const;
  std::string feed_url(std::string_view workspace, std::string_view name) const;

  // A feed by its name, from memory or the database. Throws Problem 404.
  http::Task<std::shared_ptr<LiveFeed>> require_feed(std::string workspace, std::string name);
  // Where there is none: null.
  http::Task<std::shared_ptr<LiveFeed>> find_feed(std::string workspace, std::string name);
  // Brings a feed up to what the database knows, for a reader who may know more than this process. Throws Problem 404.
  http::Task<void> ask_database(std::shared_ptr<LiveFeed> feed);
  // What holds for what is published to a feed, or would hold if publishing made it. Throws Problem 404 where it would
  // not.
  FeedSettings settings_for_publishing(const std::string& workspace, const std::string& name,
                                       const LiveFeed* known) const;
  // Whether publishing may make such a feed, so that it is worth waiting for.
  bool may_appear(const std::string& workspace, const std::string& name) const;
  // The same for publishing: makes it where the workspace says auto_create.
  http::Task<std::shared_ptr<LiveFeed>> require_feed_for_publishing(std::string workspace, std::string name);

  // Publishes one entry that has its id, or revises or deletes it; resumes when its fate is known. A feed that has just
  // been deleted is made again where the workspace says auto_create.
  http::Task<Published> publish(const access::Identity& identity, std::shared_ptr<LiveFeed> feed,
                                std::shared_ptr<const PreparedEntry> entry, Change change = {});

  // Publishes a batch: all of its entries or none; a result for each. head: as in Writer::submit_batch.
  http::Task<std::vector<Published>> publish_batch(const access::Identity& identity, std::shared_ptr<LiveFeed> feed,
                                                   std::vector<std::shared_ptr<const PreparedEntry>> entries,
                                                   bool is_strict, std::int64_t head);

  // Seconds until it is worth to ask the feed again, by its rhythm and by what the io threads and the database
  // have to do (load.h); nullopt: nothing is said. Quick; but once a second it takes a lock.
  std::optional<std::chrono::seconds> poll_interval(const LiveFeed& feed) const;
  // The same for who could not wait as long as he wanted, since too many do.
  std::optional<std::chrono::seconds> poll_interval_under_pressure() const;

  void stop();

 private:
  void know_of(FeedKey key, const Published& result);
  http::Task<Published> submit(FeedKey feed, std::shared_ptr<const PreparedEntry> entry, Change change);
  http::Task<std::vector<Published>> submit_batch(FeedKey feed,
                                                  std::vector<std::shared_ptr<const PreparedEntry>> entries,
                                                  bool is_strict, std::int64_t head);
  http::Task<void> make_again(std::shared_ptr<LiveFeed> feed);

  Replaceable<EngineOptions> options_;
  sql::Executor& executor_;
  const Clock& clock_;
  Directory directory_;
  PageCache pages_;
  DoorTally door_tally_;
  FurtherForms further_forms_;
  mutable Load load_;  // each io thread says what it sees
  WaitingRoom waiting_;
  Quotas quotas_;
  Follower follower_;  // tells the waiting
  MediaRoom media_room_;
  Snapshot<Doors> doors_;
  Workshop workshop_;
  Writer writer_;
};

}  // namespace courant::feeds
