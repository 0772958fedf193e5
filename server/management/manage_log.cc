// What is done to the log itself: deletion of a feed, redaction, generations (feeds/lifecycle.h).
#include "feeds/lifecycle.h"
#include "feeds/own_feeds.h"
#include "kernel/text.h"
#include "server/management/manage_route.h"
#include "server/queries.h"

namespace courant::server {
namespace {

std::string name_of_feed(const ManageCall& call) {
  return call.argument(0) + "/" + call.argument(1);
}

// What the server tells of itself stays. Throws Problem 403.
void require_erasable(const ManageCall& call) {
  if (call.argument(0) != feeds::kOwnWorkspace) return;
  throw Problem(403, "Nothing is erased from what the server tells of itself, but by its age: retain");
}

// That it is this feed, as it stands, that is meant. Throws Problem 412, 428.
void require_meant(const ManageCall& call, std::int64_t head) {
  const std::string* const confirmed = find_parameter(call.asked.query, "confirm");
  if (confirmed != nullptr && *confirmed == name_of_feed(call)) return;
  if (call.asked.if_match.empty()) {
    throw Problem(428, "What is deleted is gone: say If-Match: \"" + std::to_string(head) +
                           "\" (the head), or ?confirm=" + name_of_feed(call));
  }
  // What stands behind the head in the tag of a feed is of its settings.
  const std::string_view tag = trim(call.asked.if_match);
  const std::string begin = "\"" + std::to_string(head);
  if (tag == begin + "\"" || tag.starts_with(begin + "-")) return;
  throw Problem(412, "The head of the feed is " + std::to_string(head));
}

}  // namespace

std::shared_ptr<feeds::LiveFeed> require_stored_feed(ManageCall& call) {
  feeds::Directory directory(feeds::read_lanes(call.session));
  std::shared_ptr<feeds::LiveFeed> feed = directory.load(call.session, call.argument(0), call.argument(1));
  if (!feed) throw feeds::no_such_feed(call.argument(0), call.argument(1));
  return feed;
}

Json remove_feed(ManageCall& call) {
  require_erasable(call);
  const std::int64_t lane = call.core.engine().directory().lane_of(call.argument(0), call.argument(1));
  call.session.run(queries::lock_lane, sql::Parameters().add(lane));  // the head stays what it is
  const std::shared_ptr<feeds::LiveFeed> feed = require_stored_feed(call);
  const std::int64_t head = feed->head();
  require_meant(call, head);
  feeds::delete_feed(call.session, lane, call.argument(0), call.argument(1), std::nullopt, call.now);
  call.note("feed-deleted", name_of_feed(call), {{"entries", head - feed->state()->floor}, {"head", head}});
  call.lanes = {lane};
  return {};
}

Json redact_entry(ManageCall& call) {
  using Outcome = feeds::Redaction::Outcome;
  require_erasable(call);
  const std::string id = require_text(call.asked.body, "id");
  const feeds::FeedKey key = require_stored_feed(call)->facts().key;
  const feeds::Redaction done = feeds::redact(call.session, key, id, call.now);
  if (done.outcome == Outcome::kNotFound) throw Problem(404, "There is no entry with the id " + id + " in this feed");
  if (done.outcome == Outcome::kDone) {
    call.note("redacted", name_of_feed(call), {{"positions", done.erased}, {"record", done.record}});
    call.lanes = {key.lane};
  }
  return {{"erased", done.erased}, {"record", done.record}};
}

Json get_generation(ManageCall& call) {
  return {{"generation", feeds::read_generation(call.session)}};
}

Json begin_generation(ManageCall& call) {
  const std::int64_t known = require_number(call.asked.body, "generation", 1);
  const feeds::Generation generation = feeds::begin_generation(call.session, known, call.now);
  if (!generation.is_begun_here) throw Problem(409, "The generation is " + std::to_string(generation.number));
  call.note("generation-begun", "generation " + std::to_string(generation.number), {{"before", known}});
  call.lanes = {0};
  return {{"generation", generation.number}};
}

}  // namespace courant::server
