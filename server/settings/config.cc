#include "server/settings/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <toml++/toml.h>

#include "feeds/own_feeds.h"
#include "http/address_guard.h"
#include "http/cors.h"
#include "kernel/text.h"
#include "server/settings/config_fields.h"
#include "server/settings/suggestion.h"

namespace courant::server {
namespace {

// Reads a parsed file into a Config, and collects what is wrong with it.
class Reader {
 public:
  ConfigReading read(const toml::table& file) {
    std::vector<std::string_view> sections = {"workspaces"};
    for (const Setting<Config>& setting : config_settings()) sections.push_back(setting.section);
    for (const auto& [key, node] : file) {
      if (key.str() == "workspaces") continue;
      const bool is_known = std::find(sections.begin(), sections.end(), key.str()) != sections.end();
      if (!is_known || !node.is_table()) {
        fault(node, "there is no section [" + std::string(key.str()) + "]" + suggestion(key.str(), sections));
        continue;
      }
      read_section(std::string(key.str()), *node.as_table());
    }
    read_workspaces(file);
    check_texts(file);
    check_whole(file);
    return std::move(reading_);
  }

 private:
  void fault(const toml::node& node, std::string detail) { fields_.fault(node, std::move(detail)); }

  // Titles, authors and others stand in documents that everybody reads.
  void check_texts(const toml::node& node) {
    if (const toml::table* const table = node.as_table()) {
      for (const auto& [key, value] : *table) check_texts(value);
    } else if (const toml::array* const list = node.as_array()) {
      for (const toml::node& value : *list) check_texts(value);
    } else if (const auto text = node.value_exact<std::string>()) {
      const std::string lacked = lacked_by_xml(*text);
      if (!lacked.empty()) fault(node, "no text here holds " + lacked + ", which XML cannot");
    }
  }

  void read_section(const std::string& section, const toml::table& table) {
    for (const auto& [key, node] : table) {
      const std::string name = section + "." + std::string(key.str());
      const auto is_of_it = [&name](const Setting<Config>& setting) { return setting.section == name; };
      if (node.is_table() && std::ranges::any_of(config_settings(), is_of_it)) {  // such as [server.tls]
        read_section(name, *node.as_table());
        continue;
      }
      std::vector<std::string_view> known;
      const Setting<Config>* found = nullptr;
      for (const Setting<Config>& setting : config_settings()) {
        if (setting.section != section) continue;
        known.push_back(setting.name);
        if (setting.name == key.str()) found = &setting;
      }
      if (found == nullptr) {
        fault(node, "there is no setting " + name + suggestion(key.str(), known));
      } else {
        fields_.set(*found, reading_.config, name, node);
      }
    }
  }

  template <class Target>
  bool set_if_known(const std::vector<Setting<Target>>& settings, Target& target, const std::string& where,
                    std::string_view key, const toml::node& node) {
    for (const Setting<Target>& setting : settings) {
      if (setting.name != key) continue;
      fields_.set(setting, target, where + "." + std::string(key), node);
      return true;
    }
    return false;
  }

  void read_workspaces(const toml::table& file) {
    const toml::node* const node = file.get("workspaces");
    if (node == nullptr) return;
    const toml::array* const list = node->as_array();
    if (list == nullptr) return fault(*node, "workspaces are written as [[workspaces]]");
    for (const toml::node& item : *list) {
      if (item.is_table()) {
        read_workspace(*item.as_table());
      } else {
        fault(item, "workspaces are written as [[workspaces]]");
      }
    }
  }

  void read_workspace(const toml::table& table) {
    WorkspaceConfig workspace;
    const bool is_own = table["name"].value<std::string_view>() == feeds::kOwnWorkspace;
    if (is_own) workspace = workspace_config(std::string(feeds::kOwnWorkspace), feeds::own_workspace().settings);
    std::vector<std::string_view> known = {"feeds"};
    for (const auto& setting : workspace_settings()) known.push_back(setting.name);
    for (const auto& setting : feed_settings()) known.push_back(setting.name);
    for (const auto& [key, node] : table) {
      if (key.str() == "feeds") continue;
      if (set_if_known(workspace_settings(), workspace, "workspaces", key.str(), node)) continue;
      if (set_if_known(feed_settings(), workspace.defaults, "workspaces", key.str(), node)) continue;
      fault(node, "there is no setting workspaces." + std::string(key.str()) + suggestion(key.str(), known));
    }
    if (!feeds::is_valid_name(workspace.name)) {
      fault(table, std::string("workspaces.name must have ") + feeds::kNameRule);
    } else if (workspace.name == "hub") {
      fault(table, "a workspace cannot be called hub: /hub is the hub's URL");
    }
    for (const WorkspaceConfig& other : reading_.config.workspaces) {
      if (other.name == workspace.name) fault(table, "there are two workspaces called " + workspace.name);
    }
    workspace.says_read = table.contains("read");
    check_cors(table, workspace);
    if (workspace.title.empty()) workspace.title = workspace.name;
    if (const toml::array* const feeds = table["feeds"].as_array()) {
      for (const toml::node& item : *feeds) {
        if (item.is_table()) {
          read_feed(*item.as_table(), workspace);
        } else {
          fault(item, "feeds are written as [[workspaces.feeds]]");
        }
      }
    }
    check_own(table, workspace);
    reading_.config.workspaces.push_back(std::move(workspace));
  }

  void check_own(const toml::table& table, const WorkspaceConfig& workspace) {
    Config only;
    only.workspaces = {workspace};
    if (feeds::is_allowed(configured_workspaces(only).front())) return;
    fault(table, "of the workspace " + std::string(feeds::kOwnWorkspace) + ", and of its feeds " +
                     std::string(feeds::kAuditFeed) + " and " + std::string(feeds::kUsageFeed) +
                     ", retain alone can be set: \"forever\", or " + format_duration(feeds::kOwnKept) + " and longer");
  }

  void check_cors(const toml::table& table, const WorkspaceConfig& workspace) {
    const toml::node_view<const toml::node> list = table["cors"];
    for (std::size_t i = 0; i < workspace.cors.size(); ++i) {
      const std::string& origin = workspace.cors[i];
      const toml::node& node = list[i] ? *list[i].node() : *list.node();
      if (const std::optional<Fault> wrong = http::fault_of_origin(origin)) {
        fault(node, "workspaces.cors: " + toml_string(origin) + " is no origin: " + wrong->detail);
      } else if (origin == "*" && workspace.cors.size() > 1) {
        fault(node, "workspaces.cors: \"*\" stands alone, since it means every origin");
      }
    }
  }

  void read_feed(const toml::table& table, WorkspaceConfig& workspace) {
    FeedConfig feed = workspace.defaults;
    std::vector<std::string_view> known = {"name", "title"};
    for (const auto& setting : feed_settings()) known.push_back(setting.name);
    for (const auto& [key, node] : table) {
      if (key.str() == "name" || key.str() == "title") {
        std::string& member = key.str() == "name" ? feed.name : feed.settings.title;
        if (const auto text = node.value_exact<std::string>()) {
          member = *text;
        } else {
          fault(node, "workspaces.feeds." + std::string(key.str()) + " must be a text");
        }
      } else if (!set_if_known(feed_settings(), feed, "workspaces.feeds", key.str(), node)) {
        const auto is_named = [name = key.str()](const auto& setting) { return setting.name == name; };
        const bool is_of_workspace = std::ranges::any_of(workspace_settings(), is_named);
        fault(node,
              is_of_workspace
                  ? "workspaces.feeds." + std::string(key.str()) + " is a setting of the workspace: say it there"
                  : "there is no setting workspaces.feeds." + std::string(key.str()) + suggestion(key.str(), known));
      }
    }
    if (!feeds::is_valid_name(feed.name)) {
      fault(table, std::string("workspaces.feeds.name must have ") + feeds::kNameRule);
    }
    for (const FeedConfig& other : workspace.feeds) {
      if (other.name == feed.name) fault(table, "workspace " + workspace.name + " has two feeds called " + feed.name);
    }
    if (feed.settings.title.empty()) feed.settings.title = feed.name;
    workspace.feeds.push_back(std::move(feed));
  }

  // Rules that concern more than one key.
  void check_whole(const toml::table& file) {
    const Config::Hub& hub = reading_.config.hub;
    if (hub.lease_min > hub.lease_max) fault(file, "hub.lease_min must not be longer than hub.lease_max");
    if (hub.retry.empty()) fault(file, "hub.retry needs at least one pause");
    for (std::size_t i = 0; i < hub.callback_allow.size(); ++i) {
      const Result<http::Network> network = http::Network::parse(hub.callback_allow[i]);
      if (network) continue;
      const toml::node_view<const toml::node> item = file["hub"]["callback_allow"];
      fault(item[i] ? *item[i].node() : *item.node(), "hub.callback_allow: " + network.fault().detail);
    }
    if (const std::optional<Fault> listening = fault_of_listening(reading_.config)) fault(file, listening->detail);
  }

  ConfigReading reading_;
  ConfigFields fields_{reading_.faults};
};

}  // namespace

std::string fault_lines(const std::string& path, const std::vector<Fault>& faults) {
  std::string lines;
  for (const Fault& fault : faults) {
    lines += path;
    if (fault.line > 0) lines += ":" + std::to_string(fault.line) + ":" + std::to_string(fault.column);
    lines += ": " + fault.detail + "\n";
  }
  return lines;
}

ConfigReading read_config(std::string_view text) {
  try {
    return Reader().read(toml::parse(text));
  } catch (const toml::parse_error& error) {
    ConfigReading reading;
    reading.faults.push_back({"this is not TOML: " + std::string(error.description()),
                              static_cast<int>(error.source().begin.line),
                              static_cast<int>(error.source().begin.column)});
    return reading;
  }
}

ConfigReading read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  struct ::stat status {};
  if (!file || ::stat(path.c_str(), &status) != 0) {
    ConfigReading reading;
    reading.faults.push_back({"the file " + path + " cannot be read"});
    return reading;
  }
  std::ostringstream text;
  text << file.rdbuf();
  ConfigReading reading = read_config(text.str());
  reading.config.file_folder = std::filesystem::absolute(path).parent_path().string();
  reading.config.source_time =
      Instant(std::chrono::seconds(status.st_mtim.tv_sec)) +
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::nanoseconds(status.st_mtim.tv_nsec));
  return reading;
}

}  // namespace courant::server
