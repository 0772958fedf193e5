// Which entries a feed URL asks for, and where its links lead: arithmetic on positions, without any I/O.
// Specification: docs/API.md ("Reading"); Atom Hopper's marker, direction and limit.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "feeds/filter.h"
#include "kernel/problem.h"
#include "kernel/time.h"
#include "kernel/uri.h"

namespace courant::feeds {

// The query of a feed URL, judged. A marker that is an atom:id is looked up before it becomes a position.
struct PageQuery {
  enum class Direction { kForward, kBackward };
  std::optional<std::string> marker;  // as given: digits, an atom:id, or "last"
  Direction direction = Direction::kForward;
  std::optional<Instant> starting_at;
  std::int64_t limit = 0;  // of entries
  bool limit_given = false;
  std::string search;            // as given; empty: none
  std::optional<Filter> filter;  // what it means, and of what `bound` lets through
  // The filter that is bound to the asker's token (feeds/visibility.h), canonical; empty: he sees everything. Its links
  // do not say it: it goes with the token.
  std::string bound;
};

// Throws Problem 400 in the words of docs/API.md.
PageQuery parse_page_query(const Parameters& parameters, std::int64_t page_size);

// The same for queries that mean the same page.
std::string canonical_query(const PageQuery& query);

// Where a log stands. Positions floor + 1 ... head can be read.
struct LogBounds {
  std::int64_t head = 0;
  std::int64_t floor = 0;
  std::int64_t generation = 1;
};

// The page to show: the newest `limit` of the positions (after, upto], or the oldest where `oldest_first_cut`.
struct PageRange {
  std::int64_t after = 0;  // exclusive
  std::int64_t upto = 0;   // inclusive: the highest position that the page covers, its Feed-Position
  bool is_head = false;    // the URL means "the newest", so that it changes with every entry
  bool is_full = false;    // everything the URL can ever show is there: it never changes
};

// A position that a client names, in decimal digits, as large as he likes; nullopt: it is none.
std::optional<std::int64_t> parse_position(std::string_view text);

// A problem of a position beyond the head (400) or behind retention (410), with links to where there is something.
Problem with_way_on(Problem problem, const std::string& feed_url);

// The newest `limit` entries.
PageRange head_range(const LogBounds& bounds, std::int64_t limit);

// The `limit` entries after `marker`, exclusive. Throws Problem 400 (beyond the head) or 410 (behind retention).
PageRange forward_range(const LogBounds& bounds, std::int64_t marker, std::int64_t limit);

// `marker` and the `limit` - 1 before it. Throws like forward_range.
PageRange backward_range(const LogBounds& bounds, std::int64_t marker, std::int64_t limit);

// The oldest `limit` entries.
PageRange last_range(const LogBounds& bounds, std::int64_t limit);

// Archive pages: how many are complete, and which positions page k (from 1) holds.
std::int64_t complete_pages(std::int64_t head, std::int64_t page_size);
PageRange archive_range(std::int64_t page, std::int64_t page_size);

// The links of a page, as queries of the feed's URL ("?marker=42&direction=forward&limit=25"); empty: no such link.
struct PageLinks {
  std::string self;
  std::string previous;  // newer: always there
  std::string next;      // older: only where there is one
  std::string last;      // only on the head
};
PageLinks links_of(const PageQuery& query, const PageRange& range, const LogBounds& bounds);

}  // namespace courant::feeds
