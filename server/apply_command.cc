#include "server/apply_command.h"

#include <cstdio>
#include <functional>

#include <unistd.h>

#include "feeds/follower.h"
#include "server/audit.h"
#include "server/feed_files.h"
#include "server/open_database.h"
#include "server/settings_changes.h"

namespace courant::server {
namespace {

constexpr int kNotApplied = 1;
constexpr int kNobodyToAsk = 2;
constexpr std::size_t kMostNamed = 20;  // of what is in the database alone: feeds made by publishing may be many

int with_session(const ServeOptions& options, const std::function<int(sql::Database&, sql::Session&)>& work) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return server::say(opened.fault());
  try {
    const std::unique_ptr<sql::Session> session = opened->database->connect();
    return work(*opened->database, *session);
  } catch (const std::exception& error) {
    return server::say(Fault{std::string("the database refused: ") + error.what()});
  }
}

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

}  // namespace

int apply_settings(const ServeOptions& options, const ApplyOptions& apply) {
  ConfigReading wanted = read_config_file(apply.file);
  if (wanted.faults.empty()) wanted.faults = faults_of_feed_files(wanted.config);
  if (!wanted.faults.empty()) {
    std::fputs(fault_lines(apply.file, wanted.faults).c_str(), stderr);
    return kNotApplied;
  }
  return with_session(options, [&](sql::Database& database, sql::Session& session) {
    const SettingsDifference difference =
        compare_settings(wanted.config.workspaces, stored_settings(feeds::read_settings(session)));
    print(difference);
    if (!difference.faults.empty()) {
      std::fputs(fault_lines(apply.file, difference.faults).c_str(), stderr);
      return kNotApplied;
    }
    if (difference.acts.empty()) {
      std::printf("There is nothing to change.\n");
      return 0;
    }
    if (apply.is_dry) return 0;
    if (!apply.is_meant) {
      if (::isatty(STDIN_FILENO) == 0) {
        std::fprintf(stderr, "courant: there is no terminal to ask at: say --yes\n");
        return kNobodyToAsk;
      }
      if (!is_agreed()) return server::say(Fault{"nothing was changed"});
    }
    if (!make_it_so(database, session, wanted.config, difference)) {
      return server::say(Fault{"the database has changed meanwhile, and nothing was done: call again"});
    }
    std::printf("Done: running servers take it up within a second.\n");
    return 0;
  });
}

int export_settings(const ServeOptions& options) {
  return with_session(options, [](sql::Database&, sql::Session& session) {
    std::fputs(settings_toml(stored_settings(feeds::read_settings(session))).c_str(), stdout);
    return 0;
  });
}

}  // namespace courant::server
