#include "server/settings/settings_changes.h"

#include <nlohmann/json.hpp>

#include "server/audit.h"

namespace courant::server {
namespace {

feeds::WorkspaceSettings settings_of(const WorkspaceConfig& workspace) {
  Config config;
  config.workspaces = {workspace};
  return configured_workspaces(config).front().settings;
}

void do_act(feeds::SettingsChange& change, const SettingsAct& act) {
  if (!act.feed) return change.put(act.workspace.name, settings_of(act.workspace));
  const FeedConfig& feed = *act.feed;
  if (change.put(act.workspace.name, feeds::ConfiguredFeed{feed.name, feed.page_size, feed.settings})) return;
  throw sql::Refused(act.subject() + " exists with another page_size, which cannot change", "");
}

void note_settings(sql::Session& session, std::string_view actor, const SettingsAct& act, nlohmann::json details,
                   Instant now) {
  const std::string kind = act.feed ? "feed" : "workspace";
  const std::string subject = act.feed ? act.workspace.name + "/" + act.feed->name : act.workspace.name;
  details["settings"] = act.changes;
  note_act(session, actor, kind + (act.is_new ? "-created" : "-changed"), subject, std::move(details), now);
}

}  // namespace

void do_acts(sql::Session& session, feeds::SettingsChange& change, const std::vector<SettingsAct>& acts,
             std::string_view actor, Instant now) {
  for (const SettingsAct& act : acts) {
    do_act(change, act);
    note_settings(session, actor, act, nlohmann::json::object(), now);
  }
}

void note_configured(sql::Session& session, const std::string& file,
                     const std::vector<feeds::ConfiguredWorkspace>& before,
                     const std::vector<feeds::ConfiguredWorkspace>& after, Instant now) {
  const SettingsDifference difference = compare_settings(stored_settings(after), stored_settings(before));
  for (const SettingsAct& act : difference.acts) {
    note_settings(session, actor_at_command_line(), act, {{"file", file}}, now);
  }
}

}  // namespace courant::server
