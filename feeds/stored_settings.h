// What workspaces and feeds are in the database, and acts that change it beside the servers' configuration. An act
// counts as of now: a file that is older does not undo it.
// Threads: database threads.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/configure.h"
#include "feeds/directory.h"

namespace courant::feeds {

// All workspaces and their feeds, by name. Settings that cannot be read have defaults, which is logged.
std::vector<ConfiguredWorkspace> read_settings(sql::Session& session);
// One of them, or none; with those of its feeds that are named.
std::vector<ConfiguredWorkspace> read_settings(sql::Session& session, std::string_view workspace,
                                               const std::vector<std::string>& feeds);

// Workspaces alone.
std::map<std::string, WorkspaceSettings, std::less<>> read_workspaces(sql::Session& session);

// Changes within one transaction of the caller's. Servers take them up within about a second, at once where they are
// told (feeds/follower.h, tell_servers) of the lanes.
class SettingsChange {
 public:
  // Others who change settings wait until the transaction ends.
  SettingsChange(sql::Session& session, Instant now);

  void put(std::string_view workspace, const WorkspaceSettings& settings);
  // Made where there is none. False: its workspace has `quota` feeds already; 0: it may have any number.
  bool make(std::string_view workspace, const ConfiguredFeed& feed, std::int64_t quota);
  // Made where there is none. False: the feed exists with another page_size, which cannot change; nothing was done.
  bool put(std::string_view workspace, const ConfiguredFeed& feed);

  // Deletes a workspace. False: there is none. A fault: it has feeds, which it names; nothing was done.
  Result<bool> remove(std::string_view workspace);

  const std::set<std::int64_t>& lanes() const { return lanes_; }

 private:
  std::shared_ptr<LiveFeed> create(std::string_view workspace, const ConfiguredFeed& feed,
                                   std::optional<std::int64_t> quota);

  sql::Session& session_;
  Directory directory_;
  const Instant now_;
  std::set<std::int64_t> lanes_;
};

}  // namespace courant::feeds
