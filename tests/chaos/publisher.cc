#include "tests/chaos/publisher.h"

#include <algorithm>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "kernel/uri.h"

namespace courant::chaos {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kAtom = "Content-Type: application/atom+xml\r\n";
constexpr std::chrono::seconds kPatience{4};  // shorter than what a server may be stopped for
constexpr int kHotFeeds = 20;                 // half of everything goes to the first of the feeds
constexpr std::size_t kOwn = 100;             // of his entries that he may still change

std::string entry_path(int feed, const std::string& id) {
  return feed_path(feed) + "/entries/" + percent_encode(id, ":");
}

// The id that a Location names.
std::string id_in(const std::string& location) {
  const std::size_t begin = location.rfind('/');
  return begin == std::string::npos ? std::string() : percent_decode(location.substr(begin + 1)).value_or("");
}

struct Place {
  std::string id;
  std::int64_t position = 0;
};

// What a batch was answered with, in the order sent; empty: it cannot be read.
std::vector<Place> places_in(const test::Reply& reply) {
  std::vector<Place> places;
  if (reply.header("Content-Type").starts_with("application/json")) {
    const nlohmann::json document = nlohmann::json::parse(reply.body, nullptr, false);
    if (!document.is_object()) return {};
    for (const nlohmann::json& entry : document.value("entries", nlohmann::json::array())) {
      places.push_back({id_in(entry.value("location", "")), entry.value("position", std::int64_t{-1})});
    }
    return places;
  }
  const std::optional<Page> page = read_page(reply.body);
  if (!page) return {};
  for (const Record& record : page->records) places.push_back({record.id, record.position});
  return places;
}

}  // namespace

Publisher::Publisher(PublisherOptions options, const std::atomic<bool>& is_over, Findings& findings, Counts& counts)
    : options_(options),
      is_over_(is_over),
      findings_(findings),
      counts_(counts),
      random_(options.seed),
      caller_(options.ports, kPatience) {}

void Publisher::run() {
  while (!is_over_) {
    const int what = random(100);
    if (what < 10) {
      publish_batch();
    } else if (what < 13 && !own_.empty()) {
      publish_bad_batch();
    } else if (what < 30 && !own_.empty()) {
      revise();
    } else if (what < 40 && !own_.empty()) {
      remove();
    } else if (what < 45) {
      publish_to_both();
    } else if (what < 50) {
      publish_expecting();
    } else {
      publish_one(what < 85);
    }
  }
}

int Publisher::choose_feed() {
  return random(2) == 0 ? random(std::min(options_.feeds, kHotFeeds)) : random(options_.feeds);
}

int Publisher::begin(Kind kind, int feed, std::string id) {
  ledger_.push_back({kind, feed, std::move(id)});
  return static_cast<int>(ledger_.size()) - 1;
}

std::string Publisher::fresh_id(int number) const {
  return "urn:chaos:" + std::to_string(options_.number) + ":" + std::to_string(number);
}

// Sends until there is an answer; nullopt: there was none up to the end, and a line of the ledger stays unsettled.
std::optional<Publisher::Settled> Publisher::settle(const Ask& ask) {
  bool was_in_doubt = false;
  std::optional<Clock::time_point> give_up;
  for (;;) {
    const int server = random(2);
    const std::optional<test::Reply> reply = caller_.ask(server, ask);
    if (!is_doubtful(reply)) return Settled{*reply, server, was_in_doubt};
    ++counts_.doubts;
    if (!was_in_doubt) ++counts_.doubtful;
    was_in_doubt = true;
    if (is_over_ && !give_up) give_up = Clock::now() + options_.last_patience;
    if (give_up && Clock::now() > *give_up) {
      ++counts_.unsettled;
      return std::nullopt;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20 + random(200)));
  }
}

void Publisher::answered(int number, std::int64_t position, const std::string& id) {
  Operation& operation = ledger_[static_cast<std::size_t>(number)];
  operation.state = Operation::State::kAnswered;
  operation.position = position;
  if (operation.id.empty()) operation.id = id;
  if (operation.id != id) findings_.add("the answer for " + operation.id + " names " + id);
  if (operation.kind == Kind::kEntry) ++counts_.entries;
  if (operation.kind == Kind::kRevision) ++counts_.revisions;
  if (operation.kind == Kind::kDeletion) ++counts_.deletions;
}

void Publisher::unexpected(const Ask& ask, const Settled& settled) {
  findings_.add(ask.method + " " + ask.target + (settled.was_in_doubt ? " sent again" : "") + " to server " +
                (settled.server == 0 ? "A" : "B") + " was answered " + std::to_string(settled.reply.status) + ": " +
                settled.reply.body.substr(0, 300));
}

void Publisher::keep(int feed, const std::string& id, std::int64_t position) {
  if (own_.size() >= kOwn) {
    own_[static_cast<std::size_t>(random(kOwn))] = {feed, id, position};
  } else {
    own_.push_back({feed, id, position});
  }
}

// Without an id of his own the entry is known again by its Idempotency-Key.
void Publisher::publish_one(bool has_id) {
  const int feed = choose_feed();
  const int number = begin(Kind::kEntry, feed, "");
  Operation& operation = ledger_.back();
  if (has_id) operation.id = fresh_id(number);
  Ask ask{"POST", feed_path(feed), kAtom, entry_xml(operation.id, options_.number, number)};
  if (!has_id) ask.headers += "Idempotency-Key: " + fresh_id(number) + "\r\n";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  const int status = settled->reply.status;
  if (status != 201 && !(status == 200 && settled->was_in_doubt)) return unexpected(ask, *settled);
  const std::int64_t position = number_of(settled->reply, "Feed-Position");
  const std::string id = id_in(settled->reply.header("Location"));
  answered(number, position, id);
  keep(feed, id, position);
  if (random(8) == 0) look_at_head(settled->server, feed, position);
}

// The same at once to both servers: it is stored once, and both say where.
void Publisher::publish_to_both() {
  const int feed = choose_feed();
  const int number = begin(Kind::kEntry, feed, fresh_id(static_cast<int>(ledger_.size())));
  const std::string id = ledger_.back().id;
  const Ask ask{"POST", feed_path(feed), kAtom, entry_xml(id, options_.number, number)};
  const auto replies = caller_.ask_both(ask);
  if (!is_doubtful(replies[0]) && !is_doubtful(replies[1])) {
    const bool is_once = replies[0]->status + replies[1]->status == 201 + 200;
    if (!is_once || number_of(*replies[0], "Feed-Position") != number_of(*replies[1], "Feed-Position")) {
      findings_.add("POST of " + id + " to both servers is " + std::to_string(replies[0]->status) + " at position " +
                    replies[0]->header("Feed-Position") + " and " + std::to_string(replies[1]->status) +
                    " at position " + replies[1]->header("Feed-Position"));
    }
  }
  // Sent once more, it is certainly a retry where one of them has stored it.
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  const bool was_stored = !is_doubtful(replies[0]) || !is_doubtful(replies[1]);
  const int status = settled->reply.status;
  if (status != 200 && (status != 201 || was_stored)) return unexpected(ask, *settled);
  answered(number, number_of(settled->reply, "Feed-Position"), id);
  for (const auto& reply : replies) {
    if (is_doubtful(reply) || number_of(*reply, "Feed-Position") == ledger_.back().position) continue;
    findings_.add("POST of " + id + " was answered at two positions");
  }
}

// With the head that he knows as precondition: it is stored right after that, or not at all.
void Publisher::publish_expecting() {
  const int feed = choose_feed();
  const std::optional<Settled> head = settle({"GET", feed_path(feed)});
  if (!head || head->reply.status != 200) return;  // nobody has published there yet
  const std::int64_t expected = number_of(head->reply, "Feed-Position");
  const int number = begin(Kind::kEntry, feed, fresh_id(static_cast<int>(ledger_.size())));
  const std::string id = ledger_.back().id;
  Ask ask{"POST", feed_path(feed), kAtom, entry_xml(id, options_.number, number)};
  ask.headers += "If-Match: \"" + std::to_string(expected) + "\"\r\n";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  std::int64_t position = -1;
  // Sent again where the earlier try was stored it is a retry, whatever the precondition says now.
  const bool is_retry = settled->reply.status == 200 && settled->was_in_doubt;
  if (settled->reply.status == 201 || is_retry) position = number_of(settled->reply, "Feed-Position");
  if (settled->reply.status == 412 && settled->was_in_doubt) {
    // His own earlier try may have been the one that was faster. From now on none can succeed any more.
    const std::optional<Settled> stored = settle({"GET", entry_path(feed, id)});
    if (!stored) return;
    if (stored->reply.status == 200) position = number_of(stored->reply, "Feed-Position");
  }
  if (position < 0) {
    if (settled->reply.status != 412) return unexpected(ask, *settled);
    ledger_.back().state = Operation::State::kRefused;
    return;
  }
  if (position != expected + 1) {
    findings_.add("POST of " + id + " expected the head " + std::to_string(expected) + " and got position " +
                  std::to_string(position));
  }
  answered(number, position, id);
}

void Publisher::publish_batch() {
  const int feed = choose_feed();
  const int count = 2 + random(19);
  const bool has_ids = random(3) > 0;
  const int first = static_cast<int>(ledger_.size());
  Ask ask{"POST", feed_path(feed), kAtom, "<feed xmlns=\"http://www.w3.org/2005/Atom\">"};
  for (int i = 0; i < count; ++i) {
    const int number = begin(Kind::kEntry, feed, "");
    if (has_ids) ledger_.back().id = fresh_id(number);
    ask.body += entry_xml(ledger_.back().id, options_.number, number);
  }
  ask.body += "</feed>";
  if (!has_ids) ask.headers += "Idempotency-Key: " + fresh_id(first) + "\r\n";
  if (random(2) == 0) ask.headers += "Prefer: return=minimal\r\n";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  const std::vector<Place> places = places_in(settled->reply);
  if (settled->reply.status != 200 || places.size() != static_cast<std::size_t>(count)) {
    return unexpected(ask, *settled);
  }
  ++counts_.batches;
  for (int i = 0; i < count; ++i) {
    const Place& place = places[static_cast<std::size_t>(i)];
    const Place& before = places[static_cast<std::size_t>(std::max(0, i - 1))];
    answered(first + i, place.position, place.id);
    if (i > 0 && place.position != before.position + 1) findings_.add("the batch of " + place.id + " is torn apart");
  }
  keep(feed, places.back().id, places.back().position);
}

// One of its entries has an id that is taken: nothing of it is stored.
void Publisher::publish_bad_batch() {
  const Own own = take_own();
  const int count = 2 + random(5);
  const int bad = random(count);
  const int first = static_cast<int>(ledger_.size());
  Ask ask{"POST", feed_path(own.feed), kAtom, "<feed xmlns=\"http://www.w3.org/2005/Atom\">"};
  for (int i = 0; i < count; ++i) {
    const int number = begin(Kind::kEntry, own.feed, i == bad ? own.id : fresh_id(first + i));
    ask.body += entry_xml(ledger_.back().id, options_.number, number);
  }
  ask.body += "</feed>";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  if (settled->reply.status != 409) return unexpected(ask, *settled);
  for (int i = 0; i < count; ++i) ledger_[static_cast<std::size_t>(first + i)].state = Operation::State::kRefused;
  keep(own.feed, own.id, own.position);
}

// With If-Match a late try can do no harm, but the second one of two may be refused for what the first has done: then
// he looks. Without, he leaves the entry alone from then on where a try may still come late.
void Publisher::revise() {
  const Own own = take_own();
  const bool is_conditional = random(2) == 0;
  const int number = begin(Kind::kRevision, own.feed, own.id);
  Ask ask{"PUT", entry_path(own.feed, own.id), kAtom, entry_xml(own.id, options_.number, number)};
  if (is_conditional) ask.headers += "If-Match: \"" + std::to_string(own.position) + "\"\r\n";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  std::optional<std::int64_t> position;
  if (settled->reply.status == 200) position = number_of(settled->reply, "Feed-Position");
  if (settled->reply.status == 412 && is_conditional && settled->was_in_doubt) {
    position = find_own(own, number);
    if (!position) return;
  }
  if (!position) return unexpected(ask, *settled);
  answered(number, *position, own.id);
  if (is_conditional || !settled->was_in_doubt) keep(own.feed, own.id, *position);
}

// Nobody else changes his entries: a stale precondition can only come from his own earlier try.
std::optional<std::int64_t> Publisher::find_own(const Own& own, int number) {
  const Ask ask{"GET", entry_path(own.feed, own.id)};
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return std::nullopt;
  pugi::xml_document document;
  document.load_buffer(settled->reply.body.data(), settled->reply.body.size());
  if (document.child("entry").child_value("content") == content_of(options_.number, number)) {
    return number_of(settled->reply, "Feed-Position");
  }
  findings_.add("PUT of " + own.id + " was 412 for another's change, but nobody else changes it");
  return std::nullopt;
}

Publisher::Own Publisher::take_own() {
  const std::size_t at = static_cast<std::size_t>(random(static_cast<int>(own_.size())));
  Own own = std::exchange(own_[at], own_.back());
  own_.pop_back();
  return own;
}

void Publisher::remove() {
  const Own own = take_own();
  const int number = begin(Kind::kDeletion, own.feed, own.id);
  const Ask ask{"DELETE", entry_path(own.feed, own.id)};
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  const int status = settled->reply.status;
  if (status != 204 && !(status == 410 && settled->was_in_doubt)) return unexpected(ask, *settled);
  const std::int64_t position = number_of(settled->reply, "Feed-Position");
  answered(number, status == 410 ? std::max<std::int64_t>(0, position) : position, own.id);
}

// Who has an answer of a server sees at least that on the same server; and who knows an older head is not told that
// nothing has changed.
void Publisher::look_at_head(int server, int feed, std::int64_t position) {
  Ask ask{"GET", feed_path(feed)};
  const auto known = tags_.find(feed);
  const bool is_older = known != tags_.end() && known->second.second < position;
  if (is_older) ask.headers = "If-None-Match: " + known->second.first + "\r\n";
  const std::optional<test::Reply> reply = caller_.ask(server, ask);
  if (is_doubtful(reply)) return;
  const std::int64_t shown = number_of(*reply, "Feed-Position");
  if (reply->status != 200 || shown < position) {
    findings_.add("GET " + feed_path(feed) + " is " + std::to_string(reply->status) + " at position " +
                  std::to_string(shown) + " after " + std::to_string(position) + " was answered by the same server");
    return;
  }
  tags_[feed] = {reply->header("ETag"), shown};
}

}  // namespace courant::chaos
