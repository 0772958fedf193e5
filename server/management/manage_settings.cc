// Workspaces and feeds. Settings have the names and values that they have in a configuration file, and are judged as
// those are: what a body says is read as a file that says the same.
#include "feeds/own_feeds.h"
#include "feeds/stored_settings.h"
#include "kernel/digest.h"
#include "kernel/text.h"
#include "server/management/manage_route.h"
#include "server/settings/config_table.h"
#include "server/settings/settings_changes.h"

namespace courant::server {
namespace {

// A value of JSON as TOML has it. Throws Problem 400.
std::string toml_value(const std::string& name, const Json& value) {
  if (value.is_string()) return toml_string(value.get_ref<const std::string&>());
  if (value.is_boolean() || value.is_number_integer()) return value.dump();
  if (!value.is_array())
    throw Problem(400, name + " must be a text, a whole number, true or false, or a list of texts");
  std::string list;
  for (const Json& item : value) {
    // Assertions are pairs of texts, further forms are three.
    if (!item.is_string() && !item.is_array()) throw Problem(400, name + " must be a list of texts");
    list += (list.empty() ? "" : ", ") + toml_value(name, item);
  }
  return "[" + list + "]";
}

// The lines of a table called `name`.
std::string toml_lines(const std::string& name, const Json& body) {
  if (body.contains("name")) throw Problem(400, "There is no member name: the URL says it");
  if (body.contains("feeds")) throw Problem(400, "There is no member feeds: each has a URL of its own");
  std::string lines = "name = " + toml_string(name) + "\n";
  for (const auto& [key, value] : body.items()) lines += toml_string(key) + " = " + toml_value(key, value) + "\n";
  return lines;
}

// Throws Problem 400 with what a file would be refused for.
Config read_settings_text(const std::string& toml) {
  ConfigReading reading = read_config(toml);
  if (reading.faults.empty()) return std::move(reading.config);
  std::string detail;
  for (const Fault& fault : reading.faults) {
    std::string sentence = fault.detail;
    for (const std::string_view prefix : {"workspaces.feeds.", "workspaces."}) {
      if (const std::size_t at = sentence.find(prefix); at != std::string::npos) sentence.erase(at, prefix.size());
    }
    detail += (detail.empty() ? "" : "; ") + sentence;
  }
  throw Problem(400, detail);
}

// A value in a file's words is JSON, too: texts, numbers, true, false and lists of texts.
template <class Target>
void add_settings(Json& object, const std::vector<Setting<Target>>& settings, Target target) {
  for (const Setting<Target>& setting : settings) {
    if (setting.name != "name") object[std::string(setting.name)] = Json::parse(value_text(setting, target));
  }
}

Json settings_of(const WorkspaceConfig& workspace) {
  Json settings;
  add_settings(settings, workspace_settings(), workspace);
  add_settings(settings, feed_settings(), workspace.defaults);
  return settings;
}

// As it is stored; nullopt: there is none.
std::optional<WorkspaceConfig> stored_workspace(ManageCall& call, const std::string& feed = {}) {
  const std::vector<feeds::ConfiguredWorkspace> stored = feeds::read_settings(call.session, call.argument(0), {feed});
  std::vector<WorkspaceConfig> found = stored_settings(stored);
  if (!found.empty()) return std::move(found.front());
  if (call.argument(0) != feeds::kOwnWorkspace) return std::nullopt;
  // As nobody has set it, it is no part of what is compared and exported.
  WorkspaceConfig own = workspace_config(std::string(feeds::kOwnWorkspace), feeds::own_workspace().settings);
  if (stored.empty()) return own;
  for (const feeds::ConfiguredFeed& one : stored.front().feeds) {
    own.feeds.push_back({one.name, one.page_size, one.settings});
  }
  return own;
}

WorkspaceConfig require_workspace(ManageCall& call, const std::string& feed = {}) {
  std::optional<WorkspaceConfig> found = stored_workspace(call, feed);
  if (!found) throw Problem(404, "There is no workspace " + call.argument(0));
  return *std::move(found);
}

// Of settings: the first 64 bits of their digest.
std::string digest_of(const Json& settings) {
  return to_hex(bytes_of(sha256(settings.dump()))).substr(0, 16);
}

Json settings_of(const FeedConfig& feed) {
  Json settings = {{"title", feed.settings.title}};
  add_settings(settings, feed_settings(), feed);
  return settings;
}

Json workspace_document(ManageCall& call, const WorkspaceConfig& workspace) {
  const Json settings = settings_of(workspace);
  call.headers.emplace_back("ETag", "\"" + digest_of(settings) + "\"");
  return {{"workspace", workspace.name}, {"settings", settings}};
}

// present: the digest of what is set now; nullopt: there is nothing yet. Throws Problem 412.
void require_unchanged(const ManageCall& call, const std::optional<std::string>& present) {
  if (trim(call.asked.if_none_match) == "*" && present) throw Problem(412, "It is there already");
  const std::string_view match = trim(call.asked.if_match);
  if (match.empty() || (match == "*" && present)) return;
  // Of a feed's tag what is behind its head.
  if (present && (match == "\"" + *present + "\"" || match.ends_with("-" + *present + "\""))) return;
  throw Problem(412, "What is set is not what If-Match names: somebody has changed it since, get it again");
}

Json feed_document(ManageCall& call, const FeedConfig& feed) {
  const std::shared_ptr<feeds::LiveFeed> live = require_stored_feed(call);
  const Json settings = settings_of(feed);
  const std::int64_t floor = live->state()->floor;
  const std::int64_t head = live->head();
  call.headers.emplace_back("ETag", "\"" + std::to_string(head) + "-" + digest_of(settings) + "\"");
  return {{"workspace", call.argument(0)},
          {"feed", feed.name},
          {"url", call.core.engine().feed_url(live->facts())},
          {"head", head},
          {"floor", floor},
          {"settings", settings}};
}

// Throws Problem 409 where this server cannot use a file that the settings name. Whoever does not manage all there is
// is told nothing of the folder, and not whether there is such a file.
void require_usable(ManageCall& call, const std::string& whose, const FeedConfig& feed) {
  const auto fault_of = [&call](const feeds::DoorSettings& door) { return call.core.engine().doors()->fault_of(door); };
  std::optional<Fault> fault = fault_of(feed.settings.door);
  if (fault && !call.asked.is_for_all) {
    feeds::DoorSettings own = feed.settings.door;
    own.schema.clear();
    own.stylesheet.clear();
    fault = fault_of(own);
    if (!fault) fault = Fault{"a file that schema or stylesheet names is none that this server can use"};
  }
  if (fault) throw Problem(409, "The settings of " + whose + " cannot be used here: " + with_place(*fault));
}

// Makes the database what is wanted of one workspace or feed. change: begun before it was read what is stored, so that
// what stays as it is is what others have left.
void make_it_so(ManageCall& call, feeds::SettingsChange& change, const WorkspaceConfig& wanted,
                const std::optional<WorkspaceConfig>& stored) {
  const bool is_own = wanted.name == feeds::kOwnWorkspace;  // private wherever anybody is asked who he is
  if (wanted.is_private && !is_own && call.core.rules().load()->is_open()) {
    throw Problem(409, "Nothing is private while access.mode = \"open\" asks nobody who he is");
  }
  require_usable(call, "the workspace " + wanted.name, wanted.defaults);
  for (const FeedConfig& feed : wanted.feeds) require_usable(call, "the feed " + feed.name, feed);
  std::vector<WorkspaceConfig> before;
  if (stored) before.push_back(*stored);
  const SettingsDifference difference = compare_settings({wanted}, before);
  if (!difference.faults.empty()) throw Problem(409, difference.faults.front().detail);
  if (difference.acts.empty()) return;
  do_acts(call.session, change, difference.acts, call.asked.actor, call.now);
  call.lanes = change.lanes();
  if (difference.acts.front().is_new) call.status = 201;
}

// Quotas bind those who manage their own workspace, so that they are set by who may manage all there is. Who leaves
// them out lifts none. Throws Problem 403.
void keep_quotas(const ManageCall& call, WorkspaceConfig& wanted, const WorkspaceConfig& stored) {
  using Quota = std::pair<const char*, std::int64_t WorkspaceConfig::*>;
  for (const auto& [name, quota] :
       {Quota{"max_feeds", &WorkspaceConfig::max_feeds}, Quota{"max_bytes", &WorkspaceConfig::max_bytes},
        Quota{"max_subscriptions", &WorkspaceConfig::max_subscriptions}}) {
    if (!call.asked.body.contains(name)) wanted.*quota = stored.*quota;
    if (wanted.*quota == stored.*quota || call.asked.is_for_all) continue;
    throw Problem(403, std::string(name) + " is set with a token with the scope admin on *, all there is")
        .with("WWW-Authenticate", "Bearer realm=\"courant\", error=\"insufficient_scope\", scope=\"admin\"");
  }
}

// Who does not manage all there is makes no more feeds than publishing may. Throws Problem 507.
void require_room(const ManageCall& call, feeds::SettingsChange& change, const WorkspaceConfig& wanted) {
  const FeedConfig& feed = wanted.feeds.front();
  if (call.asked.is_for_all) return;
  if (change.make(wanted.name, {feed.name, feed.page_size, feed.settings}, wanted.max_feeds)) return;
  throw feeds::no_room_for_feeds(wanted.name, wanted.max_feeds);
}

}  // namespace

Json list_workspaces(ManageCall& call) {
  Json list = Json::array();
  for (const WorkspaceConfig& workspace : stored_settings(feeds::read_settings(call.session))) {
    Json feeds = Json::array();
    for (const FeedConfig& feed : workspace.feeds) feeds.push_back(feed.name);
    list.push_back({{"workspace", workspace.name}, {"title", workspace.title}, {"feeds", feeds}});
  }
  return {{"workspaces", list}};
}

Json get_workspace(ManageCall& call) {
  return workspace_document(call, require_workspace(call));
}

Json put_workspace(ManageCall& call) {
  feeds::SettingsChange change(call.session, call.now);
  const std::optional<WorkspaceConfig> stored = stored_workspace(call);
  const Config read = read_settings_text("[[workspaces]]\n" + toml_lines(call.argument(0), call.asked.body));
  require_unchanged(call, stored ? std::optional(digest_of(settings_of(*stored))) : std::nullopt);
  WorkspaceConfig wanted = read.workspaces.front();
  const WorkspaceConfig before = stored.value_or(WorkspaceConfig());
  if (!call.asked.body.contains("read")) wanted.is_private = before.is_private;
  keep_quotas(call, wanted, before);
  make_it_so(call, change, wanted, stored);
  return workspace_document(call, wanted);
}

Json remove_workspace(ManageCall& call) {
  const std::string& name = call.argument(0);
  if (name == feeds::kOwnWorkspace) throw Problem(403, "What the server tells of itself stays");
  const std::string* const confirmed = find_parameter(call.asked.query, "confirm");
  if (confirmed == nullptr || *confirmed != name) {
    throw Problem(428, "What is deleted is gone: say ?confirm=" + name);
  }
  feeds::SettingsChange change(call.session, call.now);
  const Result<bool> removed = change.remove(name);
  if (!removed) throw Problem(409, removed.fault().detail);
  if (!*removed) throw Problem(404, "There is no workspace " + name);
  call.note("workspace-deleted", name, nlohmann::json::object());
  call.lanes = change.lanes();
  return {};
}

Json get_feed(ManageCall& call) {
  const WorkspaceConfig workspace = require_workspace(call, call.argument(1));
  if (workspace.feeds.empty()) throw feeds::no_such_feed(call.argument(0), call.argument(1));
  return feed_document(call, workspace.feeds.front());
}

Json put_feed(ManageCall& call) {
  feeds::SettingsChange change(call.session, call.now);
  const WorkspaceConfig stored = require_workspace(call, call.argument(1));
  Json body = call.asked.body;
  // It cannot change: who does not name it means that it stays.
  if (!stored.feeds.empty() && !body.contains("page_size")) body["page_size"] = stored.feeds.front().page_size;
  WorkspaceConfig only = stored;
  only.feeds.clear();
  const Config read =
      read_settings_text(settings_toml({only}) + "\n[[workspaces.feeds]]\n" + toml_lines(call.argument(1), body));
  const bool is_there = !stored.feeds.empty();
  require_unchanged(call, is_there ? std::optional(digest_of(settings_of(stored.feeds.front()))) : std::nullopt);
  WorkspaceConfig wanted = stored;
  wanted.feeds = {read.workspaces.front().feeds.front()};
  require_room(call, change, wanted);
  make_it_so(call, change, wanted, stored);
  return feed_document(call, wanted.feeds.front());
}

}  // namespace courant::server
