// What is pushed of a feed: of any page that a reader could poll at the head, what is new, in the page's form.
// Specification: WebSub section 7; docs/API.md ("The hub").
// Threads: parse_push_view and required_terms are pure functions, the others are for database threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "feeds/directory.h"
#include "feeds/filter.h"
#include "feeds/further_forms.h"
#include "feeds/representation.h"
#include "kernel/time.h"
#include "kernel/uri.h"
#include "sql/database.h"

namespace courant::feeds {

// What the query of a feed's URL says of pushes.
struct PushView {
  std::shared_ptr<const FeedOffers> offers;  // that the following is one of
  const Offer* offer = nullptr;  // the form: that of ?format=, or Atom, for nobody is there who could accept another
  std::optional<Filter> filter;  // what does not match is passed over
  std::optional<std::int64_t>
      limit;              // of entries in one document; nullopt: the query says no more than the feed itself
  std::string canonical;  // the one spelling of queries that mean this: "?format=json&search=%2Ba", or ""
};

// Read as the query of a page is; what pages ignore is ignored. Throws Problem 400 as for a page, 403 for what does not
// show the head, or is no document. A canonical query gives itself again.
// state: of the feed. page_size 0: it is not known, and may have had forms of any name.
PushView parse_push_view(const Parameters& parameters, std::int64_t page_size,
                         std::shared_ptr<const FeedState> state = nullptr);

// The same view of what a filter lets through, which is canonical. Throws Problem 400 where no query can say both.
void bind_to(PushView& view, const std::string& filter);

// Terms of which every entry that matches has one, each once; none: any entry may match.
std::vector<std::string> required_terms(const PushView& view);

struct PushRequest {
  std::int64_t from = 0;  // exclusive
  std::int64_t upto = 0;  // inclusive
  std::int64_t max_entries = 0;
  std::int64_t max_bytes = 0;  // of entries; one entry is shown however long
  std::string self;            // the topic's URL as its subscriber wrote it
  std::string feed_url;        // absolute, as hub_url
  std::string hub_url;
  FurtherForms* forms = nullptr;  // null: there are none
};

struct PushPage {
  std::int64_t to = 0;                      // how far was looked: the document covers the positions (from, to]
  std::int64_t entries = 0;                 // none: there is no document
  std::int64_t generation = 1;              // of the log, as the entries were read
  std::string document;                     // newest first
  std::size_t from_at = std::string::npos;  // where it says `from`, in decimal digits; npos: nowhere
  std::string trace;                        // of the newest entry that was published in one; empty: none was
};

// nullopt: nothing is committed after request.from. No entries: none of those looked at matches, or all of them have
// been dropped again, by retention or with the feed, or have expired by now. However much is to be passed over, one
// call looks at a bounded part of it. feed: null where it does not exist any more. Throws Problem 404 where it has just
// been deleted.
std::optional<PushPage> read_push(sql::Session& session, FeedKey key, const LiveFeed* feed, const PushView& view,
                                  const PushRequest& request, const Clock& clock);

// The terms, each once, of the entries that stand after a position, of as many of them as one call looks at.
struct NewTerms {
  std::int64_t upto = 0;  // how far was looked; not beyond `after`: there is nothing yet
  std::vector<std::string> terms;
};
NewTerms read_new_terms(sql::Session& session, FeedKey key, std::int64_t after);

// A document of a feed's topic that holds nothing, at the position request.from.
std::string empty_push(const LiveFeed& feed, const PushView& view, const PushRequest& request, const Clock& clock);

// What lies beyond a position of a feed.
struct FeedBacklog {
  std::int64_t floor = 0;         // up to here nothing is kept any more
  std::int64_t head = 0;          // as last_position
  std::optional<Instant> oldest;  // when the first one that is kept was recorded; nullopt: there is none
};
FeedBacklog read_backlog(sql::Session& session, FeedKey key, std::int64_t after);

// How many of the positions (after, upto] match, and which are the first; a bounded number of them is looked at.
struct PushPreview {
  std::int64_t to = 0;  // how far was looked
  std::int64_t entries = 0;
  std::vector<std::string> first;  // their ids
};
// Throws Problem 404 where the feed does not exist any more.
PushPreview preview_push(sql::Session& session, FeedKey key, const PushView& view, std::int64_t after,
                         std::int64_t upto);

// The last position committed on a feed; of one that has been deleted, too: it may come back, and goes on from there.
std::int64_t last_position(sql::Session& session, FeedKey key);

// A place in the log of a feed: behind this position.
struct FeedPlace {
  FeedKey feed;
  std::int64_t position = 0;
};

// When what stands first after each place was committed, in their order; nullopt: nothing stands there.
std::vector<std::optional<Instant>> first_recorded(sql::Session& session, const std::vector<FeedPlace>& places);

}  // namespace courant::feeds
