#include "feeds/stored_settings.h"

#include "feeds/own_feeds.h"
#include "feeds/queries.h"
#include "kernel/log.h"

namespace courant::feeds {
namespace {

template <class T>
T or_defaults(Result<T> settings, const std::string& subject) {
  if (settings) return *std::move(settings);
  log_error("stored settings cannot be read; defaults are used", {{"of", subject}});
  return {};
}

std::vector<ConfiguredWorkspace> workspaces_of(const sql::Rows& rows) {
  std::vector<ConfiguredWorkspace> workspaces;
  for (int i = 0; i < rows.size(); ++i) {
    const sql::Row row = rows[i];
    const std::string name(row.text(0));
    if (workspaces.empty() || workspaces.back().name != name) {
      workspaces.push_back({name, as_meant(name, or_defaults(workspace_settings_from_json(row.text(1)), name)), {}});
    }
    if (row.is_null(2)) continue;
    const std::string feed(row.text(2));
    const FeedSettings settings = or_defaults(feed_settings_from_json(row.text(4)), full_name(name, feed));
    workspaces.back().feeds.push_back({feed, row.integer(3), as_meant(name, settings)});
  }
  return workspaces;
}

}  // namespace

std::vector<ConfiguredWorkspace> read_settings(sql::Session& session) {
  return workspaces_of(session.run(queries::list_settings, std::move(sql::Parameters().add_null().add_null())));
}

std::vector<ConfiguredWorkspace> read_settings(sql::Session& session, std::string_view workspace,
                                               const std::vector<std::string>& feeds) {
  return workspaces_of(session.run(queries::list_settings, sql::Parameters().add(workspace).add(feeds)));
}

std::map<std::string, WorkspaceSettings, std::less<>> read_workspaces(sql::Session& session) {
  std::map<std::string, WorkspaceSettings, std::less<>> workspaces;
  const sql::Rows rows = session.run(queries::list_workspaces);
  for (int i = 0; i < rows.size(); ++i) {
    const std::string name(rows[i].text(0));
    workspaces.emplace(name, as_meant(name, or_defaults(workspace_settings_from_json(rows[i].text(1)), name)));
  }
  return workspaces;
}

SettingsChange::SettingsChange(sql::Session& session, Instant now)
    : session_(session), directory_(read_lanes(session)), now_(now) {
  session_.run(queries::lock_settings);
}

void SettingsChange::put(std::string_view workspace, const WorkspaceSettings& settings) {
  session_.run(queries::change_workspace, sql::Parameters().add(workspace).add(to_json(settings)).add(now_));
  lanes_.insert(0);
}

std::shared_ptr<LiveFeed> SettingsChange::create(std::string_view workspace, const ConfiguredFeed& feed,
                                                 std::optional<std::int64_t> quota) {
  return directory_.create(session_, {workspace, feed.name, feed.page_size, feed.settings, now_, quota}, now_);
}

bool SettingsChange::make(std::string_view workspace, const ConfiguredFeed& feed, std::int64_t quota) {
  return create(workspace, feed, quota) != nullptr;
}

bool SettingsChange::put(std::string_view workspace, const ConfiguredFeed& feed) {
  const std::shared_ptr<LiveFeed> live = create(workspace, feed, std::nullopt);
  const FeedFacts& facts = live->facts();
  if (facts.page_size != feed.page_size) return false;
  sql::Parameters parameters;
  parameters.add(facts.key.lane).add(facts.key.feed).add(to_json(feed.settings)).add(now_);
  session_.run(queries::change_feed, parameters);
  lanes_.insert(facts.key.lane);
  return true;
}

Result<bool> SettingsChange::remove(std::string_view workspace) {
  const sql::Rows rows = session_.run(queries::delete_workspace, sql::Parameters().add(workspace).add(now_));
  if (rows[0].is_null(0)) return false;
  std::string list;
  for (const std::string& feed : rows[0].texts(0)) list += (list.empty() ? "" : ", ") + full_name(workspace, feed);
  if (!list.empty()) return Fault{"the workspace " + std::string(workspace) + " has feeds: delete them first: " + list};
  lanes_.insert(0);
  return true;
}

}  // namespace courant::feeds
