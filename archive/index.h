// The index of an archive: its pages with their digests and chain values, in bounded pieces.
// Specification: docs/API.md ("The archive index").
// Threads: read_index for database threads; pure functions otherwise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "feeds/engine.h"

namespace courant::archive {

struct IndexQuery {
  std::int64_t from =
      0;  // the first page to list; 0: the oldest there is, or so that the newest is the last one listed
  std::int64_t limit = 100;
  bool is_newest = false;
};

struct IndexedPage {
  std::int64_t page = 0;
  std::string url;
  std::string sha256;  // hexadecimal, as chain
  std::int64_t last_position = 0;
  std::string chain;
};

struct ArchiveIndex {
  std::string feed_url;
  std::int64_t generation = 1;
  std::int64_t page_size = 0;
  std::int64_t complete_pages = 0;
  std::int64_t head = 0;
  std::string chain;  // at the head
  std::int64_t floor = 0;
  std::string floor_chain;
  std::int64_t first_page = 1;  // the oldest that is kept
  std::int64_t limit = 0;       // of the query
  std::vector<IndexedPage> pages;
  std::int64_t next = 0;  // the first page that is not listed; beyond complete_pages: there is none
};

// Some pages that are complete and were never rendered are rendered for it; where there are more, it ends before the
// limit, and `next` goes on. Throws Problem 404.
ArchiveIndex read_index(sql::Session& session, const feeds::LiveFeed& feed, const IndexQuery& query,
                        const std::string& feed_url, const std::string& hub_url, Instant now);

// When each of the pages' last entries was recorded, in their order; nullopt: it is not kept any more.
std::vector<std::optional<Instant>> read_dates(sql::Session& session, const feeds::LiveFeed& feed,
                                               const std::vector<IndexedPage>& pages);

std::string json_of(const ArchiveIndex& index);

// What the page for people is made of (xslt/stylesheets/archive.xsl): the newest page first.
std::string xml_of(const ArchiveIndex& index, const std::vector<std::optional<Instant>>& dates,
                   const feeds::LiveFeed& feed);

}  // namespace courant::archive
