// The hub's seam: all that it knows of what it pushes. Whoever owns the topics implements TopicSource; whoever carries
// documents implements Transport (hub/transport.h). feeds is joined to it in server/app.cc.
// Threads: each call says its own.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace courant::sql {
class Session;
}

namespace courant::hub {

// A topic that this server can push: any page that a reader could poll at the head.
struct Topic {            // a plain value
  std::string canonical;  // its one spelling: what subscriptions are compared by
  std::int64_t lane;      // where its log lives, as named by wake-ups
  std::int64_t feed;
};

// A document for subscribers: what is new on a topic in the range (from, to].
struct PushDocument {
  std::shared_ptr<const std::string> body;
  std::string content_type;
  std::string self;      // the topic's URL, for Link rel=self
  std::int64_t from;     // exclusive; as asked for
  std::int64_t to;       // inclusive; how far was looked: the cursor after a delivery
  std::int64_t entries;  // how many entries the document holds; 0: nothing matched, only the cursor moves
  std::size_t previous_at = std::string::npos;  // where the body says `from`, in decimal digits; npos: nowhere
};

// The terms that stand in a part of a feed, by which it is known whom that part concerns.
struct NewTerms {
  std::int64_t to;                 // inclusive; how far was looked
  std::vector<std::string> terms;  // each once
};

struct PushLimits {
  std::int64_t max_entries = 1000;
  std::int64_t max_bytes = 4 << 20;
};

class TopicSource {
 public:
  virtual ~TopicSource() = default;

  // The topic behind a URL that a subscriber named; nullopt: none of ours. Throws Problem (400, 403) that says why a
  // page of ours can be none. Threads: database threads.
  virtual std::optional<Topic> find(sql::Session& session, const std::string& url) = 0;

  // The last position committed on a topic, from the database; of one that is no more, too, for it may be made again:
  // where it ended. Threads: database threads.
  virtual std::int64_t position(sql::Session& session, const Topic& topic) = 0;

  // The last position of a feed that this process knows of, from memory; 0 where it knows none. Threads: any, at once.
  virtual std::int64_t known_position(std::int64_t lane, std::int64_t feed) = 0;

  // Terms of which whatever is to be delivered on a topic has one, as new_terms gives them, each once; none: it may be
  // anything. Throws nothing. Threads: any.
  virtual std::vector<std::string> required_terms(const Topic& topic) = 0;

  // The terms of what has been committed on a feed after `from`, of as much as one call may look at. `to` is not after
  // `from`: there is nothing. Threads: database threads.
  virtual NewTerms new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) = 0;

  // What is new after `from` and not after `upto`, in the topic's form, with `self` as sent by the subscriber; at least
  // one entry however long, where one is found among the many that one call looks at. nullopt: nothing has been
  // committed after `from`. Threads: database threads.
  virtual std::optional<PushDocument> read(sql::Session& session, const Topic& topic, const std::string& self,
                                           std::int64_t from, std::int64_t upto, const PushLimits& limits) = 0;
};

// "This feed has moved to this position": told to the hub after commits, from this process or another.
struct Moved {
  std::int64_t lane;
  std::int64_t feed;
  std::int64_t position;
};

}  // namespace courant::hub
