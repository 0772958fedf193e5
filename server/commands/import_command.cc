// courant import: history of Atom Hopper into the log of a server, which may run; and its configuration as ours.
// Specification: docs/MIGRATION.md.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "feeds/configure.h"
#include "feeds/follower.h"
#include "feeds/own_feeds.h"
#include "kernel/text.h"
#include "server/audit.h"
#include "server/commands/atom_hopper_name.h"
#include "server/commands/command_line.h"
#include "server/commands/import_config.h"
#include "server/commands/importer.h"
#include "server/open_database.h"
#include "server/queries.h"
#include "server/settings/settings_changes.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;

struct ImportOptions {
  std::string source;             // postgresql://..., with Atom Hopper's table `entries`
  std::string feed;               // one feed, by its name there or here; empty: all
  std::string time_zone = "UTC";  // of timestamps that the table keeps without one
  bool again = false;             // from the beginning: what is there already is recognised
};

// The import ends with this sentence.
struct Stopped {
  std::string sentence;
};

// What a row holds may stand in a sentence.
int tell(const std::string& sentence) {
  return say(Fault{without_controls(sentence)});
}

// How far it is, on standard error: rewritten in place on a terminal, a line now and then elsewhere.
class Progress {
 public:
  explicit Progress(const Clock& clock) : clock_(clock), began_(clock.ticks()), shown_(began_) {}

  void expect(std::int64_t rows) { total_ += rows; }

  void add(std::int64_t rows) {
    done_ += rows;
    const Ticks now = clock_.ticks();
    if (now < shown_ + (is_terminal_ ? 500ms : 10s)) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - began_).count();
    const double rate = static_cast<double>(done_) / seconds;
    const double left = static_cast<double>(std::max<std::int64_t>(total_ - done_, 0)) / rate;
    std::fprintf(stderr, "%s%" PRId64 " of %" PRId64 " rows, %.0f rows/s, %.0f s left%s", is_terminal_ ? "\r" : "",
                 done_, total_, rate, left, is_terminal_ ? "\033[K" : "\n");
  }

  // Before something else is printed.
  void clear() const {
    if (is_terminal_) std::fputs("\r\033[K", stderr);
  }

 private:
  const Clock& clock_;
  const bool is_terminal_ = ::isatty(STDERR_FILENO) == 1;
  const Ticks began_;
  Ticks shown_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
};

class Import {
 public:
  Import(const ServeOptions& options, const ImportOptions& import, AtomHopperSource& source, sql::Database& database)
      : config_(options.config),
        config_file_(options.config_file),
        options_(import),
        source_(source),
        database_(database),
        target_(database.connect()) {
    try {
      target_->run(queries::lock_import);
    } catch (const sql::Unavailable&) {
      if (!target_->is_usable()) throw;
      if (target_->run(queries::try_lock_import)[0].boolean(0)) return;
      throw Stopped{"another import works on this database: run this one when it has ended"};
    }
  }

  int run() {
    choose(source_.feeds());
    make_targets();
    note("import-begun", {{"feeds", chosen_.size()}, {"only", options_.feed}, {"again", options_.again}});
    Importer importer(
        source_, database_, *target_, feeds_, clock_,
        [this](const std::string& sentence) {
          progress_.clear();
          tell(sentence);
        },
        [this](std::int64_t rows) { progress_.add(rows); });
    if (!options_.again) importer.load_places();
    for (const SourceFeed& feed : chosen_) {
      if (options_.again) importer.begin_again(feed.name);
    }

    std::vector<std::string> unfinished;
    for (const SourceFeed& feed : chosen_) {
      const FeedImport& state = feeds_.at(feed.name);
      if (feed.newest <= state.place.updated && feed.rows == state.taken()) continue;
      progress_.expect(std::max<std::int64_t>(feed.rows.count - state.taken().count, 0));
      unfinished.push_back(feed.name);
    }
    importer.take(unfinished);
    // Rows may have come in between others that were passed already (a transaction that took long, a client's date),
    // also while as many were removed.
    std::vector<std::string> late = differing(unfinished);
    for (const std::string& name : late) {
      progress_.clear();
      tell(name + ": rows have come in behind what was read, or were removed; it is read again from the beginning");
      progress_.expect(feeds_.at(name).taken().count);
      importer.begin_again(name);
    }
    importer.take(late);
    progress_.clear();
    return summarize(differing(late));
  }

 private:
  // Before the rows, which are in many transactions, and after them: none of it is done untold.
  void note(std::string_view act, nlohmann::json details) {
    note_act(*target_, actor_at_command_line(), act, "Atom Hopper", std::move(details), clock_.now());
  }

  // Which feeds of the source are meant, and what they are called here.
  void choose(const std::vector<SourceFeed>& found) {
    std::map<std::string, std::string> sources;  // by our name
    for (const SourceFeed& feed : found) {
      const Result<FeedName> name = name_of_atom_hopper(feed.name);
      if (!options_.feed.empty() && options_.feed != feed.name && (!name || options_.feed != name->path())) continue;
      if (!name) {
        tell(std::to_string(feed.rows.count) + " rows of the feed \"" + feed.name +
             "\" are left out: " + name.fault().detail);
        has_left_out_ = true;
        continue;
      }
      if (name->workspace == feeds::kOwnWorkspace) {
        tell("the feed \"" + feed.name + "\" is left out: what the server tells of itself is nobody else's");
        has_left_out_ = true;
        continue;
      }
      const auto [other, is_first] = sources.emplace(name->path(), feed.name);
      if (!is_first) throw Stopped{other->second + " and " + feed.name + " would both become " + name->path()};
      names_.emplace(feed.name, *name);
      chosen_.push_back(feed);
    }
    if (chosen_.empty() && !options_.feed.empty() && !has_left_out_)
      throw Stopped{"the source has no feed " + options_.feed};
  }

  // Makes the feeds that there are not, in workspaces that there must be: page_size cannot be changed later.
  void make_targets() {
    const Instant now = clock_.now();
    const std::int64_t lanes = feeds::read_lanes(*target_);
    // Without a file the workspaces are those that the database knows; what a server without one has is not meant.
    const bool has_file = config_.source_time != Instant();
    const Result<feeds::Configured> configured = feeds::configure(
        *target_, lanes, has_file ? configured_workspaces(config_) : std::vector<feeds::ConfiguredWorkspace>(),
        config_.source_time, now,
        [&](const auto& before, const auto& after) { note_configured(*target_, config_file_, before, after, now); });
    if (!configured) throw Stopped{configured.fault().detail};
    for (const std::string& notice : configured->notices) tell(notice);
    if (!configured->lanes.empty()) feeds::tell_servers(database_.options(), configured->lanes);
    std::set<std::string> missing;
    for (const auto& [source, name] : names_) {
      if (!configured->workspaces.contains(name.workspace)) missing.insert(name.workspace);
    }
    if (!missing.empty()) {
      std::string list;
      for (const std::string& name : missing) list += (list.empty() ? "" : ", ") + name;
      throw Stopped{"add these workspaces to the configuration and name it with --config: " + list +
                    " (courant import atomhopper-config writes one); nothing was imported"};
    }
    feeds::Directory directory(lanes);
    for (const auto& [source, name] : names_) {
      const feeds::WorkspaceSettings& workspace = configured->workspaces.find(name.workspace)->second;
      feeds::FeedSettings settings = workspace.feeds;
      if (settings.title.empty()) settings.title = name.feed;
      FeedImport& feed = feeds_[source];
      feed.target = directory.create(
          *target_, {name.workspace, name.feed, workspace.page_size, settings, config_.source_time}, now);
      const std::shared_ptr<const feeds::FeedState> state = feed.target->state();
      feed.rules.default_author = state->settings.author;
      feed.rules.base = public_url(config_) + "/" + name.path() + "/";
      feed.rules.client_updated = state->settings.client_updated;
      feed.rules.max_bytes = static_cast<std::size_t>(config_.limits.max_entry_bytes);
    }
  }

  // Of these feeds, those whose rows up to their place are not those that were taken.
  std::vector<std::string> differing(const std::vector<std::string>& names) {
    std::vector<std::string> found;
    for (const std::string& name : names) {
      const FeedImport& feed = feeds_.at(name);
      if (source_.rows_up_to(feed.place, name) != feed.taken()) found.push_back(name);
    }
    return found;
  }

  int summarize(const std::vector<std::string>& differing) {
    FeedImport all;
    for (const auto& [name, feed] : feeds_) {
      std::printf("%s: %" PRId64 " rows: %" PRId64 " imported, %" PRId64 " there before, %" PRId64 " refused\n",
                  without_controls(name).c_str(), feed.taken().count, feed.imported, feed.present, feed.refused);
      all.imported += feed.imported;
      all.present += feed.present;
      all.refused += feed.refused;
    }
    note("imported", {{"feeds", feeds_.size()},
                      {"imported", all.imported},
                      {"there_before", all.present},
                      {"refused", all.refused},
                      {"counts_agree", differing.empty()}});
    for (const std::string& name : differing) {
      tell(name + " still has other rows than were taken: run the import again when nobody writes to it");
    }
    std::printf("%" PRId64 " rows of %zu feeds; the counts of the source agree%s.\n", all.taken().count, feeds_.size(),
                differing.empty() ? "" : " except as said");
    return has_left_out_ || all.refused > 0 || !differing.empty() ? 1 : 0;
  }

  const Config& config_;
  const std::string config_file_;
  const ImportOptions& options_;
  AtomHopperSource& source_;
  sql::Database& database_;
  const SystemClock clock_;
  Progress progress_{clock_};
  std::unique_ptr<sql::Session> target_;
  std::vector<SourceFeed> chosen_;
  std::map<std::string, FeedName> names_;  // ours, by the source's
  FeedImports feeds_;
  bool has_left_out_ = false;
};

// Takes the rows that are not here yet, with progress on standard error and a summary of every feed. May be killed at
// any moment and run again: nothing is lost or doubled. The exit status: 0 where every row of the source is here; 1
// where one was refused, which has been said, or the import stopped.
int import_atom_hopper(const ServeOptions& options, const ImportOptions& import) {
  std::unique_ptr<AtomHopperSource> source;
  try {
    source = std::make_unique<AtomHopperSource>(import.source, import.time_zone, options.config.limits.max_entry_bytes);
  } catch (const std::exception& error) {
    return tell(std::string("the source cannot be read: ") + error.what());
  }
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return tell(opened.fault().detail);
  try {
    return Import(options, import, *source, *opened->database).run();
  } catch (const Stopped& stopped) {
    tell(stopped.sentence);
  } catch (const sql::Refused& refused) {
    tell(std::string("the import stopped: the database refused what it must do: ") + refused.what());
    tell("run it again when that is put right: it goes on where it was");
  } catch (const std::exception& error) {
    tell(std::string("the import stopped: ") + error.what());
    tell("run it again: it goes on where it was");
  }
  return 1;
}

}  // namespace

void add_import_commands(CommandLine& line) {
  CLI::App& importing = line.group("import", "take over from Atom Hopper (docs/MIGRATION.md)");
  const auto import = std::make_shared<ImportOptions>();
  CLI::App& entries = line.add_on_data(
      "atomhopper", "take its entries; may be killed and run again: nothing is lost or doubled",
      CommandLine::Flags::kDatabase,
      [import](const ServeOptions& options) { return import_atom_hopper(options, *import); }, &importing);
  entries.add_option("--source", import->source, "the database with its table entries: postgresql://user@host/name")
      ->required();
  entries.add_option("--feed", import->feed, "one feed, by its name there or here; default: all");
  entries.add_option("--time-zone", import->time_zone, "of timestamps that the table keeps without one: Europe/London")
      ->capture_default_str();
  entries.add_flag("--again", import->again, "from the beginning; what is there already is recognised");

  const auto path = std::make_shared<std::string>();
  CLI::App& config = line.add(
      "atomhopper-config", "print the TOML that means what its configuration means",
      [path] { return import_atom_hopper_config(*path); }, &importing);
  config.add_option("file", *path, "its atom-server.cfg.xml")->required();
}

}  // namespace courant::server
