// What the pages of subscriptions say of feeds, beside what is pushed (server/feed_topics.h).
// Threads: see hub/topic_insight.h.
#pragma once

#include <string>

#include "feeds/directory.h"
#include "feeds/further_forms.h"
#include "hub/topic_insight.h"
#include "kernel/time.h"
#include "server/topic_url.h"

namespace courant::server {

class FeedInsight final : public hub::TopicInsight {
 public:
  // All must outlive this. topics: those of other servers, too, of which no more is known than how far they have come.
  FeedInsight(hub::TopicSource& topics, feeds::Directory& directory, const Clock& clock, const std::string& public_url,
              feeds::FurtherForms* forms)
      : topics_(topics), directory_(directory), clock_(clock), public_url_(public_url), forms_(forms) {}

  hub::Backlog backlog(sql::Session& session, const hub::Topic& topic, std::int64_t position) override;
  hub::PushDocument empty_document(sql::Session& session, const hub::Topic& topic, const std::string& self,
                                   std::int64_t position) override;
  hub::NamedTopic through_filter(sql::Session& session, const hub::Topic& topic, const std::string& search,
                                 const std::string& identity) override;
  hub::Preview preview(sql::Session& session, const hub::Topic& topic, const std::string& search,
                       const std::string& identity, std::int64_t from, std::int64_t to) override;

 private:
  struct Seen {
    std::shared_ptr<feeds::LiveFeed> feed;
    TopicUrl url;
    feeds::PushView view;
  };
  // The topic's feed, seen through its own filter, or another. Throws Problem 404 where it does not exist any more.
  Seen see(sql::Session& session, const hub::Topic& topic, const std::string* search = nullptr);

  hub::TopicSource& topics_;
  feeds::Directory& directory_;
  const Clock& clock_;
  const std::string public_url_;
  feeds::FurtherForms* const forms_;
};

}  // namespace courant::server
