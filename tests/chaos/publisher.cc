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
      places.push_back({id_in(entry.value("location", "")), entry.value("position", std::int64_t{0})});
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
    } else if (what < 30 && !own_.empty()) {
      revise();
    } else if (what < 40 && !own_.empty()) {
      remove();
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
  if (random(20) == 0) look_at_head(settled->server, feed, position);
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

// With If-Match a late try can do no harm, but the second one of two may be refused for what the first has done: then
// he looks. Without, he leaves the entry alone from then on where a try may still come late.
void Publisher::revise() {
  const std::size_t at = static_cast<std::size_t>(random(static_cast<int>(own_.size())));
  const Own own = std::exchange(own_[at], own_.back());
  own_.pop_back();
  const bool is_conditional = random(2) == 0;
  const int number = begin(Kind::kRevision, own.feed, own.id);
  Ask ask{"PUT", entry_path(own.feed, own.id), kAtom, entry_xml(own.id, options_.number, number)};
  if (is_conditional) ask.headers += "If-Match: \"" + std::to_string(own.position) + "\"\r\n";
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  std::optional<std::int64_t> position;
  if (settled->reply.status == 200) position = number_of(settled->reply, "Feed-Position");
  if (settled->reply.status == 412 && is_conditional && settled->was_in_doubt) {
    position = find_own_revision(own, number);
    if (!position) return;
  }
  if (!position) return unexpected(ask, *settled);
  answered(number, *position, own.id);
  if (is_conditional || !settled->was_in_doubt) keep(own.feed, own.id, *position);
}

// Nobody else changes his entries: a stale precondition can only come from his own earlier try.
std::optional<std::int64_t> Publisher::find_own_revision(const Own& own, int number) {
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

void Publisher::remove() {
  const std::size_t at = static_cast<std::size_t>(random(static_cast<int>(own_.size())));
  const Own own = std::exchange(own_[at], own_.back());
  own_.pop_back();
  const int number = begin(Kind::kDeletion, own.feed, own.id);
  const Ask ask{"DELETE", entry_path(own.feed, own.id)};
  const std::optional<Settled> settled = settle(ask);
  if (!settled) return;
  const int status = settled->reply.status;
  if (status != 204 && !(status == 410 && settled->was_in_doubt)) return unexpected(ask, *settled);
  answered(number, std::max<std::int64_t>(0, number_of(settled->reply, "Feed-Position")), own.id);
}

// Who has an answer of a server sees at least that on the same server.
void Publisher::look_at_head(int server, int feed, std::int64_t position) {
  const std::optional<test::Reply> reply = caller_.ask(server, {"GET", feed_path(feed)});
  if (is_doubtful(reply)) return;
  if (reply->status == 200 && number_of(*reply, "Feed-Position") >= position) return;
  findings_.add("GET " + feed_path(feed) + " is " + std::to_string(reply->status) + " at position " +
                std::to_string(number_of(*reply, "Feed-Position")) + " after " + std::to_string(position) +
                " was answered by the same server");
}

}  // namespace courant::chaos
