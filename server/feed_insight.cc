#include "server/feed_insight.h"

#include "feeds/push.h"
#include "hub/foreign_topics.h"
#include "kernel/problem.h"

namespace courant::server {

FeedInsight::Seen FeedInsight::see(sql::Session& session, const hub::Topic& topic, const std::string* search) {
  if (topic.lane == hub::kForeignLane) {
    throw Problem(409,
                  "This topic is another server's: what it sends is passed on whole, and cannot be asked for here");
  }
  std::optional<TopicUrl> url = parse_topic_url(topic.canonical);
  if (!url) throw Problem(500, topic.canonical + " is not the name of a topic");
  if (search != nullptr) {
    std::erase_if(url->parameters, [](const auto& parameter) { return parameter.first == "search"; });
    if (!search->empty()) url->parameters.emplace_back("search", *search);
  }
  const feeds::FeedKey key{topic.lane, topic.feed};
  std::shared_ptr<feeds::LiveFeed> feed = directory_.find(key);
  if (!feed) feed = directory_.load(session, url->workspace, url->feed);
  if (!feed) throw Problem(404, "The feed of this topic does not exist any more");
  feeds::PushView view = feeds::parse_push_view(url->parameters, feed->facts().page_size, feed->state());
  return {std::move(feed), *std::move(url), std::move(view)};
}

hub::Backlog FeedInsight::backlog(sql::Session& session, const hub::Topic& topic, std::int64_t position) {
  if (topic.lane == hub::kForeignLane) return {0, topics_.position(session, topic), std::nullopt};
  const feeds::FeedBacklog backlog = feeds::read_backlog(session, {topic.lane, topic.feed}, position);
  return {backlog.floor, backlog.head, backlog.oldest};
}

hub::PushDocument FeedInsight::empty_document(sql::Session& session, const hub::Topic& topic, const std::string& self,
                                              std::int64_t position) {
  const Seen seen = see(session, topic);
  feeds::PushRequest request;
  request.from = position;
  request.self = self;
  request.feed_url = public_url_ + "/" + seen.url.workspace + "/" + seen.url.feed;
  request.hub_url = public_url_ + "/hub";
  request.forms = forms_;
  hub::PushDocument document;
  document.body = std::make_shared<const std::string>(feeds::empty_push(*seen.feed, seen.view, request, clock_));
  document.content_type = seen.view.offer->content_type;
  document.self = self;
  document.from = position;
  document.to = position;
  document.entries = 0;
  document.generation = seen.feed->state()->generation;
  return document;
}

hub::NamedTopic FeedInsight::through_filter(sql::Session& session, const hub::Topic& topic, const std::string& search,
                                            const std::string& identity) {
  const Seen seen = see(session, topic, &search);
  hub::NamedTopic named{topic, {}};
  named.topic.canonical = canonical_topic(seen.url, seen.view);
  named.topic = topics_.bound_topic(session, named.topic, identity);
  named.self = public_url_ + named.topic.canonical;
  if (named.topic.canonical.size() > kMaxCanonicalTopic) {
    throw Problem(400, "The filter is too long for a topic, whose URL has at most 2048 bytes with all of it encoded");
  }
  return named;
}

hub::Preview FeedInsight::preview(sql::Session& session, const hub::Topic& topic, const std::string& search,
                                  const std::string& identity, std::int64_t from, std::int64_t to) {
  const Seen seen = see(session, through_filter(session, topic, search, identity).topic);
  feeds::PushPreview preview = feeds::preview_push(session, {topic.lane, topic.feed}, seen.view, from, to);
  return {from, preview.to, preview.entries, std::move(preview.first)};
}

}  // namespace courant::server
