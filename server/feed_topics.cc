#include "server/feed_topics.h"

#include "feeds/push.h"
#include "kernel/problem.h"
#include "server/admission/challenge.h"
#include "server/queries.h"
#include "server/topic_url.h"

namespace courant::server {
namespace {

// Canonical topics are ours: what cannot be read is damaged.
TopicUrl url_of(const hub::Topic& topic) {
  std::optional<TopicUrl> url = parse_topic_url(topic.canonical);
  if (!url) throw Problem(500, topic.canonical + " is not the name of a topic");
  return *std::move(url);
}

// feed: null where it does not exist any more.
feeds::PushView view_of(const TopicUrl& url, const feeds::LiveFeed* feed) {
  return feed != nullptr ? feeds::parse_push_view(url.parameters, feed->facts().page_size, feed->state())
                         : feeds::parse_push_view(url.parameters, 0);
}

// By its name. Null: it is lost, which is less than nobody's: its filter is forgotten, and what it bound is not open.
std::shared_ptr<const access::Identity> identity_of(const access::Rules& rules, const std::string& name, Instant now) {
  std::shared_ptr<const access::Identity> known = rules.named(name);
  if (known) return rules.holds(*known, now) ? known : nullptr;
  const access::Identity anonymous = access::Identity::anonymous();
  return name == anonymous.name() || rules.is_open() ? std::make_shared<const access::Identity>(anonymous) : nullptr;
}

}  // namespace

FeedTopics::FeedTopics(feeds::Directory& directory, const Clock& clock, const std::string& public_url,
                       std::string hub_url, const access::CurrentRules* rules, MostSubscriptions most,
                       feeds::FurtherForms* forms)
    : directory_(directory),
      clock_(clock),
      public_url_(public_url),
      public_parts_(parse_uri(public_url).value_or(Uri{})),
      hub_url_(std::move(hub_url)),
      rules_(rules),
      most_(std::move(most)),
      forms_(forms) {}

std::optional<std::string> FeedTopics::local_part(const std::string& url) const {
  if (!lacked_by_xml(url).empty()) return std::nullopt;  // no document could say which topic it is of
  const std::optional<Uri> parts = parse_uri(with_bars_encoded(url));
  if (!parts || parts->scheme != public_parts_.scheme || parts->host != public_parts_.host ||
      parts->effective_port() != public_parts_.effective_port() || !parts->user_info.empty() || parts->fragment ||
      !parts->path.starts_with(public_parts_.path)) {
    return std::nullopt;
  }
  return parts->path.substr(public_parts_.path.size()) + (parts->query ? "?" + *parts->query : "");
}

std::optional<hub::Topic> FeedTopics::find(sql::Session& session, const std::string& url) {
  const std::optional<std::string> local = local_part(url);
  const std::optional<TopicUrl> named = local ? parse_topic_url(*local) : std::nullopt;
  if (!named) return std::nullopt;
  std::shared_ptr<feeds::LiveFeed> feed = directory_.find(named->workspace, named->feed);
  if (!feed) feed = directory_.load(session, named->workspace, named->feed);
  if (!feed) return std::nullopt;
  const feeds::FeedKey key = feed->facts().key;
  const feeds::PushView view = feeds::parse_push_view(named->parameters, feed->facts().page_size, feed->state());
  hub::Topic topic{canonical_topic(*named, view), key.lane, key.feed};
  if (topic.canonical.size() > kMaxCanonicalTopic) {
    throw Problem(400, "The filter is too long for a topic, whose URL has at most 2048 bytes with all of it encoded");
  }
  return topic;
}

void FeedTopics::require_access(const std::string& url, const std::string& identity) {
  if (rules_ == nullptr) return;
  const std::optional<std::string> local = local_part(url);
  const std::optional<TopicUrl> named = local ? parse_topic_url(*local) : std::nullopt;
  if (!named) return;
  const std::shared_ptr<const access::Rules> rules = rules_->load();
  const std::shared_ptr<const access::Identity> who = identity_of(*rules, identity, clock_.now());
  if (!who) throw lost_credentials();
  switch (rules->judge(*who, access::Scope::kSubscribe, named->workspace, named->feed)) {
    case access::Verdict::kGranted:
      return;
    case access::Verdict::kStranger:
      throw who_are_you();
    case access::Verdict::kHidden:
      throw Problem(403, url + " is not a topic of this hub");  // as of one that does not exist
    case access::Verdict::kForbidden:
      throw insufficient_scope(access::Scope::kSubscribe, url);
  }
}

hub::Topic FeedTopics::bound_topic(sql::Session& session, const hub::Topic& topic, const std::string& identity) {
  if (rules_ == nullptr) return topic;
  const std::shared_ptr<const access::Rules> rules = rules_->load();
  const std::shared_ptr<const access::Identity> who = identity_of(*rules, identity, clock_.now());
  if (!who) throw lost_credentials();
  if (!who->is_filtered()) return topic;
  const TopicUrl url = url_of(topic);
  std::shared_ptr<feeds::LiveFeed> feed = directory_.find({topic.lane, topic.feed});
  if (!feed) feed = directory_.load(session, url.workspace, url.feed);
  feeds::PushView view = view_of(url, feed.get());
  feeds::bind_to(view, who->filter());
  hub::Topic bound{canonical_topic(url, view), topic.lane, topic.feed};
  if (bound.canonical.size() > kMaxCanonicalTopic) {
    throw Problem(400, "The filter is too long for a topic, whose URL has at most 2048 bytes with all of it encoded");
  }
  return bound;
}

bool FeedTopics::still_allows(const hub::Topic& topic, const std::string& identity) {
  if (rules_ == nullptr) return true;
  const std::shared_ptr<const access::Rules> rules = rules_->load();
  if (rules->is_open()) return true;
  const std::shared_ptr<const access::Identity> who = identity_of(*rules, identity, clock_.now());
  if (!who) return false;
  const TopicUrl url = url_of(topic);
  return rules->judge(*who, access::Scope::kSubscribe, url.workspace, url.feed) == access::Verdict::kGranted;
}

hub::Quota FeedTopics::quota(const hub::Topic& topic) {
  if (!most_) return {};
  const std::string workspace = url_of(topic).workspace;
  return {"workspace " + workspace, "max_subscriptions", most_(workspace)};
}

std::int64_t FeedTopics::subscriptions_within(sql::Session& session, const hub::Topic& topic) {
  sql::Parameters parameters;
  parameters.add(url_of(topic).workspace).add(quota(topic).most);
  return session.run(queries::count_subscriptions, parameters)[0].integer(0);
}

std::int64_t FeedTopics::position(sql::Session& session, const hub::Topic& topic) {
  return feeds::last_position(session, {topic.lane, topic.feed});
}

std::int64_t FeedTopics::known_position(std::int64_t lane, std::int64_t feed) {
  const std::shared_ptr<feeds::LiveFeed> known = directory_.find({lane, feed});
  return known ? known->head() : 0;
}

std::int64_t FeedTopics::known_generation(std::int64_t lane, std::int64_t feed) {
  const std::shared_ptr<feeds::LiveFeed> known = directory_.find({lane, feed});
  return known ? known->state()->generation : 1;
}

std::vector<std::string> FeedTopics::required_terms(const hub::Topic& topic) {
  try {
    return feeds::required_terms(feeds::parse_push_view(url_of(topic).parameters, 0));
  } catch (const Problem&) {
    return {};  // whoever reads it is told
  }
}

hub::NewTerms FeedTopics::new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) {
  feeds::NewTerms found = feeds::read_new_terms(session, {lane, feed}, from);
  return {found.upto, std::move(found.terms)};
}

std::optional<hub::PushDocument> FeedTopics::read(sql::Session& session, const hub::Topic& topic,
                                                  const std::string& self, std::int64_t from, std::int64_t upto,
                                                  const hub::PushLimits& limits) {
  const TopicUrl url = url_of(topic);
  const feeds::FeedKey key{topic.lane, topic.feed};
  std::shared_ptr<feeds::LiveFeed> feed = directory_.find(key);
  if (!feed) feed = directory_.load(session, url.workspace, url.feed);  // null: it has been deleted
  const feeds::PushView view = view_of(url, feed.get());
  feeds::PushRequest request;
  request.from = from;
  request.upto = upto;
  request.max_entries = limits.max_entries;
  request.max_bytes = limits.max_bytes;
  request.self = self;
  request.feed_url = public_url_ + "/" + url.workspace + "/" + url.feed;
  request.hub_url = hub_url_;
  request.forms = forms_;
  std::optional<feeds::PushPage> page = feeds::read_push(session, key, feed.get(), view, request, clock_);
  if (!page) return std::nullopt;
  hub::PushDocument document;
  document.body = std::make_shared<const std::string>(std::move(page->document));
  document.content_type = view.offer->content_type;
  document.self = self;
  document.from = from;
  document.to = page->to;
  document.entries = page->entries;
  document.previous_at = page->from_at;
  document.generation = page->generation;
  document.trace = std::move(page->trace);
  return document;
}

std::vector<std::optional<Instant>> FeedTopics::first_after(sql::Session& session,
                                                            const std::vector<hub::LogPlace>& places) {
  std::vector<feeds::FeedPlace> of_feeds;
  for (const hub::LogPlace& place : places) of_feeds.push_back({{place.lane, place.feed}, place.position});
  return feeds::first_recorded(session, of_feeds);
}

std::vector<hub::Moved> moves_of(const std::vector<feeds::Advance>& advances) {
  std::vector<hub::Moved> moves;
  moves.reserve(advances.size());
  for (const feeds::Advance& advance : advances) {
    moves.push_back({advance.feed.lane, advance.feed.feed, advance.last});
  }
  return moves;
}

}  // namespace courant::server
