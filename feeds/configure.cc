#include "feeds/configure.h"

#include "feeds/directory.h"
#include "feeds/own_feeds.h"
#include "feeds/queries.h"
#include "feeds/stored_settings.h"

namespace courant::feeds {
namespace {

// Leaves the transaction: nothing of the configuration is applied.
struct Rejected {
  Fault fault;
};

class Configuring {
 public:
  Configuring(sql::Session& session, std::int64_t lanes, Instant source_time, Instant now)
      : session_(session), directory_(lanes), source_time_(source_time), now_(now) {}

  // stored: its settings before; null: there is none.
  void put(const ConfiguredWorkspace& workspace, const WorkspaceSettings* stored_settings) {
    WorkspaceSettings settings = workspace.settings;
    if (!workspace.says_read && !settings.is_private && stored_settings != nullptr && stored_settings->is_private) {
      settings.is_private = true;
      notices_.push_back("workspace " + workspace.name +
                         " is private, which this file does not say, and stays so; say read = \"private\", or read = "
                         "\"public\" to open it");
    }
    sql::Parameters parameters;
    parameters.add(workspace.name).add(to_json(settings)).add(source_time_);
    const sql::Rows stored = session_.run(queries::put_workspace, parameters);
    if (stored[0].boolean(0)) note("workspace " + workspace.name);
    has_changed_workspaces_ = has_changed_workspaces_ || stored[0].boolean(1);
    for (const ConfiguredFeed& feed : workspace.feeds) put(workspace.name, feed);
  }

  std::map<std::string, WorkspaceSettings, std::less<>> stored_workspaces() {
    std::map<std::string, WorkspaceSettings, std::less<>> workspaces;
    const sql::Rows rows = session_.run(queries::list_workspaces);
    for (int i = 0; i < rows.size(); ++i) {
      Result<WorkspaceSettings> settings = workspace_settings_from_json(rows[i].text(1));
      if (!settings) {
        throw Rejected{{"the stored settings of workspace " + std::string(rows[i].text(0)) +
                        " cannot be read: " + settings.fault().detail}};
      }
      workspaces.emplace(rows[i].text(0), as_meant(rows[i].text(0), *std::move(settings)));
    }
    return workspaces;
  }

  // After all workspaces: whoever locks the row of one and a lane locks the row first.
  std::set<std::int64_t> tell() {
    if (has_changed_workspaces_) tell_of(0, 0);
    return std::move(lanes_);
  }

  std::vector<std::string> notices() && { return std::move(notices_); }

 private:
  void put(const std::string& workspace, const ConfiguredFeed& feed) {
    const std::shared_ptr<LiveFeed> live =
        directory_.create(session_, {workspace, feed.name, feed.page_size, feed.settings, source_time_}, now_);
    const std::int64_t page_size = live->facts().page_size;
    if (page_size != feed.page_size) {
      throw Rejected{{"the feed " + workspace + "/" + feed.name + " has page_size " + std::to_string(page_size) +
                      ", which cannot become " + std::to_string(feed.page_size) +
                      ": archive pages that are published would change. Keep the number, or name a new feed"}};
    }
    sql::Parameters parameters;
    parameters.add(live->facts().key.lane).add(live->facts().key.feed).add(to_json(feed.settings)).add(source_time_);
    const sql::Rows stored = session_.run(queries::compare_feed_settings, parameters);
    const bool is_other = stored[0].boolean(0);
    const bool is_newer = !stored[0].boolean(1);
    if (is_other && is_newer) note("feed " + workspace + "/" + feed.name);
    if (is_newer) return;
    if (is_other) tell_of(live->facts().key.lane, live->facts().key.feed);
    session_.run(queries::put_feed_settings, parameters);
  }

  // Locks the lane, so before the feed's row is: as everybody does it.
  void tell_of(std::int64_t lane, std::int64_t feed) {
    session_.run(queries::note_changed, sql::Parameters().add(lane).add(feed).add(now_));
    lanes_.insert(lane);
  }

  void note(const std::string& what) {
    notices_.push_back("the stored settings of " + what +
                       " come from a newer configuration than this file and are used in its place; "
                       "touch the file if it is the right one");
  }

  sql::Session& session_;
  Directory directory_;
  const Instant source_time_;
  const Instant now_;
  std::vector<std::string> notices_;
  bool has_changed_workspaces_ = false;
  std::set<std::int64_t> lanes_;  // whose journals tell of it
};

// What is stored of workspaces and feeds that have these names.
std::vector<ConfiguredWorkspace> stored_of(sql::Session& session, const std::vector<ConfiguredWorkspace>& named) {
  std::vector<ConfiguredWorkspace> stored;
  for (const ConfiguredWorkspace& workspace : named) {
    std::vector<std::string> feeds;
    for (const ConfiguredFeed& feed : workspace.feeds) feeds.push_back(feed.name);
    std::vector<ConfiguredWorkspace> found = read_settings(session, workspace.name, feeds);
    if (!found.empty()) stored.push_back(std::move(found.front()));
  }
  return stored;
}

}  // namespace

Result<Configured> configure(sql::Session& session, std::int64_t lanes,
                             const std::vector<ConfiguredWorkspace>& workspaces, Instant source_time, Instant now,
                             const ConfigureTold& told) {
  Configured configured;
  try {
    session.transaction([&] {
      session.run(queries::lock_settings);  // others who change them wait
      Configuring configuring(session, lanes, source_time, now);
      const auto known = configuring.stored_workspaces();
      const bool tells = told && !known.empty();
      const std::vector<ConfiguredWorkspace> before =
          tells ? stored_of(session, workspaces) : std::vector<ConfiguredWorkspace>();
      for (const ConfiguredWorkspace& workspace : workspaces) {
        const auto found = known.find(workspace.name);
        configuring.put(workspace, found == known.end() ? nullptr : &found->second);
      }
      if (tells) told(before, stored_of(session, workspaces));
      configured.workspaces = configuring.stored_workspaces();
      configured.lanes = configuring.tell();
      configured.notices = std::move(configuring).notices();
    });
  } catch (Rejected& rejected) {
    return std::move(rejected.fault);
  }
  return configured;
}

}  // namespace courant::feeds
