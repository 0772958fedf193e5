// The operator's commands on the log itself, on the database of a server, which may run: redact, delete-feed,
// delete-workspace and new-generation. Servers notice within milliseconds. Each prints what it did; the exit status is
// 0, 1 where it was not done, 2 for wrong words.
#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "feeds/follower.h"
#include "feeds/lifecycle.h"
#include "feeds/own_feeds.h"
#include "feeds/stored_settings.h"
#include "kernel/text.h"
#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"

namespace courant::server {
namespace {

struct RedactOptions {
  std::string feed;  // "workspace/feed"
  std::string id;    // atom:id
};
struct DeletionOptions {
  std::string what;       // a feed, or a workspace
  bool is_meant = false;  // --yes
};

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
  return on_database(options, [&work](sql::Database& database, sql::Session& session) {
    feeds::Directory directory(feeds::read_lanes(session));
    Log log{session, directory, database.options(), SystemClock().now()};
    return work(log);
  });
}

int with_feed(const ServeOptions& options, const std::string& name,
              const std::function<int(Log&, const feeds::LiveFeed&)>& work) {
  const std::vector<std::string_view> pieces = split(name, '/');
  if (pieces.size() != 2) return say(Fault{"a feed is named workspace/feed, not " + name}, kWrongCall);
  if (pieces[0] == feeds::kOwnWorkspace) {
    return say(Fault{"nothing is erased from what the server tells of itself, but by its age: retain"});
  }
  return with_log(options, [&](Log& log) {
    const std::shared_ptr<feeds::LiveFeed> feed = log.directory.load(log.session, pieces[0], pieces[1]);
    if (!feed) return say(Fault{"there is no feed " + name});
    return work(log, *feed);
  });
}

std::string listed(const std::vector<std::int64_t>& positions) {
  std::string list;
  for (const std::int64_t position : positions) list += (list.empty() ? "" : ", ") + std::to_string(position);
  return list;
}

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
    if (done.outcome == Outcome::kNotFound) {
      return say(Fault{"there is no entry with the id " + redaction.id + " in " + redaction.feed});
    }
    if (done.outcome == Outcome::kDoneBefore) {
      std::printf("Nothing is left to erase: its newest record is at position %lld.\n",
                  static_cast<long long>(done.record));
      return 0;
    }
    feeds::tell_servers(log.database, {key.lane});
    std::printf("Erased the content of position %s; recorded at position %lld.\n", listed(done.erased).c_str(),
                static_cast<long long>(done.record));
    if (!feed.state()->settings.redactable) {
      std::printf(
          "The feed is not redactable: caches were told that its archive pages never change, and may keep "
          "them.\n");
    }
    std::printf("Backups, replicas and the write-ahead log keep it until they are replaced.\n");
    std::fflush(stdout);
    try {
      feeds::clear_erased(log.session);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "courant: on the disk it is until a running server has cleared it: %s\n", error.what());
    }
    return 0;
  });
}

int delete_feed(const ServeOptions& options, const DeletionOptions& deletion) {
  return with_feed(options, deletion.what, [&](Log& log, const feeds::LiveFeed& feed) {
    const feeds::FeedFacts& facts = feed.facts();
    const long long entries = static_cast<long long>(feed.head() - feed.state()->floor);
    if (!deletion.is_meant) {
      return say(
          Fault{deletion.what + " holds " + std::to_string(entries) + " entries, which would be gone: say --yes"},
          kWrongCall);
    }
    bool is_done = false;
    log.session.transaction([&] {
      is_done = feeds::delete_feed(log.session, facts.key.lane, facts.workspace, facts.name, std::nullopt, log.now);
      if (is_done) log.note("feed-deleted", deletion.what, {{"entries", entries}, {"head", feed.head()}});
    });
    if (!is_done) return say(Fault{"there is no feed " + deletion.what});
    feeds::tell_servers(log.database, {facts.key.lane});
    std::printf(
        "Deleted %s with %lld entries; a running server removes them in the background. Made again, it goes on "
        "at position %lld.\n",
        deletion.what.c_str(), entries, static_cast<long long>(feed.head() + 1));
    return 0;
  });
}

int delete_workspace(const ServeOptions& options, const DeletionOptions& deletion) {
  const std::string& name = deletion.what;
  if (name == feeds::kOwnWorkspace) return say(Fault{"what the server tells of itself stays"});
  if (!deletion.is_meant) return say(Fault{"the settings of " + name + " would be gone: say --yes"}, kWrongCall);
  return with_log(options, [&name](Log& log) {
    Result<bool> removed = false;
    log.session.transaction([&] {
      removed = feeds::SettingsChange(log.session, log.now).remove(name);
      if (removed && *removed) log.note("workspace-deleted", name, nlohmann::json::object());
    });
    if (!removed) return say(removed.fault());
    if (!*removed) return say(Fault{"there is no workspace " + name});
    feeds::tell_servers(log.database, {0});
    std::printf(
        "Deleted the workspace %s. A configuration file that names it makes it again at a server's next start.\n",
        name.c_str());
    return 0;
  });
}

int new_generation(const ServeOptions& options) {
  return with_log(options, [](Log& log) {
    const std::int64_t known = feeds::read_generation(log.session);
    feeds::Generation generation;
    log.session.transaction([&] {
      generation = feeds::begin_generation(log.session, known, log.now);
      if (!generation.is_begun_here) return;
      log.note("generation-begun", "generation " + std::to_string(generation.number), {{"before", known}});
    });
    feeds::tell_servers(log.database, {0});
    std::printf("Generation %lld: readers that hold positions of a lost tail are told to begin again.\n",
                static_cast<long long>(generation.number));
    return 0;
  });
}

}  // namespace

void add_log_commands(CommandLine& line) {
  const auto redaction = std::make_shared<RedactOptions>();
  CLI::App& redacting = line.add_on_data(
      "redact", "erase an entry's content by law; positions, leaves and the chain stay (docs/AUDIT.md)",
      CommandLine::Flags::kDatabase, [redaction](const ServeOptions& options) { return redact(options, *redaction); });
  redacting.add_option("feed", redaction->feed, "workspace/feed")->required();
  redacting.add_option("id", redaction->id, "the entry's atom:id")->required();

  const auto deletion = std::make_shared<DeletionOptions>();
  CLI::App& deleting =
      line.add_on_data("delete-feed", "delete a feed with all its entries", CommandLine::Flags::kDatabase,
                       [deletion](const ServeOptions& options) { return delete_feed(options, *deletion); });
  deleting.add_option("feed", deletion->what, "workspace/feed")->required();
  deleting.add_flag("--yes", deletion->is_meant, "it is meant");

  const auto removal = std::make_shared<DeletionOptions>();
  CLI::App& removing =
      line.add_on_data("delete-workspace", "delete a workspace that has no feeds", CommandLine::Flags::kDatabase,
                       [removal](const ServeOptions& options) { return delete_workspace(options, *removal); });
  removing.add_option("workspace", removal->what, "its name")->required();
  removing.add_flag("--yes", removal->is_meant, "it is meant");
  removing.footer(
      "A configuration file that names it makes it again at a server's next start. Its subscriptions last until their\n"
      "lease ends, and tokens keep their patterns: both count again where a workspace of that name is made.");

  line.add_on_data("new-generation", "after a restore from a backup: positions that readers hold may have been lost",
                   CommandLine::Flags::kDatabase, new_generation);
}

}  // namespace courant::server
