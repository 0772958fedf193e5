// Topics that live in memory: the smallest source that keeps to hub/seam.h. Their documents are plain text.
//   MemoryTopics topics;
//   topics.make("demo/events");
//   topics.publish("demo/events", "hello", "gold");   // under http://here.example/demo/events?search=%2Bgold, too
// Threads: any.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "hub/seam.h"
#include "hub/topic_insight.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::test {

class MemoryTopics final : public hub::TopicSource {
 public:
  static constexpr const char* kBase = "http://here.example";

  void make(const std::string& name) {
    const std::lock_guard lock(mutex_);
    feeds_[name].number = static_cast<std::int64_t>(feeds_.size());
  }
  // Its position.
  std::int64_t publish(const std::string& name, const std::string& text, const std::string& term = {}) {
    const std::lock_guard lock(mutex_);
    Feed& feed = feeds_.at(name);
    last_ = std::max(clock_.now(), last_ + std::chrono::microseconds(1));
    feed.entries.push_back({text, term, last_});
    return static_cast<std::int64_t>(feed.entries.size());
  }
  // What a wake-up would say of a feed.
  hub::Moved moved(const std::string& name) {
    const std::lock_guard lock(mutex_);
    const Feed& feed = feeds_.at(name);
    return {0, feed.number, static_cast<std::int64_t>(feed.entries.size())};
  }
  void remove(const std::string& name) {
    const std::lock_guard lock(mutex_);
    feeds_.at(name).is_gone = true;
  }

  std::optional<hub::Topic> find(sql::Session&, const std::string& url) override {
    if (!url.starts_with(std::string(kBase) + "/")) return std::nullopt;
    const std::size_t mark = url.find('?');
    std::optional<std::string> name = percent_decode(std::string_view(url).substr(0, mark).substr(20));
    const std::optional<Parameters> query = parse_query(mark == std::string::npos ? "" : url.substr(mark + 1));
    if (!name || !query) return std::nullopt;
    if (name->ends_with('/')) name->pop_back();
    const std::lock_guard lock(mutex_);
    const auto feed = feeds_.find(*name);
    if (feed == feeds_.end() || feed->second.is_gone) return std::nullopt;
    if (find_parameter(*query, "marker") != nullptr) throw Problem(403, "a page that begins at a marker is no topic");
    const std::string* const search = find_parameter(*query, "search");
    const std::string term = search == nullptr ? "" : "?" + fold_case(std::string_view(*search).substr(1));
    return hub::Topic{"/" + *name + term, 0, feed->second.number};
  }

  std::int64_t position(sql::Session&, const hub::Topic& topic) override {
    return known_position(topic.lane, topic.feed);
  }

  std::int64_t known_position(std::int64_t, std::int64_t number) override {
    const std::lock_guard lock(mutex_);
    const Feed* const feed = find_feed(number);
    return feed == nullptr ? 0 : static_cast<std::int64_t>(feed->entries.size());
  }

  std::vector<std::string> required_terms(const hub::Topic& topic) override {
    const std::size_t mark = topic.canonical.find('?');
    if (mark == std::string::npos) return {};
    return {topic.canonical.substr(mark + 1)};
  }

  hub::NewTerms new_terms(sql::Session&, std::int64_t, std::int64_t number, std::int64_t from) override {
    const std::lock_guard lock(mutex_);
    const Feed* const feed = find_feed(number);
    hub::NewTerms found{from, {}};
    if (feed == nullptr || feed->is_gone) return found;
    std::set<std::string> terms;
    for (; found.to < static_cast<std::int64_t>(feed->entries.size()); ++found.to) {
      const std::string& term = feed->entries[static_cast<std::size_t>(found.to)].term;
      if (!term.empty()) terms.insert(term);
    }
    found.terms.assign(terms.begin(), terms.end());
    return found;
  }

  std::optional<hub::PushDocument> read(sql::Session&, const hub::Topic& topic, const std::string& self,
                                        std::int64_t from, std::int64_t upto, const hub::PushLimits& limits) override {
    const std::lock_guard lock(mutex_);
    const Feed* const feed = find_feed(topic.feed);
    if (feed == nullptr || feed->is_gone) return std::nullopt;
    const std::size_t mark = topic.canonical.find('?');
    const std::string term = mark == std::string::npos ? "" : topic.canonical.substr(mark + 1);
    const std::int64_t last = std::min(upto, static_cast<std::int64_t>(feed->entries.size()));
    if (last <= from) return std::nullopt;
    std::string newest_first;
    std::int64_t to = from;
    std::int64_t entries = 0;
    std::int64_t bytes = 0;
    while (to < last && entries < limits.max_entries) {
      const Entry& entry = feed->entries[static_cast<std::size_t>(to)];
      if (term.empty() || entry.term == term) {
        bytes += static_cast<std::int64_t>(entry.text.size());
        if (entries > 0 && bytes > limits.max_bytes) break;
        ++entries;
        newest_first.insert(0, std::to_string(to + 1) + " " + entry.text + "\n");
      }
      ++to;
    }
    const std::string begin = "after ";
    const auto body = std::make_shared<const std::string>(begin + std::to_string(from) + "\n" + newest_first);
    return hub::PushDocument{body, "text/plain", self, from, to, entries, begin.size()};
  }

  std::vector<std::optional<Instant>> first_after(sql::Session&, const std::vector<hub::LogPlace>& places) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::optional<Instant>> found;
    for (const hub::LogPlace& place : places) {
      const Feed* const feed = find_feed(place.feed);
      const auto next = static_cast<std::size_t>(place.position);
      const bool is_there = feed != nullptr && !feed->is_gone && next < feed->entries.size();
      found.push_back(is_there ? std::optional(feed->entries[next].committed) : std::nullopt);
    }
    return found;
  }

 private:
  struct Entry {
    std::string text;
    std::string term;
    Instant committed;
  };
  struct Feed {
    std::int64_t number = 0;
    bool is_gone = false;
    std::vector<Entry> entries;
  };

  const Feed* find_feed(std::int64_t number) const {
    const auto found =
        std::find_if(feeds_.begin(), feeds_.end(), [number](const auto& one) { return one.second.number == number; });
    return found == feeds_.end() ? nullptr : &found->second;
  }

  SystemClock clock_;
  std::mutex mutex_;  // guards what follows
  std::map<std::string, Feed> feeds_;
  Instant last_;  // when something was published
};

// Of which nobody asks more.
class NoInsight final : public hub::TopicInsight {
 public:
  hub::Backlog backlog(sql::Session&, const hub::Topic&, std::int64_t) override { return {}; }
  hub::PushDocument empty_document(sql::Session&, const hub::Topic&, const std::string&, std::int64_t) override {
    throw Problem(409, "there is no insight");
  }
  hub::NamedTopic through_filter(sql::Session&, const hub::Topic&, const std::string&, const std::string&) override {
    throw Problem(409, "there is no insight");
  }
  hub::Preview preview(sql::Session&, const hub::Topic&, const std::string&, const std::string&, std::int64_t,
                       std::int64_t) override {
    throw Problem(409, "there is no insight");
  }
};

}  // namespace courant::test
