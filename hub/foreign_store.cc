#include "hub/foreign_store.h"

#include <algorithm>

#include "hub/foreign_topics.h"
#include "hub/queries.h"

namespace courant::hub {
namespace {

// Of each topic so many documents are kept, and together so many bytes: who is further behind has a gap.
constexpr std::int64_t kMaxDocuments = 100;
constexpr std::int64_t kMaxDocumentBytes = 32 << 20;

sql::Parameters numbered(std::int64_t number) {
  return sql::Parameters().add(number);
}

ForeignTopic topic_of(const sql::Row& row, std::string url, int column) {
  ForeignTopic topic;
  topic.number = row.integer(0);
  topic.url = std::move(url);
  topic.validators.place = row.text(column);
  topic.validators.etag = row.text(column + 1);
  topic.validators.last_modified = row.text(column + 2);
  topic.attempts = row.integer(column + 3);
  topic.fetches = row.integer(column + 4);
  return topic;
}

}  // namespace

std::optional<std::int64_t> ForeignStore::find(sql::Session& session, const std::string& url) const {
  const sql::Rows rows = session.run(queries::foreign_find, sql::Parameters().add(url));
  return rows.empty() ? std::nullopt : std::optional(rows[0].integer(0));
}

std::int64_t ForeignStore::count(sql::Session& session, std::int64_t limit) const {
  return session.run(queries::foreign_count, numbered(limit))[0].integer(0);
}

std::int64_t ForeignStore::keep(sql::Session& session, const std::string& url, const std::string& host) const {
  session.run(queries::foreign_keep, sql::Parameters().add(url).add(host));
  return find(session, url).value_or(0);
}

Admission ForeignStore::admission(sql::Session& session, std::int64_t number) const {
  const sql::Rows rows = session.run(queries::foreign_standing, numbered(number));
  if (rows.empty()) return {Admission::Answer::kDenied, "it is not known here"};
  if (!rows[0].is_null(1)) return {Admission::Answer::kDenied, std::string(rows[0].text(1))};
  return {rows[0].boolean(0) ? Admission::Answer::kGranted : Admission::Answer::kNotYet, {}};
}

void ForeignStore::want(sql::Session& session, const std::string& url) const {
  session.run(queries::foreign_want, sql::Parameters().add(url));
}

std::vector<DueForeignTopic> ForeignStore::due(sql::Session& session, std::int64_t per_host, std::int64_t limit) const {
  const sql::Rows rows = session.run(queries::foreign_due, sql::Parameters().add(per_host).add(limit));
  std::vector<DueForeignTopic> all;
  for (int i = 0; i < rows.size(); ++i) all.push_back({rows[i].integer(0), std::string(rows[i].text(1))});
  return all;
}

std::vector<ForeignTopic> ForeignStore::claim(sql::Session& session, const std::vector<std::int64_t>& numbers) const {
  const sql::Rows rows = session.run(queries::foreign_claim, sql::Parameters().add(numbers).add(lease_.count()));
  std::vector<ForeignTopic> claimed;
  for (int i = 0; i < rows.size(); ++i) claimed.push_back(topic_of(rows[i], std::string(rows[i].text(1)), 2));
  return claimed;
}

std::optional<KnownOfForeign> ForeignStore::known(sql::Session& session, const ForeignTopic& topic) const {
  const sql::Rows rows = session.run(queries::foreign_known, numbered(topic.number).add(topic.fetches));
  if (rows.empty()) return std::nullopt;
  return KnownOfForeign{rows[0].is_null(0) ? std::nullopt : std::optional(rows[0].bytes(0))};
}

std::optional<StoredForeign> ForeignStore::record(sql::Session& session, const ForeignTopic& topic,
                                                  const Validators& validators, const ForeignNews* news) const {
  sql::Parameters parameters;
  parameters.add(topic.number).add(topic.fetches).add(interval_.count());
  if (news != nullptr) {
    parameters.add_bytes(news->known);
  } else {
    parameters.add_null();
  }
  parameters.add(validators.place).add(validators.etag).add(validators.last_modified);
  if (news != nullptr && news->entries > 0) {
    parameters.add(news->content_type).add(news->is_whole).add(news->entries).add_bytes(news->body);
  } else {
    parameters.add_null().add_null().add_null().add_null();
  }
  const sql::Rows rows = session.run(queries::foreign_record, parameters);
  if (rows.empty()) return std::nullopt;
  if (news != nullptr && news->entries > 0) {
    session.run(queries::foreign_drop_old, numbered(topic.number).add(kMaxDocuments).add(kMaxDocumentBytes));
  }
  return StoredForeign{rows[0].integer(0), rows[0].boolean(1)};
}

bool ForeignStore::failed(sql::Session& session, const ForeignTopic& topic,
                          std::optional<std::chrono::milliseconds> pause, const std::string& why) const {
  sql::Parameters parameters = numbered(topic.number);
  if (pause) {
    parameters.add(pause->count());
  } else {
    parameters.add_null();
  }
  const sql::Rows rows = session.run(queries::foreign_failed, parameters.add(interval_.count()).add(why));
  return !rows.empty() && rows[0].boolean(0);
}

void ForeignStore::put_back(sql::Session& session, const ForeignTopic& topic, std::chrono::milliseconds pause) const {
  session.run(queries::foreign_put_back, numbered(topic.number).add(pause.count()));
}

std::vector<Moved> ForeignStore::moved_within(sql::Session& session, std::chrono::milliseconds time) const {
  const sql::Rows rows = session.run(queries::foreign_moved, numbered(time.count()));
  std::vector<Moved> moves;
  for (int i = 0; i < rows.size(); ++i) moves.push_back({kForeignLane, rows[i].integer(0), rows[i].integer(1)});
  return moves;
}

std::int64_t ForeignStore::position(sql::Session& session, std::int64_t number) const {
  const sql::Rows rows = session.run(queries::foreign_position, numbered(number));
  return rows.empty() ? 0 : rows[0].integer(0);
}

std::optional<PushDocument> ForeignStore::read(sql::Session& session, std::int64_t number, std::int64_t from,
                                               std::int64_t upto) const {
  const sql::Rows rows = session.run(queries::foreign_read, numbered(number).add(from).add(upto));
  PushDocument document;
  document.from = from;
  if (!rows.empty()) {
    const sql::Row row = rows[0];
    document.to = row.integer(0);
    document.content_type = row.text(1);
    document.entries = row.integer(2);
    document.generation = row.integer(4);
    document.body = std::make_shared<const std::string>(row.bytes(3));
    return document;
  }
  document.to = std::min(upto, position(session, number));
  document.entries = 0;
  if (document.to <= from) return std::nullopt;
  return document;  // what stood there has been dropped
}

std::vector<std::optional<Instant>> ForeignStore::first_after(sql::Session& session,
                                                              const std::vector<LogPlace>& places) const {
  std::vector<std::int64_t> topics, positions;
  for (const LogPlace& place : places) {
    topics.push_back(place.feed);
    positions.push_back(place.position);
  }
  const sql::Rows rows = session.run(queries::foreign_first_after, sql::Parameters().add(topics).add(positions));
  std::vector<std::optional<Instant>> times;
  for (int i = 0; i < rows.size(); ++i) {
    times.push_back(rows[i].is_null(0) ? std::nullopt : std::optional(rows[i].instant(0)));
  }
  return times;
}

void ForeignStore::forget_unwanted(sql::Session& session) const {
  session.run(queries::foreign_forget);
}

}  // namespace courant::hub
