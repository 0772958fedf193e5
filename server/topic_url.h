// The URLs of topics: which feed, and what of it.
// Specification: docs/API.md ("The hub", "Topics"); RFC 3986 section 6.2.2 (normalization).
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feeds/push.h"
#include "kernel/uri.h"

namespace courant::server {

inline constexpr std::size_t kMaxCanonicalTopic = 2048;  // PostgreSQL's indexes hold rows up to 2.7 KB

struct TopicUrl {
  std::string workspace;
  std::string feed;
  Parameters parameters;
};

// Reads "/demo/events/?format=json": the part of a URL behind the server's own, percent-encoded as its writer liked to.
// nullopt: no feed is called that. Throws Problem 403 for an archive page, which is a feed's and never changes.
std::optional<TopicUrl> parse_topic_url(std::string_view text);

// The one spelling of URLs that mean the same topic; parse_topic_url reads it back. view: what the parameters say.
std::string canonical_topic(const TopicUrl& url, const feeds::PushView& view);

}  // namespace courant::server
