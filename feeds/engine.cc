#include "feeds/engine.h"

#include <algorithm>
#include <thread>

#include "kernel/uri.h"
#include "sql/until_called.h"

namespace courant::feeds {
namespace {

// A feed may be deleted again before what made it again is published.
constexpr int kMostRemakes = 10;
constexpr std::size_t kMostJudged = 1024;            // requests whose bodies wait to be judged
constexpr std::chrono::seconds kLoadedInterval{15};  // no shorter Poll-Interval while there is much to do

bool is_homeless(const Published& result) {
  return result.outcome == PublishOutcome::kNoFeed;
}

// Whether a feed is made again for it. Where a feed would have to stand nowhere, nothing would be stored in it.
bool needs_feed(const Change& change) {
  return change.kind != Change::Kind::kDeletion && change.head != Change::kNowhere;
}

}  // namespace

Problem no_room_for_feeds(const std::string& workspace, std::int64_t max_feeds) {
  return Problem(507, "The workspace " + workspace + " has the " + std::to_string(max_feeds) +
                          " feeds already that it may have (max_feeds): use one of them, delete some, or have its "
                          "operator raise max_feeds")
      .with("Retry-After", "60");
}

Problem no_such_feed(const std::string& workspace, const std::string& name) {
  return Problem(404, "There is no feed " + workspace + "/" + name);
}

Engine::Engine(EngineOptions options, std::int64_t lanes, const sql::Database& database, sql::Executor& executor,
               const Clock& clock, Metrics& metrics, std::function<void(const std::vector<Advance>&)> moved)
    : options_(std::move(options)),
      executor_(executor),
      clock_(clock),
      directory_(lanes),
      pages_(options_->cache_bytes, executor, metrics),
      door_tally_(metrics),
      further_forms_(door_tally_),
      waiting_(options_->waiting, directory_, executor, metrics),
      quotas_(database, directory_, clock, [this]() -> const Quotas::Workspaces& { return options_->workspaces; }),
      follower_(database, directory_, clock,
                [this, moved](const std::vector<Advance>& advances) {
                  waiting_.moved(advances);
                  quotas_.moved(advances);
                  moved(advances);
                }),
      media_room_(options_->media_room),
      doors_(std::make_shared<const Doors>(Folder())),
      workshop_(static_cast<int>(std::max(std::thread::hardware_concurrency(), 2U)), kMostJudged),
      writer_(
          options_->writer, database, clock, metrics,
          [this](const std::vector<Advance>& advances) {
            for (const Advance& advance : advances) directory_.advance(advance.feed, advance.last);
          },
          [this, moved](const std::vector<Advance>& advances) {
            waiting_.moved(advances);
            quotas_.moved(advances);
            moved(advances);
            follower_.tell(advances.front().feed.lane);  // a call is of one lane
          }) {}

void Engine::change(EngineOptions options) {
  options.public_url = options_->public_url;
  options.hub_url = options_->hub_url;
  options.writer = options_->writer;
  options.media_room = options_->media_room;
  pages_.change(options.cache_bytes);
  waiting_.change(options.waiting);
  options_.replace(std::move(options));
}

const WorkspaceSettings* Engine::workspace(std::string_view name) const {
  const auto& workspaces = options_->workspaces;
  const auto found = workspaces.find(name);
  return found == workspaces.end() ? nullptr : &found->second;
}

std::string Engine::feed_url(const FeedFacts& feed) const {
  return feed_url(feed.workspace, feed.name);
}

std::string Engine::feed_url(std::string_view workspace, std::string_view name) const {
  return options_->public_url + "/" + std::string(workspace) + "/" + std::string(name);
}

http::Task<std::shared_ptr<LiveFeed>> Engine::find_feed(std::string workspace, std::string name) {
  if (std::shared_ptr<LiveFeed> known = directory_.find(workspace, name)) co_return known;
  if (!is_valid_name(workspace) || !is_valid_name(name)) co_return nullptr;
  const auto load = [this, workspace, name](sql::Session& session) {
    return directory_.load(session, workspace, name);
  };
  std::shared_ptr<LiveFeed> loaded = co_await executor_.run(load);
  co_return loaded;
}

http::Task<std::shared_ptr<LiveFeed>> Engine::require_feed(std::string workspace, std::string name) {
  std::shared_ptr<LiveFeed> found = co_await find_feed(workspace, name);
  if (!found) throw no_such_feed(workspace, name);
  co_return found;
}

http::Task<void> Engine::ask_database(std::shared_ptr<LiveFeed> feed) {
  const auto load = [this, feed](sql::Session& session) {
    return directory_.load(session, feed->facts().workspace, feed->facts().name) != nullptr;
  };
  const bool is_there = co_await executor_.run(load);
  if (!is_there) throw no_such_feed(feed->facts().workspace, feed->facts().name);
}

FeedSettings Engine::settings_for_publishing(const std::string& workspace, const std::string& name,
                                             const LiveFeed* known) const {
  if (known != nullptr) return known->state()->settings;
  const WorkspaceSettings* const settings = this->workspace(workspace);
  if (settings == nullptr || !settings->auto_create) throw no_such_feed(workspace, name);
  if (!is_valid_name(name)) throw Problem(404, std::string("A feed's name has ") + kNameRule);
  return settings->feeds;
}

bool Engine::may_appear(const std::string& workspace, const std::string& name) const {
  const WorkspaceSettings* const settings = this->workspace(workspace);
  return settings != nullptr && settings->auto_create && is_valid_name(name);
}

http::Task<std::shared_ptr<LiveFeed>> Engine::require_feed_for_publishing(std::string workspace, std::string name) {
  if (std::shared_ptr<LiveFeed> known = directory_.find(workspace, name)) co_return known;
  const WorkspaceSettings* const settings = this->workspace(workspace);
  if (settings == nullptr || !settings->auto_create) {
    std::shared_ptr<LiveFeed> existing = co_await require_feed(workspace, name);
    co_return existing;
  }
  if (!is_valid_name(name)) {
    throw Problem(404, std::string("A feed's name has ") + kNameRule);
  }
  const auto create = [this, workspace, name, settings](sql::Session& session) {
    FeedSettings made = settings->feeds;
    if (made.title.empty()) made.title = name;
    return directory_.create(session,
                             {workspace, name, settings->page_size, made, options_->source_time, settings->max_feeds},
                             clock_.now());
  };
  std::shared_ptr<LiveFeed> created = co_await executor_.run(create);
  if (!created) {
    throw no_room_for_feeds(workspace, settings->max_feeds);
  }
  co_return created;
}

// Throws Problem 404 where feeds do not appear by publishing.
http::Task<void> Engine::make_again(std::shared_ptr<LiveFeed> feed) {
  const auto forget = [this, feed](sql::Session& session) {
    return directory_.load(session, feed->facts().workspace, feed->facts().name);
  };
  co_await executor_.run(forget);
  co_await require_feed_for_publishing(feed->facts().workspace, feed->facts().name);
}

http::Task<Published> Engine::publish(const access::Identity&, std::shared_ptr<LiveFeed> feed,
                                      std::shared_ptr<const PreparedEntry> entry, Change change) {
  Published result = co_await submit(feed->facts().key, entry, change);
  for (int left = kMostRemakes; is_homeless(result) && needs_feed(change) && left > 0; --left) {
    co_await make_again(feed);
    result = co_await submit(feed->facts().key, entry, change);
  }
  co_return result;
}

http::Task<std::vector<Published>> Engine::publish_batch(const access::Identity&, std::shared_ptr<LiveFeed> feed,
                                                         std::vector<std::shared_ptr<const PreparedEntry>> entries,
                                                         bool is_strict, std::int64_t head) {
  std::vector<Published> results = co_await submit_batch(feed->facts().key, entries, is_strict, head);
  const bool may_store = head != Change::kNowhere;
  for (int left = kMostRemakes; may_store && std::ranges::any_of(results, is_homeless) && left > 0; --left) {
    co_await make_again(feed);
    results = co_await submit_batch(feed->facts().key, entries, is_strict, head);
  }
  co_return results;
}

http::Task<Published> Engine::submit(FeedKey feed, std::shared_ptr<const PreparedEntry> entry, Change change) {
  auto outcome = std::make_shared<Published>();
  const auto start = [this, feed, entry, change, outcome](auto call) {
    writer_.submit(feed, entry, change, [call, outcome](const Published& result) {
      *outcome = result;
      call();
    });
  };
  co_await sql::until_called(start);
  know_of(feed, *outcome);
  co_return *outcome;
}

// Whoever is told of a position here sees at least that here, also where another process stored it and has not been
// heard of yet, as after a retry.
void Engine::know_of(FeedKey key, const Published& result) {
  if (result.outcome != PublishOutcome::kSame) return;
  if (const std::shared_ptr<LiveFeed> feed = directory_.find(key)) feed->advance(result.position);
}

http::Task<std::vector<Published>> Engine::submit_batch(FeedKey feed,
                                                        std::vector<std::shared_ptr<const PreparedEntry>> entries,
                                                        bool is_strict, std::int64_t head) {
  auto outcome = std::make_shared<std::vector<Published>>();
  const auto start = [this, feed, &entries, is_strict, head, outcome](auto call) {
    writer_.submit_batch(feed, entries, is_strict, head, [call, outcome](std::vector<Published> results) {
      *outcome = std::move(results);
      call();
    });
  };
  co_await sql::until_called(start);
  for (const Published& result : *outcome) know_of(feed, result);
  co_return std::move(*outcome);
}

std::optional<std::chrono::seconds> Engine::poll_interval(const LiveFeed& feed) const {
  const std::optional<std::chrono::seconds> most = poll_interval_under_pressure();
  if (!most || waiting_.is_pressed()) return most;
  const Ticks now = clock_.ticks();
  const std::chrono::seconds interval = feed.rhythm().poll_interval(now, *most);
  thread_local WorkedTime worked;
  if (worked.is_due(now)) {
    const bool is_busy = worked.look(now, processor_time());
    if (is_busy || executor_.is_behind()) load_.note_high(now);
  }
  return load_.is_high(now) ? std::max(interval, std::min(kLoadedInterval, *most)) : interval;
}

std::optional<std::chrono::seconds> Engine::poll_interval_under_pressure() const {
  const std::chrono::seconds most = options_->most_poll_interval;
  return most.count() == 0 ? std::nullopt : std::optional(most);
}

void Engine::stop() {
  workshop_.stop();
  writer_.stop();
  follower_.stop();
  quotas_.stop();
}

}  // namespace courant::feeds
