#include "server/feed_topics.h"

#include "feeds/reader.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::server {
namespace {

constexpr const char* kFeedType = "application/atom+xml;type=feed;charset=utf-8";

struct Name {
  std::string workspace;
  std::string feed;
};

// "/demo/events", with or without a final slash, percent-encoded or not; nullopt: no feed is called that.
std::optional<Name> name_in(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string_view> pieces = split(path, '/');
  if (pieces.size() != 3 || !pieces[0].empty()) return std::nullopt;
  std::optional<std::string> workspace = percent_decode(pieces[1]);
  std::optional<std::string> feed = percent_decode(pieces[2]);
  if (!workspace || !feed || !feeds::is_valid_name(*workspace) || !feeds::is_valid_name(*feed)) return std::nullopt;
  return Name{*std::move(workspace), *std::move(feed)};
}

}  // namespace

FeedTopics::FeedTopics(feeds::Directory& directory, const Clock& clock, const std::string& public_url,
                       std::string hub_url)
    : directory_(directory),
      clock_(clock),
      public_url_(public_url),
      public_parts_(parse_uri(public_url).value_or(Uri{})),
      hub_url_(std::move(hub_url)) {}

std::optional<hub::Topic> FeedTopics::find(sql::Session& session, const std::string& url) {
  const std::optional<Uri> parts = parse_uri(url);
  if (!parts || parts->scheme != public_parts_.scheme || parts->host != public_parts_.host ||
      parts->effective_port() != public_parts_.effective_port() || !parts->path.starts_with(public_parts_.path)) {
    return std::nullopt;
  }
  // A query asks for a part of a feed; none of those can be pushed yet.
  if (parts->fragment || (parts->query && !parts->query->empty())) return std::nullopt;
  const std::optional<Name> name = name_in(std::string_view(parts->path).substr(public_parts_.path.size()));
  if (!name) return std::nullopt;
  std::shared_ptr<feeds::LiveFeed> feed = directory_.find(name->workspace, name->feed);
  if (!feed) feed = directory_.load(session, name->workspace, name->feed);
  if (!feed) return std::nullopt;
  const feeds::FeedKey key = feed->facts().key;
  return hub::Topic{"/" + name->workspace + "/" + name->feed, key.lane, key.feed};
}

// Null: it has been deleted.
std::shared_ptr<feeds::LiveFeed> FeedTopics::find_feed(sql::Session& session, const hub::Topic& topic) {
  if (std::shared_ptr<feeds::LiveFeed> known = directory_.find({topic.lane, topic.feed})) return known;
  const std::optional<Name> name = name_in(topic.canonical);
  return name ? directory_.load(session, name->workspace, name->feed) : nullptr;
}

std::int64_t FeedTopics::position(sql::Session& session, const hub::Topic& topic) {
  const std::optional<Name> name = name_in(topic.canonical);
  const auto feed = name ? directory_.load(session, name->workspace, name->feed) : nullptr;
  if (!feed) throw Problem(404, "There is no feed " + topic.canonical);
  return feed->head();
}

std::int64_t FeedTopics::known_position(std::int64_t lane, std::int64_t feed) {
  const std::shared_ptr<feeds::LiveFeed> known = directory_.find({lane, feed});
  return known ? known->head() : 0;
}

std::optional<hub::PushDocument> FeedTopics::read(sql::Session& session, const hub::Topic& topic,
                                                  const std::string& self, std::int64_t from, std::int64_t upto,
                                                  const hub::PushLimits& limits) {
  const feeds::FeedKey key{topic.lane, topic.feed};
  const std::shared_ptr<feeds::LiveFeed> feed = find_feed(session, topic);
  const std::string feed_url = public_url_ + topic.canonical;
  std::optional<feeds::PushPage> page = feeds::read_push(session, key, feed.get(), from, upto, limits.max_entries,
                                                         limits.max_bytes, self, feed_url, hub_url_, clock_.now());
  if (!page) return std::nullopt;
  hub::PushDocument document;
  document.body = std::make_shared<const std::string>(std::move(page->document));
  document.content_type = kFeedType;
  document.self = self;
  document.from = from;
  document.to = page->to;
  document.entries = page->entries;
  document.previous_at = page->from_at;
  return document;
}

}  // namespace courant::server
