// A document as it is sent to any number of readers: head and body composed once.
// Threads: immutable once made, shared between threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "feeds/directory.h"
#include "feeds/follower.h"
#include "feeds/last_modified.h"
#include "http/coding.h"
#include "http/message.h"
#include "kernel/time.h"

namespace courant::feeds {

// Says yes while the feed is of this version, the log stands at `head` (nullopt: anywhere), and others are heard: what
// an answer that was made of it holds by.
std::function<bool()> while_unchanged(std::shared_ptr<const LiveFeed> feed, std::uint64_t version,
                                      std::optional<std::int64_t> head, const Follower& follower);

// What of a page is news for whom: entries that have expired are none.
struct PageNews {
  std::int64_t lasting = 0;  // the newest position of an entry that does not expire
  std::vector<std::pair<std::int64_t, Instant>> expiring;
  bool is_short_of_head = false;  // its links go on to something, though nothing may stand on it

  std::int64_t newest() const;  // 0: there is none
  bool has_any_after(std::int64_t seen, Instant now) const;
};

class ReadyPage {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // headers: of the 200, ETag, Cache-Control, Vary and Link among them, of which a 304 is made.
  // version: of the feed before anything of the page was read. head: where the log must stand for the page to hold;
  // nullopt: anywhere.
  ReadyPage(Headers headers, http::Bytes body, std::uint64_t version, std::optional<std::int64_t> head,
            PageNews news = {}, std::optional<LastModified> last_modified = std::nullopt);

  const PageNews& news() const { return news_; }
  std::uint64_t version() const { return version_; }
  const std::string& etag() const { return etag_; }
  const std::optional<LastModified>& last_modified() const { return last_modified_; }
  const http::Bytes& body() const { return body_; }
  std::optional<std::int64_t> head() const { return head_; }
  std::size_t bytes() const;  // of memory, about

  // Set by whoever uses the page, also by answers that are given again without asking for it, whose io threads share
  // nothing but this: it is written only where it is not set.
  using Use = std::shared_ptr<std::atomic<bool>>;
  const Use& use() const { return use_; }
  static void mark(const Use& use) {
    if (!use->load(std::memory_order_relaxed)) use->store(true, std::memory_order_relaxed);
  }

  // The same, of a page that was sent as it is, in a content coding, which is made here: for a database thread. The
  // entity tag is weak, and so the same.
  ReadyPage in(http::Coding coding) const;

  bool holds(const LiveFeed& feed) const;

  // Its status line and fields, composed; held: of an answer that was waited for, which nobody is to keep.
  const http::Bytes& composed_head(bool is_not_modified, bool is_held) const {
    return heads_[is_not_modified ? 1 : 0][is_held ? 1 : 0];
  }
  // Of a 304 that names another form of the page, by its tag.
  http::Bytes compose_not_modified(const std::string& etag) const;

 private:
  Headers headers_;
  std::string etag_;
  http::Bytes body_;
  std::uint64_t version_;
  std::optional<std::int64_t> head_;
  PageNews news_;
  std::optional<LastModified> last_modified_;  // not in the heads: it is told later than they are composed
  http::Bytes heads_[2][2];
  Use use_ = std::make_shared<std::atomic<bool>>(false);
};

// Whether the client has it already: If-None-Match, or else If-Modified-Since.
bool is_unchanged(const http::Request& request, const ReadyPage& page, Ticks now);

// 200 or 304; the same request may be given it again while the follower is current and the page holds.
http::Response answer_with(const ReadyPage& page, const http::Request& request, std::shared_ptr<const LiveFeed> feed,
                           const Follower& follower, const Clock& clock);

// The same of an answer that was waited for: no-store.
http::Response held_answer_with(const ReadyPage& page, const http::Request& request, Ticks now);

}  // namespace courant::feeds
