// Self-service: the page of a subscription, at a URL that its callback was told with the verification. Its owner sees
// there how it stands and what went wrong, and changes it.
// Specification: docs/API.md ("The page of a subscription").
// Threads: io threads; what waits for PostgreSQL is done by the hub's executor.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.h"
#include "hub/loop.h"
#include "hub/owner_store.h"
#include "hub/owner_view.h"
#include "kernel/uri.h"

namespace courant::hub {

// What stands below is a capability: it shows and changes a subscription, whoever has it.
inline constexpr std::string_view kOwnersPages = "/hub/s/";

class SelfService {
 public:
  // Everything given by reference must outlive it. changed: called from any thread when there is something to take up.
  SelfService(const HubOptions& options, const OwnerStore& store, TopicSource& source, TopicInsight& insight,
              sql::Executor& executor, const Clock& clock, std::function<void()> changed)
      : options_(options),
        store_(store),
        source_(source),
        insight_(insight),
        executor_(executor),
        clock_(clock),
        changed_(std::move(changed)) {}

  // GET and POST /hub/s/{token}, GET /hub/s/{token}/preview. shards: of the database, known when the hub has started.
  std::vector<http::Route> routes(const std::int64_t& shards);

 private:
  // Throws Problem 404, also where the subscription's identity may not have the topic any more, ended yet or not.
  OwnerView view(sql::Session& session, const std::string& token) const;
  void preview(sql::Session& session, const Parameters& query, OwnerView& view) const;
  void change(sql::Session& session, const std::string& token, const Parameters& form, std::int64_t shards) const;
  void replay(sql::Session& session, const Sha256& capability, const OwnerView& view, const Parameters& form) const;
  void set_pace(sql::Session& session, const Sha256& capability, const Parameters& form) const;
  void set_secret(sql::Session& session, const Sha256& capability, const OwnerView& view, const Parameters& form) const;
  void set_filter(sql::Session& session, const Sha256& capability, const OwnerView& view, const Parameters& form,
                  std::int64_t shards) const;

  const HubOptions& options_;
  const OwnerStore& store_;
  TopicSource& source_;
  TopicInsight& insight_;
  sql::Executor& executor_;
  const Clock& clock_;
  const std::function<void()> changed_;
};

}  // namespace courant::hub
