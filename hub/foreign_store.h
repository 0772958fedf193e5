// What is kept in PostgreSQL of topics that are other servers': their state, and a small log of documents for each.
// Threads: database threads; immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hub/foreign_fetcher.h"
#include "hub/foreign_news.h"
#include "hub/seam.h"
#include "sql/database.h"

namespace courant::hub {

// What a fetch has to know of a topic.
struct ForeignTopic {
  std::int64_t number = 0;
  std::string url;
  Validators validators;
  std::int64_t attempts = 0;  // that failed since the last fetch that was stored
  std::int64_t fetches = 0;   // which one that was
};

// What news_of() left behind, if it was called before.
struct KnownOfForeign {
  std::optional<std::string> known;
};

// What a fetch that was stored has changed.
struct StoredForeign {
  std::int64_t position = 0;
  bool has_become_ready = false;  // for who waits to subscribe
};

struct DueForeignTopic {
  std::int64_t number = 0;
  std::string host;
};

class ForeignStore {
 public:
  // interval: between two fetches of a topic. lease: how long a process may take for one.
  ForeignStore(std::chrono::milliseconds interval, std::chrono::milliseconds lease)
      : interval_(interval), lease_(lease) {}

  std::optional<std::int64_t> find(sql::Session& session, const std::string& url) const;
  std::int64_t count(sql::Session& session, std::int64_t limit) const;
  // Has it fetched for a new subscriber, where that is needed; its number.
  std::int64_t keep(sql::Session& session, const std::string& url, const std::string& host) const;
  Admission admission(sql::Session& session, std::int64_t number) const;

  void want(sql::Session& session, const std::string& url) const;
  std::vector<DueForeignTopic> due(sql::Session& session, std::int64_t per_host, std::int64_t limit) const;
  std::vector<ForeignTopic> claim(sql::Session& session, const std::vector<std::int64_t>& numbers) const;

  // nullopt: another fetch was stored since topic.fetches.
  std::optional<KnownOfForeign> known(sql::Session& session, const ForeignTopic& topic) const;
  // nullopt: another fetch was stored since, and this one is not. news: null where nothing is known
  // but that nothing has changed.
  std::optional<StoredForeign> record(sql::Session& session, const ForeignTopic& topic, const Validators& validators,
                                      const ForeignNews* news) const;
  // pause: nullopt: it is not tried again by itself. Whether who waits to subscribe is denied it for that.
  bool failed(sql::Session& session, const ForeignTopic& topic, std::optional<std::chrono::milliseconds> pause,
              const std::string& why) const;
  void put_back(sql::Session& session, const ForeignTopic& topic, std::chrono::milliseconds pause) const;

  std::vector<Moved> moved_within(sql::Session& session, std::chrono::milliseconds time) const;
  std::int64_t position(sql::Session& session, std::int64_t number) const;
  std::optional<PushDocument> read(sql::Session& session, std::int64_t number, std::int64_t from,
                                   std::int64_t upto) const;
  // When the first document after each place was stored; nullopt: there is none.
  std::vector<std::optional<Instant>> first_after(sql::Session& session, const std::vector<LogPlace>& places) const;
  void forget_unwanted(sql::Session& session) const;

 private:
  const std::chrono::milliseconds interval_;
  const std::chrono::milliseconds lease_;
};

}  // namespace courant::hub
