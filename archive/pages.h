// Archive pages: page k (from 1) holds exactly the positions (k-1)*page_size+1 ... k*page_size. It is rendered once,
// stored, and from then on byte-identical for ever, on every process and across upgrades.
// Specification: RFC 5005 section 4 (archived feeds); prev-archive is older, next-archive newer.
// Threads: database threads; pure where no session is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feeds/engine.h"
#include "feeds/last_modified.h"
#include "kernel/problem.h"

namespace courant::archive {

inline constexpr std::uint64_t kLongestPage = std::uint64_t{1} << 32;  // bytes before compression

struct StoredPage {
  std::string gzip;          // the stored bytes
  std::string sha256;        // of the identity form, 32 bytes
  std::string gzip_sha256;   // of the stored bytes, 32 bytes
  std::string chain;         // after its last position, 32 bytes
  std::int64_t generation;   // of the log, and so of the links in it
  feeds::Modified modified;  // when it was rendered: once, or anew for a redaction
  Instant last_recorded;     // when its last position was recorded: retention drops it as a whole
};

// nullopt: the page's last position is not committed yet. Renders and stores the page where nobody has before. Throws
// Problem 410 where retention has dropped the page.
std::optional<StoredPage> require_page(sql::Session& session, const feeds::LiveFeed& feed, std::int64_t page,
                                       const std::string& feed_url, const std::string& hub_url, Instant now);

// A page as its URL names it: "41", from the second generation on "2-41".
struct PageName {
  std::int64_t generation = 1;
  std::int64_t page = 0;
};
std::optional<PageName> parse_page_name(std::string_view text);
std::string page_url(const std::string& feed_url, PageName name);

// 410 for a page of a generation that is over.
Problem other_generation(const std::string& feed_url);

// 410 for what retention has dropped, with a link to the oldest page there is.
[[noreturn]] void throw_dropped(const std::string& feed_url, const std::string& what);

}  // namespace courant::archive
