// Topics of other servers: the hub fetches them when their publishers say that they have news, and pushes what is new.
// Each has a small log in the database, of what its fetches brought; whichever process is told fetches, and all push.
// Specification: WebSub sections 6 and 7; docs/API.md ("Topics of other servers").
// Threads: see hub/seam.h; fetches are waited for on a thread of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hub/foreign_fetcher.h"
#include "hub/seam.h"
#include "kernel/metrics.h"
#include "sql/executor.h"

namespace courant::hub {

// The lane of a Topic that is another server's; lanes of feeds are not negative.
inline constexpr std::int64_t kForeignLane = -1;

struct ForeignOptions {
  bool is_on = false;   // false: none is taken or fetched; what is subscribed to already is read
  bool fetches = true;  // else other processes do
  ForeignLimits fetch;
  std::chrono::milliseconds interval{10'000};  // between two fetches of a topic
  std::int64_t max_topics = 100'000;
  std::vector<std::chrono::milliseconds> retry = {std::chrono::seconds(30)};  // pauses; at their end it is given up
};

class ForeignTopics final : public TopicSource {
 public:
  // All given by reference must outlive this.
  ForeignTopics(ForeignOptions options, sql::Executor& executor, Transport& transport,
                std::shared_ptr<const http::AddressGuard> guard, const Clock& clock, Metrics& metrics);
  ~ForeignTopics();  // stops

  // moved: told of documents that have been stored, by this process or another. settled: told that who waits to
  // subscribe may be asked, or is denied it. share: asked for the part of what all processes may do together that this
  // one may; 0: it fetches nothing. All are called on threads of this.
  void start(std::function<void(const std::vector<Moved>&)> moved, std::function<void()> settled,
             std::function<double()> share);
  // Once the transport has been stopped; the executor must still work.
  void stop();

  std::optional<Topic> find(sql::Session& session, const std::string& url) override;
  Topic keep(sql::Session& session, const Topic& topic) override;
  Admission admission(sql::Session& session, const Topic& topic) override;
  bool pinged(sql::Session& session, const std::string& url) override;
  std::int64_t position(sql::Session& session, const Topic& topic) override;
  std::int64_t known_position(std::int64_t lane, std::int64_t feed) override;
  std::optional<PushDocument> read(sql::Session& session, const Topic& topic, const std::string& self,
                                   std::int64_t from, std::int64_t upto, const PushLimits& limits) override;
  std::vector<std::string> required_terms(const Topic& topic) override;
  NewTerms new_terms(sql::Session& session, std::int64_t lane, std::int64_t feed, std::int64_t from) override;
  std::vector<std::optional<Instant>> first_after(sql::Session& session, const std::vector<LogPlace>& places) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::hub
