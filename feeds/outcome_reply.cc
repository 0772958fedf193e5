#include "feeds/outcome_reply.h"

#include "kernel/problem.h"
#include "kernel/time.h"

namespace courant::feeds {

StoredEntry stored_form(const PreparedEntry& entry, Published result) {
  StoredEntry stored;
  stored.position = result.position;
  stored.id = entry.id;
  stored.updated = result.updated;
  stored.recorded = result.recorded;
  stored.expires = entry.expires;
  stored.needs_alternate = entry.needs_alternate;
  stored.media = entry.media;
  if (!entry.media.empty()) stored.media_type = entry.content_type;
  stored.salt = std::move(result.salt);
  stored.leaf = std::move(result.leaf);
  stored.chain = std::move(result.chain);
  stored.xml = entry.before_times + "<published>" + format_rfc3339(result.published) + "</published><updated>" +
               format_rfc3339(result.updated) + "</updated>" + entry.after_times;
  return stored;
}

void throw_no_such_entry(const std::string& id) {
  throw Problem(404, "There is no entry with the id " + id + " in this feed");
}

void throw_unpublished(const Published& result, const std::string& id, const std::string& feed_url) {
  const std::string url = entry_url(feed_url, id);
  switch (result.outcome) {
    case PublishOutcome::kConflict:
      throw Problem(
          409, "The feed holds other content under the id " + id + ", at position " + std::to_string(result.position))
          .with("Location", url);
    case PublishOutcome::kSame:  // a retry, where those are told: Feed-Position is what tells it from other content
      throw Problem(409, "The feed holds this content under the id " + id + " already, at position " +
                             std::to_string(result.position))
          .with("Location", url)
          .with("Feed-Position", std::to_string(result.position));
    case PublishOutcome::kGone:
      throw Problem(410, "The entry " + id + " was deleted and cannot come back");
    case PublishOutcome::kNoFeed:
      throw Problem(404, "The feed does not exist any more");
    case PublishOutcome::kUnknown:
      throw Problem(503,
                    "The database cannot be reached: whether the entry was stored is not known. Send it again with the "
                    "id " +
                        id + ", or ask for " + url)
          .with("Retry-After", "1");
    case PublishOutcome::kStale:
      throw Problem(412, "The precondition does not hold: somebody was faster");
    case PublishOutcome::kNotFound:
      throw_no_such_entry(id);
    case PublishOutcome::kRefused:
      throw Problem(500, "The server could not store this entry");
    default:
      throw Problem(503, "Too many entries wait to be stored: try again in a moment").with("Retry-After", "1");
  }
}

}  // namespace courant::feeds
