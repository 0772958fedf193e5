// courant apply, courant export: what workspaces and feeds the database has, as a file, and the other way. Servers may
// run, and take it up within about a second.
#include <cstdio>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "feeds/follower.h"
#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"
#include "server/settings/feed_files.h"
#include "server/settings/settings_changes.h"

namespace courant::server {
namespace {

constexpr int kNobodyToAsk = 2;
constexpr std::size_t kMostNamed = 20;  // of what is in the database alone: feeds made by publishing may be many

struct ApplyOptions {
  std::string file;
  bool is_meant = false;  // --yes: nobody is asked
  bool is_dry = false;    // --dry-run: nothing is done
};

void print(const SettingsDifference& difference) {
  for (const SettingsAct& act : difference.acts) std::printf("%s\n", act.line().c_str());
  const std::vector<std::string>& kept = difference.only_stored;
  for (std::size_t i = 0; i < kept.size() && i < kMostNamed; ++i) {
    std::printf("- only in the database: %s (stays)\n", kept[i].c_str());
  }
  if (kept.size() > kMostNamed) {
    std::printf("- only in the database: %zu more (they stay)\n", kept.size() - kMostNamed);
  }
  std::fflush(stdout);
}

// Whether somebody at the terminal says yes.
bool is_agreed() {
  std::printf("Apply? [y/N] ");
  std::fflush(stdout);
  const int answer = std::getchar();
  return answer == 'y' || answer == 'Y';
}

std::vector<std::string> lines_of(const SettingsDifference& difference) {
  std::vector<std::string> lines;
  for (const SettingsAct& act : difference.acts) lines.push_back(act.line());
  return lines;
}

// False: it is not the difference any more that was shown.
bool make_it_so(sql::Database& database, sql::Session& session, const Config& wanted, const SettingsDifference& shown) {
  bool is_same = false;
  std::set<std::int64_t> lanes;
  session.transaction([&] {
    const Instant now = SystemClock().now();
    feeds::SettingsChange change(session, now);
    const SettingsDifference present =
        compare_settings(wanted.workspaces, stored_settings(feeds::read_settings(session)));
    is_same = present.faults.empty() && lines_of(present) == lines_of(shown);
    if (!is_same) return;
    do_acts(session, change, present.acts, actor_at_command_line(), now);
    lanes = change.lanes();
  });
  if (is_same) feeds::tell_servers(database.options(), lanes);
  return is_same;
}

// Prints the difference, asks, and makes it so in one transaction. The exit status: 0 done, or nothing to do; 1 not
// done; 2 there was nobody to ask.
int apply_settings(const ServeOptions& options, const ApplyOptions& apply) {
  // Once: a second reading of a pipe finds nothing.
  const bool is_read = options.config_file == apply.file;
  ConfigReading wanted = is_read ? ConfigReading{options.config, {}} : read_config_file(apply.file);
  if (wanted.faults.empty()) wanted.faults = faults_of_feed_files(wanted.config);
  if (!wanted.faults.empty()) {
    std::fputs(fault_lines(apply.file, wanted.faults).c_str(), stderr);
    return 1;
  }
  return on_database(options, [&](sql::Database& database, sql::Session& session) {
    const SettingsDifference difference =
        compare_settings(wanted.config.workspaces, stored_settings(feeds::read_settings(session)));
    print(difference);
    if (!difference.faults.empty()) {
      std::fputs(fault_lines(apply.file, difference.faults).c_str(), stderr);
      return 1;
    }
    if (difference.acts.empty()) {
      std::printf("There is nothing to change.\n");
      return 0;
    }
    if (apply.is_dry) return 0;
    if (!apply.is_meant) {
      if (::isatty(STDIN_FILENO) == 0) return say(Fault{"there is no terminal to ask at: say --yes"}, kNobodyToAsk);
      if (!is_agreed()) return say(Fault{"nothing was changed"});
    }
    if (!make_it_so(database, session, wanted.config, difference)) {
      return say(Fault{"the database has changed meanwhile, and nothing was done: call again"});
    }
    std::printf("Done: running servers take it up within a second.\n");
    return 0;
  });
}

// Prints a file that apply_settings() would do nothing for.
int export_settings(const ServeOptions& options) {
  return on_database(options, [](sql::Database&, sql::Session& session) {
    std::fputs(settings_toml(stored_settings(feeds::read_settings(session))).c_str(), stdout);
    return 0;
  });
}

}  // namespace

void add_apply_commands(CommandLine& line) {
  const auto applied = std::make_shared<ApplyOptions>();
  CLI::App& applying = line.add(
      "apply", "make workspaces and feeds in the database what a file says, while servers run", [&line, applied] {
        line.use_config(applied->file);
        return line.with_options([&applied](const ServeOptions& options) { return apply_settings(options, *applied); });
      });
  line.add_flags(applying, CommandLine::Flags::kDatabase);
  applying.add_option("file", applied->file, "a configuration file; without --config its [database] is meant")
      ->required();
  applying.add_flag("--yes", applied->is_meant, "do not ask");
  applying.add_flag("--dry-run", applied->is_dry, "say what would change, and end");
  applying.footer(
      "Nothing is deleted: delete-feed and delete-workspace do. Exit status: 0 done, or nothing to do; 1 not done; 2 "
      "there was nobody to ask.\n"
      "Example:\n  courant export --data /var/lib/courant > feeds.toml\n"
      "  courant apply feeds.toml --data /var/lib/courant");
  line.add_on_data("export", "print the workspaces and feeds of the database as a configuration file",
                   CommandLine::Flags::kDatabase, export_settings);
}

}  // namespace courant::server
