// Archive pages: page k (from 1) holds exactly the positions (k-1)*page_size+1 ... k*page_size. It is rendered once,
// stored, and from then on byte-identical for ever, on every process and across upgrades.
// Specification: RFC 5005 section 4 (archived feeds); prev-archive is older, next-archive newer.
// Threads: database threads.
#pragma once

#include <optional>
#include <string>

#include "feeds/engine.h"

namespace courant::archive {

struct StoredPage {
  std::string gzip;         // the stored bytes
  std::string sha256;       // of the identity form, 32 bytes
  std::string gzip_sha256;  // of the stored bytes, 32 bytes
};

// nullopt: the page's last position is not committed yet. Renders and stores the page where nobody has before.
std::optional<StoredPage> require_page(sql::Session& session, const feeds::LiveFeed& feed, std::int64_t page,
                                       const std::string& feed_url, const std::string& hub_url, Instant now);

}  // namespace courant::archive
