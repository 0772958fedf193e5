// Acceptance: judges what subscribers and publishers ask of the hub by POST, and writes down what is to be verified.
// Specification: WebSub section 5.1, PubSubHubbub 0.3 and 0.4.
// Threads: io threads.
#pragma once

#include <memory>
#include <string>

#include "http/registrable_domains.h"
#include "hub/known_counts.h"
#include "hub/loop.h"
#include "kernel/replaceable.h"

namespace courant::hub {

class Acceptance {
 public:
  // loop outlives it; of it only what any thread may use is used.
  Acceptance(Loop& loop, std::shared_ptr<const http::AddressGuard> guard)
      : loop_(loop), guard_(std::move(guard)), options_(loop.options) {}

  // Statuses of answers.
  static constexpr int kWillBeAsked = 202;  // the callback, whether it wants this
  static constexpr int kIsTold = 204;       // the hub, of news

  // See Hub::take.
  http::Task<int> take(std::string body, std::string identity, std::string client);

  // For what comes from now on.
  void change(const HubOptions& options) { options_.replace(options); }

 private:
  Loop& loop_;
  const std::shared_ptr<const http::AddressGuard> guard_;
  Replaceable<HubOptions> options_;
  const http::RegistrableDomains domains_;
  KnownCounts counts_;
};

}  // namespace courant::hub
