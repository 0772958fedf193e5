// The hub's seam: all that it knows of what it pushes. Whoever owns the topics implements TopicSource and says what has
// moved (WakeUp); whoever carries documents implements Transport (hub/transport.h). server/hub_runner.cc joins feeds
// and HTTP to it. What each promises is tried by tests/contract/hub/, which any further implementation has to pass,
// too. Threads: each call says its own.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel/time.h"

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

// A place in the log of a feed: behind this position.
struct LogPlace {
  std::int64_t lane = 0;
  std::int64_t feed = 0;
  std::int64_t position = 0;
  auto operator<=>(const LogPlace&) const = default;
};

// A document for subscribers: what is new on a topic in the range (from, to].
struct PushDocument {
  std::shared_ptr<const std::string> body;  // null or empty where it holds no entries: it is not sent
  std::string content_type;
  std::string self;      // the topic's URL, for Link rel=self
  std::int64_t from;     // exclusive; as asked for
  std::int64_t to;       // inclusive; how far was looked: the cursor after a delivery
  std::int64_t entries;  // how many entries the document holds; 0: nothing matched, only the cursor moves
  std::size_t previous_at = std::string::npos;  // where the body says `from`, in decimal digits; npos: nowhere
  std::string trace = {};  // of the newest entry that was published in one (kernel/trace_context.h); empty: none was
  std::int64_t generation = 1;  // of the log that it was read from: another one gives positions again
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

// What the owner of a topic says of a new subscription.
struct Admission {
  enum class Answer { kGranted, kNotYet, kDenied };
  Answer answer = Answer::kGranted;
  std::string why;  // where it is denied: for the subscriber
};

// How many subscriptions there may be of topics that belong together, as those of a workspace do.
struct Quota {
  std::string owner;      // of the topics: "workspace demo"
  std::string setting;    // that says so: "max_subscriptions"
  std::int64_t most = 0;  // 0: any number
};

// Whatever is thrown but Problem says that the database cannot be asked now, and nothing of topics.
class TopicSource {
 public:
  virtual ~TopicSource() = default;

  // The topic behind a URL that a subscriber named; nullopt: none of ours. All URLs that mean the same give the same
  // topic, and those that do not give different ones. Throws Problem (400, 403) that says why a page of ours can be
  // none. Threads: database threads.
  virtual std::optional<Topic> find(sql::Session& session, const std::string& url) = 0;

  // Somebody is about to ask for a subscription of a topic that find() gave: the topic as it is to be stored. Throws
  // Problem. Threads: database threads.
  virtual Topic keep(sql::Session& /*session*/, const Topic& topic) { return topic; }

  // What somebody may have, known by the name that access gives him (access/identity.h), is judged by whoever owns the
  // topics. Here everybody may have everything; the calls are for any thread unless they say otherwise.
  //
  // Throws Problem 401 or 403 where he may not have what a URL names, whether that exists or not. A name that access
  // knows no more may have nothing.
  virtual void require_access(const std::string& /*url*/, const std::string& /*identity*/) {}
  // The topic with nothing in it that he may not see, which is another topic where he sees a part. Throws Problem 400,
  // and 401 of a name that access knows no more: what it was bound to is forgotten.
  // Threads: database threads.
  virtual Topic bound_topic(sql::Session& /*session*/, const Topic& topic, const std::string& /*identity*/) {
    return topic;
  }
  // Whether he may have it still.
  virtual bool still_allows(const Topic& /*topic*/, const std::string& /*identity*/) { return true; }
  // Another number whenever anybody may have lost or gained something.
  virtual std::uint64_t access_revision() { return 0; }

  // What bounds subscriptions of a topic and of those that belong with it. Threads: any, at once.
  virtual Quota quota(const Topic& /*topic*/) { return {}; }
  // How many there are of those, requests for further ones included, counted no further than quota().most. Threads:
  // database threads.
  virtual std::int64_t subscriptions_within(sql::Session& /*session*/, const Topic& /*topic*/) { return 0; }

  // Whether a topic may be subscribed to, which is asked before the subscriber is. Threads: database threads.
  virtual Admission admission(sql::Session& /*session*/, const Topic& /*topic*/) { return {}; }

  // A publisher says that a topic has news, which is no news where topics tell themselves. False: not a topic of this
  // hub. Throws as find() does. Threads: database threads.
  virtual bool pinged(sql::Session& session, const std::string& url) { return find(session, url).has_value(); }

  // The last position committed on a topic, from the database; 0 before the first; of one that is no more, too, for it
  // may be made again: where it ended. It never goes back, and positions have no gaps. Threads: database threads.
  virtual std::int64_t position(sql::Session& session, const Topic& topic) = 0;

  // The last position of a feed that this process knows of, from memory: at most that of the database; 0 where it knows
  // none. Threads: any, at once.
  virtual std::int64_t known_position(std::int64_t lane, std::int64_t feed) = 0;

  // The generation of a feed's log that this process knows of, from memory: of documents of an earlier one nothing is
  // to be delivered any more. Threads: any, at once.
  virtual std::int64_t known_generation(std::int64_t /*lane*/, std::int64_t /*feed*/) { return 1; }

  // Terms of which whatever is to be delivered on a topic has one, as new_terms gives them, each once; none: it may be
  // anything. Throws nothing. Threads: any.
  virtual std::vector<std::string> required_terms(const Topic& topic) = 0;

  // The terms of what has been committed on a feed after `from`, of as much as one call may look at. `to` is not after
  // `from`: there is nothing. Threads: database threads.
  virtual NewTerms new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) = 0;

  // What is new after `from` and not after `upto` (which may lie beyond the head), in the topic's form, with `self` as
  // sent by the subscriber: from < to <= upto. At most limits.max_entries entries, and max_bytes of them, but at least
  // one however long, where one is found among the many that one call looks at; a document that another server has made
  // is given as it is. The same range gives the same entries again, but for those that are erased, dropped or expired
  // meanwhile. nullopt: nothing has been committed after `from`, or the topic's feed is gone; of one that is gone there
  // may be an empty document, too. Threads: database threads.
  virtual std::optional<PushDocument> read(sql::Session& session, const Topic& topic, const std::string& self,
                                           std::int64_t from, std::int64_t upto, const PushLimits& limits) = 0;

  // When what stands first after each place was committed, in the order of the places; nullopt: nothing stands there.
  // Threads: database threads.
  virtual std::vector<std::optional<Instant>> first_after(sql::Session& session,
                                                          const std::vector<LogPlace>& places) = 0;
};

// "This feed has moved to this position": told to the hub after commits, from this process or another.
struct Moved {
  std::int64_t lane;
  std::int64_t feed;
  std::int64_t position;
};

// A wake-up: Hub::moved, for whoever hears of commits. It never blocks and may come from any thread, more than once, in
// any order, and of feeds that nobody subscribes to. Each commit is told soon after it is there to be read. One that is
// lost costs time, not entries: the hub looks at known_position with every heartbeat.
using WakeUp = std::function<void(const std::vector<Moved>&)>;

}  // namespace courant::hub
