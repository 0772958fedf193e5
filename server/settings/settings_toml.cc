// Workspaces and feeds as a configuration file has them (server/settings/settings_difference.h).
#include "server/settings/config_table.h"
#include "server/settings/settings_difference.h"

namespace courant::server {
namespace {

// A line for each setting that is another than before.
template <class Target>
std::string lines_of(const std::vector<Setting<Target>>& settings, Target before, Target after) {
  std::string lines;
  for (const Setting<Target>& setting : settings) {
    const std::string value = value_text(setting, after);
    if (setting.name == "name" || value == value_text(setting, before)) continue;
    lines += std::string(setting.name) + " = " + value + "\n";
  }
  return lines;
}

std::string text_of(const FeedConfig& feed, const FeedConfig& defaults) {
  std::string text = "\n[[workspaces.feeds]]\nname = " + toml_string(feed.name) + "\n";
  if (feed.settings.title != feed.name) text += "title = " + toml_string(feed.settings.title) + "\n";
  return text + lines_of(feed_settings(), defaults, feed);
}

}  // namespace

std::string settings_toml(const std::vector<WorkspaceConfig>& workspaces) {
  std::string text;
  for (const WorkspaceConfig& workspace : workspaces) {
    WorkspaceConfig unset;
    unset.title = workspace.name;
    text += (text.empty() ? "" : "\n") + std::string("[[workspaces]]\nname = ") + toml_string(workspace.name) + "\n" +
            lines_of(workspace_settings(), unset, workspace) +
            lines_of(feed_settings(), unset.defaults, workspace.defaults);
    for (const FeedConfig& feed : workspace.feeds) text += text_of(feed, workspace.defaults);
  }
  return text;
}

}  // namespace courant::server
