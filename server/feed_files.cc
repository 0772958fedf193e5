#include "server/feed_files.h"

#include <set>
#include <utility>

namespace courant::server {
namespace {

// The doors that a configuration speaks of, each with whose it is.
std::vector<std::pair<std::string, feeds::DoorSettings>> doors_of(const Config& config) {
  std::vector<std::pair<std::string, feeds::DoorSettings>> doors;
  std::set<std::string> known;
  const auto add = [&](std::string whose, const feeds::DoorSettings& settings) {
    if (!settings.is_open() && known.insert(feeds::to_json(settings)).second) {
      doors.emplace_back(std::move(whose), settings);
    }
  };
  for (const WorkspaceConfig& workspace : config.workspaces) {
    add("workspace " + workspace.name, workspace.defaults.settings.door);
    for (const FeedConfig& feed : workspace.feeds) {
      add("feed " + workspace.name + "/" + feed.name, feed.settings.door);
    }
  }
  return doors;
}

Fault named(const std::string& whose, const Fault& fault) {
  return Fault{whose + ": " + with_place(fault)};
}

}  // namespace

Folder feed_files(const Config& config) {
  return Folder(config.server.files.empty() ? config.file_folder : config.server.files);
}

std::vector<Fault> faults_of_feed_files(const Config& config) {
  const Folder folder = feed_files(config);
  std::vector<Fault> faults;
  for (const auto& [whose, settings] : doors_of(config)) {
    const Result<feeds::EntryDoor> door = feeds::EntryDoor::compile(settings, folder);
    if (!door) faults.push_back(named(whose, door.fault()));
  }
  return faults;
}

Result<std::shared_ptr<const feeds::Doors>> open_doors(const Config& config) {
  auto doors = std::make_shared<const feeds::Doors>(feed_files(config));
  for (const auto& [whose, settings] : doors_of(config)) {
    const Result<std::shared_ptr<const feeds::EntryDoor>> door = doors->of(settings);
    if (!door) return named(whose, door.fault());
  }
  return std::shared_ptr<const feeds::Doors>(std::move(doors));
}

}  // namespace courant::server
