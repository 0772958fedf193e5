#include "server/log_commands.h"

#include <cstdio>
#include <functional>

#include <nlohmann/json.hpp>

#include "feeds/follower.h"
#include "feeds/lifecycle.h"
#include "kernel/text.h"
#include "server/audit.h"
#include "server/open_database.h"

namespace courant::server {
namespace {

constexpr int kNotDone = 1;
constexpr int kWrongWords = 2;

int say(const std::string& sentence, int status) {
  std::fprintf(stderr, "courant: %s\n", sentence.c_str());
  return status;
}

// The log that a command works on.
struct Log {
  sql::Session& session;
  feeds::Directory& directory;
  const sql::DatabaseOptions& database;
  Instant now;

  // What is done becomes known together with that it was done.
  void note(std::string_view act, std::string_view subject, nlohmann::json details) {
    note_act(session, actor_at_command_line(), act, subject, std::move(details), now);
  }
};

int with_log(const ServeOptions& options, const std::function<int(Log&)>& work) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return say(opened.fault().detail, kNotDone);
  try {
    const std::unique_ptr<sql::Session> session = opened->database->connect();
    feeds::Directory directory(feeds::read_lanes(*session));
    Log log{*session, directory, opened->database->options(), SystemClock().now()};
    return work(log);
  } catch (const std::exception& error) {
    return say(std::string("the database refused: ") + error.what(), kNotDone);
  }
}

int with_feed(const ServeOptions& options, const std::string& name,
              const std::function<int(Log&, const feeds::LiveFeed&)>& work) {
  const std::vector<std::string_view> pieces = split(name, '/');
  if (pieces.size() != 2) return say("a feed is named workspace/feed, not " + name, kWrongWords);
  return with_log(options, [&](Log& log) {
    const std::shared_ptr<feeds::LiveFeed> feed = log.directory.load(log.session, pieces[0], pieces[1]);
    if (!feed) return say("there is no feed " + name, kNotDone);
    return work(log, *feed);
  });
}

std::string listed(const std::vector<std::int64_t>& positions) {
  std::string list;
  for (const std::int64_t position : positions) list += (list.empty() ? "" : ", ") + std::to_string(position);
  return list;
}

}  // namespace

int redact(const ServeOptions& options, const RedactOptions& redaction) {
  return with_feed(options, redaction.feed, [&](Log& log, const feeds::LiveFeed& feed) {
    using Outcome = feeds::Redaction::Outcome;
    const feeds::FeedKey key = feed.facts().key;
    feeds::Redaction done;
    log.session.transaction([&] {
      done = feeds::redact(log.session, key, redaction.id, log.now);
      if (done.outcome != Outcome::kDone) return;
      log.note("redacted", redaction.feed, {{"positions", done.erased}, {"record", done.record}});
    });
    if (done.outcome == Outcome::kNotFound)
      return say("there is no entry with the id " + redaction.id + " in " + redaction.feed, kNotDone);
    if (done.outcome == Outcome::kDoneBefore) {
      std::printf("Nothing is left to erase: its newest record is at position %lld.\n",
                  static_cast<long long>(done.record));
      return 0;
    }
    feeds::tell_servers(log.database, {key.lane});
    log.session.execute_script("vacuum entries");  // the dead rows hold what was erased
    std::printf("Erased the content of position %s; recorded at position %lld.\n", listed(done.erased).c_str(),
                static_cast<long long>(done.record));
    if (!feed.state()->settings.redactable) {
      std::printf(
          "The feed is not redactable: caches were told that its archive pages never change, and may keep "
          "them.\n");
    }
    std::printf("Backups, replicas and the write-ahead log keep it until they are replaced.\n");
    return 0;
  });
}

int delete_feed(const ServeOptions& options, const DeleteFeedOptions& deletion) {
  return with_feed(options, deletion.feed, [&](Log& log, const feeds::LiveFeed& feed) {
    const feeds::FeedFacts& facts = feed.facts();
    const long long entries = static_cast<long long>(feed.head() - feed.state()->floor);
    if (!deletion.is_meant) {
      return say(deletion.feed + " holds " + std::to_string(entries) + " entries, which would be gone: say --yes",
                 kWrongWords);
    }
    bool is_done = false;
    log.session.transaction([&] {
      is_done = feeds::delete_feed(log.session, facts.key.lane, facts.workspace, facts.name, std::nullopt, log.now);
      if (is_done) log.note("feed-deleted", deletion.feed, {{"entries", entries}, {"head", feed.head()}});
    });
    if (!is_done) return say("there is no feed " + deletion.feed, kNotDone);
    feeds::tell_servers(log.database, {facts.key.lane});
    std::printf(
        "Deleted %s with %lld entries; a running server removes them in the background. Made again, it goes on "
        "at position %lld.\n",
        deletion.feed.c_str(), entries, static_cast<long long>(feed.head() + 1));
    return 0;
  });
}

int new_generation(const ServeOptions& options) {
  return with_log(options, [](Log& log) {
    const std::int64_t known = feeds::read_generation(log.session);
    std::int64_t begun = known;
    log.session.transaction([&] {
      begun = feeds::begin_generation(log.session, known, log.now);
      log.note("generation-begun", "generation " + std::to_string(begun), {{"before", known}});
    });
    feeds::tell_servers(log.database, {0});
    std::printf("Generation %lld: readers that hold positions of a lost tail are told to begin again.\n",
                static_cast<long long>(begun));
    return 0;
  });
}

}  // namespace courant::server
