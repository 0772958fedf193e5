#include "feeds/lifecycle.h"

#include "feeds/queries.h"
#include "feeds/render.h"
#include "kernel/text.h"

namespace courant::feeds {

Redaction redact(sql::Session& session, FeedKey feed, std::string_view id, Instant now) {
  const RedactionText text = redaction_text(id);
  sql::Parameters parameters;
  parameters.add(feed.lane).add(feed.feed).add(id).add_bytes(random_bytes(16));
  parameters.add(text.before).add(text.middle).add(text.after).add(now);
  const sql::Rows rows = session.run(queries::redact, parameters);
  Redaction redaction;
  redaction.outcome = static_cast<Redaction::Outcome>(rows[0].integer(0));
  redaction.record = rows[0].integer(1);
  redaction.erased = rows[0].integers(2);
  if (redaction.outcome == Redaction::Outcome::kDone) session.run(queries::note_erasure, sql::Parameters().add(now));
  return redaction;
}

bool clear_erased(sql::Session& session) {
  const sql::Rows erasures = session.run(queries::list_erasures);
  if (erasures[0].is_null(0)) return false;
  for (const char* const table : {"entries", "entry_terms", "media_pieces", "archive_pages"}) {
    session.execute_script(std::string("vacuum ") + table);
  }
  session.run(queries::forget_erasures, sql::Parameters().add(erasures[0].integers(0)));
  return true;
}

bool delete_feed(sql::Session& session, std::int64_t lane, std::string_view workspace, std::string_view name,
                 std::optional<Instant> idle_since, Instant now) {
  sql::Parameters parameters;
  parameters.add(lane).add(workspace).add(name);
  idle_since ? parameters.add(*idle_since) : parameters.add_null();
  parameters.add(now);
  return !session.run(queries::delete_feed, parameters)[0].is_null(0);
}

void begin_earlier(sql::Session& session, FeedKey feed, Instant since) {
  session.run(queries::begin_earlier, sql::Parameters().add(feed.lane).add(feed.feed).add(since));
}

Generation begin_generation(sql::Session& session, std::int64_t known, Instant now) {
  const std::int64_t number = session.run(queries::new_generation, sql::Parameters().add(known).add(now))[0].integer(0);
  return {number, session.run(queries::is_generation_ours)[0].boolean(0)};
}

std::int64_t read_generation(sql::Session& session) {
  return session.run(queries::find_generation)[0].integer(0);
}

void adopt_renderer(sql::Session& session) {
  session.run(queries::adopt_renderer, sql::Parameters().add(kRendererVersion));
}

}  // namespace courant::feeds
