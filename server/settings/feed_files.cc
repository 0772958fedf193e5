#include "server/settings/feed_files.h"

#include <set>
#include <string>
#include <utility>

#include "feeds/further_forms.h"

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

// What is wrong with further forms, each stylesheet once.
std::vector<Fault> faults_of_forms(const Config& config, const Folder& folder) {
  std::vector<Fault> faults;
  std::set<std::string> known;
  const auto judge = [&](const std::string& whose, const feeds::FeedSettings& settings) {
    for (const feeds::FormSettings& form : settings.forms) {
      if (!known.insert(form.stylesheet).second) continue;
      if (const std::optional<Fault> fault = feeds::FurtherForms::fault_of(form, folder)) {
        faults.push_back(named(whose + ", representation " + form.name, *fault));
      }
    }
  };
  for (const WorkspaceConfig& workspace : config.workspaces) {
    judge("workspace " + workspace.name, workspace.defaults.settings);
    for (const FeedConfig& feed : workspace.feeds) judge("feed " + workspace.name + "/" + feed.name, feed.settings);
  }
  return faults;
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
  for (Fault& fault : faults_of_forms(config, folder)) faults.push_back(std::move(fault));
  return faults;
}

std::optional<Fault> fault_of_further_forms(const Config& config) {
  std::vector<Fault> faults = faults_of_forms(config, feed_files(config));
  return faults.empty() ? std::nullopt : std::optional(std::move(faults.front()));
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
