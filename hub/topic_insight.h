// What the page of a subscription says and needs of its topic, beyond what is pushed (hub/seam.h). Whoever owns the
// topics implements it.
// Threads: database threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/seam.h"
#include "kernel/time.h"

namespace courant::hub {

// What lies beyond a position.
struct Backlog {
  std::int64_t floor = 0;                        // up to here nothing is kept any more
  std::int64_t head = 0;                         // the last position
  std::optional<Instant> oldest = std::nullopt;  // when the first entry beyond was published; nullopt: there is none
};

// What a filter would have delivered of the positions (from, to].
struct Preview {
  std::int64_t from = 0;
  std::int64_t to = 0;             // how far was looked: no further than a bounded number of entries
  std::int64_t entries = 0;        // that match
  std::vector<std::string> first;  // ids of the first ones
};

// A topic under the URL that names it.
struct NamedTopic {
  Topic topic;
  std::string self;
};

class TopicInsight {
 public:
  virtual ~TopicInsight() = default;

  virtual Backlog backlog(sql::Session& session, const Topic& topic, std::int64_t position) = 0;

  // A document of the topic that holds nothing, of which from and to are `position`. Throws Problem 404 where the feed
  // does not exist any more. This and what follows: 409 of a topic that is not ours.
  virtual PushDocument empty_document(sql::Session& session, const Topic& topic, const std::string& self,
                                      std::int64_t position) = 0;

  // What the topic is called through another filter; empty: through none. Throws Problem 400 where it is no filter,
  // 404.
  // identity: who has subscribed; no filter shows more than he may see (hub/seam.h).
  virtual NamedTopic through_filter(sql::Session& session, const Topic& topic, const std::string& search,
                                    const std::string& identity) = 0;

  // Throws Problem 400 where it is no filter, 404 where the feed does not exist any more.
  virtual Preview preview(sql::Session& session, const Topic& topic, const std::string& search,
                          const std::string& identity, std::int64_t from, std::int64_t to) = 0;
};

}  // namespace courant::hub
