// All that can be subscribed to: pages of our feeds, and topics of other servers.
// Threads: see hub/seam.h.
#pragma once

#include <string>

#include "hub/foreign_topics.h"
#include "hub/seam.h"
#include "server/feed_topics.h"

namespace courant::server {

class AllTopics final : public hub::TopicSource {
 public:
  AllTopics(FeedTopics& own, hub::ForeignTopics& foreign) : own_(own), foreign_(foreign) {}

  std::optional<hub::Topic> find(sql::Session& session, const std::string& url) override {
    return of(url).find(session, url);
  }
  void require_access(const std::string& url, const std::string& identity) override {
    of(url).require_access(url, identity);
  }
  hub::Topic bound_topic(sql::Session& session, const hub::Topic& topic, const std::string& identity) override {
    return of(topic.lane).bound_topic(session, topic, identity);
  }
  bool still_allows(const hub::Topic& topic, const std::string& identity) override {
    return of(topic.lane).still_allows(topic, identity);
  }
  std::uint64_t access_revision() override { return own_.access_revision(); }
  hub::Topic keep(sql::Session& session, const hub::Topic& topic) override {
    return of(topic.lane).keep(session, topic);
  }
  hub::Quota quota(const hub::Topic& topic) override { return of(topic.lane).quota(topic); }
  std::int64_t subscriptions_within(sql::Session& session, const hub::Topic& topic) override {
    return of(topic.lane).subscriptions_within(session, topic);
  }
  hub::Admission admission(sql::Session& session, const hub::Topic& topic) override {
    return of(topic.lane).admission(session, topic);
  }
  bool pinged(sql::Session& session, const std::string& url) override { return of(url).pinged(session, url); }
  std::int64_t position(sql::Session& session, const hub::Topic& topic) override {
    return of(topic.lane).position(session, topic);
  }
  std::int64_t known_position(std::int64_t lane, std::int64_t feed) override {
    return of(lane).known_position(lane, feed);
  }
  std::int64_t known_generation(std::int64_t lane, std::int64_t feed) override {
    return of(lane).known_generation(lane, feed);
  }
  std::optional<hub::PushDocument> read(sql::Session& session, const hub::Topic& topic, const std::string& self,
                                        std::int64_t from, std::int64_t upto, const hub::PushLimits& limits) override {
    return of(topic.lane).read(session, topic, self, from, upto, limits);
  }
  std::vector<std::string> required_terms(const hub::Topic& topic) override {
    return of(topic.lane).required_terms(topic);
  }
  hub::NewTerms new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) override {
    return of(lane).new_terms(session, lane, feed, from);
  }
  std::vector<std::optional<Instant>> first_after(sql::Session& session,
                                                  const std::vector<hub::LogPlace>& places) override {
    std::vector<std::optional<Instant>> times(places.size());
    for (hub::TopicSource* const source :
         {static_cast<hub::TopicSource*>(&own_), static_cast<hub::TopicSource*>(&foreign_)}) {
      std::vector<hub::LogPlace> its;
      std::vector<std::size_t> where;
      for (std::size_t i = 0; i < places.size(); ++i) {
        if (&of(places[i].lane) != source) continue;
        its.push_back(places[i]);
        where.push_back(i);
      }
      if (its.empty()) continue;
      const std::vector<std::optional<Instant>> found = source->first_after(session, its);
      for (std::size_t i = 0; i < where.size(); ++i) times[where[i]] = found[i];
    }
    return times;
  }

 private:
  hub::TopicSource& of(const std::string& url) {
    if (own_.is_local(url)) return own_;
    return foreign_;
  }
  hub::TopicSource& of(std::int64_t lane) {
    if (lane == hub::kForeignLane) return foreign_;
    return own_;
  }

  FeedTopics& own_;
  hub::ForeignTopics& foreign_;
};

}  // namespace courant::server
