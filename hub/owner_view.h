// What the page of a subscription shows: how it stands, why nothing comes if nothing comes, and what may be asked for.
// Never the secret. The same as JSON for programs, and as XML of which the page for people is made (xslt/page.h).
// Threads: plain values; pure functions.
#pragma once

#include <optional>
#include <string>

#include "hub/owner_store.h"
#include "hub/topic_insight.h"
#include "kernel/time.h"

namespace courant::hub {

struct OwnerView {
  OwnedSubscription owned;
  Backlog backlog;
  std::string page;  // its own URL
  Instant now;
  std::optional<Preview> preview = std::nullopt;  // where that was asked for, with what:
  std::string preview_search = {};
};

// "no secret", "paused", "failing", "behind" or "current".
std::string state_of(const OwnerView& view);

// The same in a sentence or two.
std::string explanation_of(const OwnerView& view);

std::string json_of(const OwnerView& view);
std::string xml_of(const OwnerView& view);

}  // namespace courant::hub
