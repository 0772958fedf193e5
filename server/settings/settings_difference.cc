#include "server/settings/settings_difference.h"

#include <algorithm>

#include "feeds/own_feeds.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

// "retain \"30d\" -> \"60d\"" for each setting that differs; of something new: "retain \"60d\"".
class Changes {
 public:
  explicit Changes(bool is_new) : is_new_(is_new) {}

  void add(std::string_view name, const std::string& before, const std::string& after) {
    if (before == after) return;
    list_.push_back(std::string(name) + " " + (is_new_ ? "" : before + " -> ") + after);
  }

  template <class Target>
  void add(const std::vector<Setting<Target>>& settings, Target before, Target after) {
    for (const Setting<Target>& setting : settings) {
      if (setting.name == "name") continue;
      add(setting.name, value_text(setting, before), value_text(setting, after));
    }
  }

  std::vector<std::string> list() && { return std::move(list_); }

 private:
  const bool is_new_;
  std::vector<std::string> list_;
};

std::vector<std::string> changes_of(const WorkspaceConfig& before, const WorkspaceConfig& after, bool is_new) {
  Changes changes(is_new);
  changes.add(workspace_settings(), before, after);
  changes.add(feed_settings(), before.defaults, after.defaults);
  return std::move(changes).list();
}

std::vector<std::string> changes_of(const FeedConfig& before, const FeedConfig& after, bool is_new) {
  Changes changes(is_new);
  changes.add("title", toml_string(before.settings.title), toml_string(after.settings.title));
  changes.add(feed_settings(), before, after);
  return std::move(changes).list();
}

template <class List>
auto find_named(List& list, const std::string& name) -> decltype(&list.front()) {
  const auto found = std::find_if(list.begin(), list.end(), [&](const auto& one) { return one.name == name; });
  return found == list.end() ? nullptr : &*found;
}

class Comparison {
 public:
  void compare(const WorkspaceConfig& wanted, const WorkspaceConfig* stored) {
    WorkspaceConfig fresh;
    fresh.name = fresh.title = wanted.name;
    SettingsAct act{wanted, std::nullopt, stored == nullptr, {}};
    act.changes = changes_of(stored != nullptr ? *stored : fresh, wanted, act.is_new);
    if (act.is_new || !act.changes.empty()) difference_.acts.push_back(std::move(act));
    for (const FeedConfig& feed : wanted.feeds) {
      compare(wanted, feed, stored != nullptr ? find_named(stored->feeds, feed.name) : nullptr);
    }
    if (stored == nullptr) return;
    for (const FeedConfig& feed : stored->feeds) {
      if (find_named(wanted.feeds, feed.name) == nullptr) only_stored("feed " + wanted.name + "/" + feed.name);
    }
  }

  void only_stored(std::string what) { difference_.only_stored.push_back(std::move(what)); }

  SettingsDifference difference() && { return std::move(difference_); }

 private:
  void compare(const WorkspaceConfig& workspace, const FeedConfig& wanted, const FeedConfig* stored) {
    if (stored != nullptr && stored->page_size != wanted.page_size) {
      difference_.faults.push_back(
          {"the feed " + workspace.name + "/" + wanted.name + " has page_size " + std::to_string(stored->page_size) +
           ", which cannot become " + std::to_string(wanted.page_size) +
           ": archive pages that are published would change. Keep the number, or name a new feed"});
      return;
    }
    FeedConfig fresh = workspace.defaults;
    fresh.name = fresh.settings.title = wanted.name;
    SettingsAct act{workspace, wanted, stored == nullptr, {}};
    act.changes = changes_of(stored != nullptr ? *stored : fresh, wanted, act.is_new);
    if (act.is_new || !act.changes.empty()) difference_.acts.push_back(std::move(act));
  }

  SettingsDifference difference_;
};

}  // namespace

std::string SettingsAct::subject() const {
  return feed ? "feed " + workspace.name + "/" + feed->name : "workspace " + workspace.name;
}

std::string SettingsAct::line() const {
  std::string list;
  for (const std::string& change : changes) list += (list.empty() ? ": " : ", ") + change;
  return (is_new ? "+ " : "~ ") + subject() + list;
}

SettingsDifference compare_settings(const std::vector<WorkspaceConfig>& wanted,
                                    const std::vector<WorkspaceConfig>& stored) {
  Comparison comparison;
  for (const WorkspaceConfig& workspace : wanted) comparison.compare(workspace, find_named(stored, workspace.name));
  for (const WorkspaceConfig& workspace : stored) {
    if (find_named(wanted, workspace.name) != nullptr || workspace.name == feeds::kOwnWorkspace) continue;
    comparison.only_stored("workspace " + workspace.name);
    for (const FeedConfig& feed : workspace.feeds) comparison.only_stored("feed " + workspace.name + "/" + feed.name);
  }
  return std::move(comparison).difference();
}

std::vector<WorkspaceConfig> stored_settings(std::vector<feeds::ConfiguredWorkspace> workspaces) {
  std::erase_if(workspaces, [](const feeds::ConfiguredWorkspace& one) {
    return one.name == feeds::kOwnWorkspace && one.settings == feeds::own_workspace().settings;
  });
  std::vector<WorkspaceConfig> all;
  for (const feeds::ConfiguredWorkspace& from : workspaces) {
    WorkspaceConfig& workspace = all.emplace_back(workspace_config(from.name, from.settings));
    if (workspace.title.empty()) workspace.title = workspace.name;
    for (const feeds::ConfiguredFeed& feed : from.feeds) {
      workspace.feeds.push_back({feed.name, feed.page_size, feed.settings});
      std::string& title = workspace.feeds.back().settings.title;
      if (title.empty()) title = feed.name;
    }
  }
  return all;
}

}  // namespace courant::server
