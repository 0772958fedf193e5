// What would have to change so that the database has the workspaces and feeds that a file names: of `courant apply`.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernel/result.h"
#include "server/settings/config.h"

namespace courant::server {

// One workspace, or one feed, that is made or gets other settings.
struct SettingsAct {
  WorkspaceConfig workspace;       // of a feed: only its name is meant
  std::optional<FeedConfig> feed;  // nullopt: the workspace is meant
  bool is_new = false;
  std::vector<std::string> changes;  // "retain \"30d\" -> \"60d\""; of what is new: what is not default

  std::string subject() const;  // "feed demo/events"
  std::string line() const;     // "~ feed demo/events: retain \"30d\" -> \"60d\""
};

struct SettingsDifference {
  std::vector<SettingsAct> acts;         // in the order in which they can be done
  std::vector<std::string> only_stored;  // "feed demo/old": what is in the database alone, and stays
  std::vector<Fault> faults;             // what cannot change
};

// feeds: of a workspace, each as it is meant, defaults of the workspace included.
SettingsDifference compare_settings(const std::vector<WorkspaceConfig>& wanted,
                                    const std::vector<WorkspaceConfig>& stored);

// The same as a file: [[workspaces]] and [[workspaces.feeds]], what is default left out.
std::string settings_toml(const std::vector<WorkspaceConfig>& workspaces);

// What the database has, without the server's own workspace where nobody has set it otherwise; titles that are
// not set are the names.
std::vector<WorkspaceConfig> stored_settings(std::vector<feeds::ConfiguredWorkspace> workspaces);

}  // namespace courant::server
