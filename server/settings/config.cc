#include "server/settings/config.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <toml++/toml.h>

#include "feeds/further_forms.h"
#include "http/address_guard.h"
#include "http/cors.h"
#include "kernel/text.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

using std::chrono::milliseconds;

// How many letters two words differ by, counted no further than a typing error goes.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

std::string suggestion(std::string_view key, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = key.size() / 3 + 2;
  for (const std::string_view word : known) {
    if (const std::size_t far = distance(key, word); far < least) least = far, best = word;
  }
  return best.empty() ? std::string() : ": did you mean " + std::string(best) + "?";
}

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
    check_whole(file);
    return std::move(reading_);
  }

 private:
  void fault(const toml::node& node, std::string detail) {
    reading_.faults.push_back(
        {std::move(detail), static_cast<int>(node.source().begin.line), static_cast<int>(node.source().begin.column)});
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
        set(*found, reading_.config, name, node);
      }
    }
  }

  template <class Target>
  bool set_if_known(const std::vector<Setting<Target>>& settings, Target& target, const std::string& where,
                    std::string_view key, const toml::node& node) {
    for (const Setting<Target>& setting : settings) {
      if (setting.name != key) continue;
      set(setting, target, where + "." + std::string(key), node);
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
    reading_.config.workspaces.push_back(std::move(workspace));
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
        const auto is_named = [&](const auto& setting) { return setting.name == key.str(); };
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

  template <class Target>
  void set(const Setting<Target>& setting, Target& target, const std::string& name, const toml::node& node) {
    std::visit([&](auto field) { set_field(setting, field(target), name, node); }, setting.field);
  }

  template <class Target>
  std::optional<std::string> text_of(const Setting<Target>& setting, const std::string& name, const toml::node& node) {
    const auto text = node.value_exact<std::string>();
    if (!text) {
      fault(node, name + " must be a text in quotes");
      return std::nullopt;
    }
    const auto& words = setting.rules.words;
    if (words.empty() || std::find(words.begin(), words.end(), *text) != words.end()) return *text;
    std::string list;
    for (const std::string_view word : words) list += (list.empty() ? "\"" : " or \"") + std::string(word) + "\"";
    fault(node, name + " must be " + list + suggestion(*text, words));
    return std::nullopt;
  }

  template <class Target>
  void set_field(const Setting<Target>& setting, std::string& field, const std::string& name, const toml::node& node) {
    if (const std::optional<std::string> text = text_of(setting, name, node)) field = *text;
  }

  template <class Target>
  void set_field(const Setting<Target>& setting, bool& field, const std::string& name, const toml::node& node) {
    if (setting.rules.words.size() == 2) {
      if (const std::optional<std::string> word = text_of(setting, name, node)) field = *word == setting.rules.words[1];
      return;
    }
    const auto flag = node.value_exact<bool>();
    if (!flag) return fault(node, name + " must be true or false");
    field = *flag;
  }

  template <class Target>
  void set_field(const Setting<Target>& setting, std::int64_t& field, const std::string& name, const toml::node& node) {
    std::optional<std::int64_t> number = node.value_exact<std::int64_t>();
    if (const auto text = node.value_exact<std::string>(); text && setting.rules.is_size) {
      if (const auto size = parse_size(*text)) number = static_cast<std::int64_t>(*size);
    }
    if (!number) {
      return fault(node, name + (setting.rules.is_size ? " must be a size such as \"16MiB\" or a number of bytes"
                                                       : " must be a whole number"));
    }
    if (*number < setting.rules.least || *number > setting.rules.most) {
      return fault(node, name + " must lie between " + std::to_string(setting.rules.least) + " and " +
                             std::to_string(setting.rules.most));
    }
    field = *number;
  }

  template <class Target>
  std::optional<milliseconds> duration_of(const Setting<Target>& setting, const std::string& name,
                                          const toml::node& node) {
    const auto text = node.value_exact<std::string>();
    const std::optional<milliseconds> duration = text ? parse_duration(*text) : std::nullopt;
    if (!duration) {
      fault(node, name + " must be a duration such as \"250ms\", \"10s\", \"5m\", \"2h\" or \"10d\"");
      return std::nullopt;
    }
    if (duration->count() < setting.rules.least || duration->count() > setting.rules.most) {
      fault(node, name + " must lie between " + format_duration(milliseconds(setting.rules.least)) + " and " +
                      format_duration(milliseconds(setting.rules.most)));
      return std::nullopt;
    }
    return duration;
  }

  template <class Target>
  void set_field(const Setting<Target>& setting, milliseconds& field, const std::string& name, const toml::node& node) {
    if (const std::optional<milliseconds> duration = duration_of(setting, name, node)) field = *duration;
  }

  template <class Target>
  void set_field(const Setting<Target>&, feeds::Retention& field, const std::string& name, const toml::node& node) {
    const std::string text = node.value_exact<std::string>().value_or("");
    const std::vector<std::string_view> words = split(text, ' ');
    feeds::Retention retain;
    if (words.size() == 2 && words[1] == "entries") {
      retain.entries = static_cast<std::int64_t>(parse_unsigned(words[0]).value_or(0));
    } else if (const auto age = parse_duration(text)) {
      retain.age = std::chrono::duration_cast<std::chrono::seconds>(*age);
    }
    if (text != "forever" && retain == feeds::Retention{}) {
      return fault(node,
                   name + " must be \"forever\", a duration such as \"30d\", or a count such as \"100000 entries\"");
    }
    field = retain;
  }

  template <class Target>
  void set_field(const Setting<Target>&, std::vector<std::string>& field, const std::string& name,
                 const toml::node& node) {
    if (const auto one = node.value_exact<std::string>()) {
      field = {*one};
      return;
    }
    const toml::array* const list = node.as_array();
    std::vector<std::string> texts;
    for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
      if (const auto text = (*list)[i].value_exact<std::string>()) texts.push_back(*text);
    }
    if (list == nullptr || texts.size() != list->size()) return fault(node, name + " must be a list of texts");
    field = std::move(texts);
  }

  // Of tables with these members, or lists of as many texts: the texts, in their order; nullopt: it is something else.
  static std::optional<std::vector<std::vector<std::string>>> rows_of(const toml::node& node,
                                                                      const std::vector<const char*>& members) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return std::nullopt;
    std::vector<std::vector<std::string>> rows;
    for (const toml::node& item : *list) {
      const toml::table* const table = item.as_table();
      const toml::array* const texts = item.as_array();
      const std::size_t size = table != nullptr ? table->size() : texts != nullptr ? texts->size() : 0;
      if (size != members.size()) return std::nullopt;
      std::vector<std::string> row;
      for (std::size_t i = 0; i < size; ++i) {
        const toml::node* const one = table != nullptr ? table->get(members[i]) : texts->get(i);
        if (one == nullptr || !one->is_string()) return std::nullopt;
        row.push_back(*one->value<std::string>());
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }

  template <class Target>
  void set_field(const Setting<Target>&, std::vector<schema::Assertion>& field, const std::string& name,
                 const toml::node& node) {
    const auto rows = rows_of(node, {"xpath", "message"});
    if (!rows) return fault(node, name + " is written as [[" + name + "]] with xpath and message, both texts");
    field.clear();
    for (const auto& row : *rows) field.push_back({row[0], row[1]});
  }

  template <class Target>
  void set_field(const Setting<Target>&, std::vector<feeds::FormSettings>& field, const std::string& name,
                 const toml::node& node) {
    const auto rows = rows_of(node, {"name", "media_type", "stylesheet"});
    if (!rows) return fault(node, name + " is written as [[" + name + "]] with name, media_type and stylesheet");
    std::vector<feeds::FormSettings> forms;
    for (const auto& row : *rows) forms.push_back({row[0], row[1], row[2]});
    if (const std::optional<std::string> wrong = feeds::fault_of_forms(forms)) return fault(node, name + ": " + *wrong);
    field = std::move(forms);
  }

  template <class Target>
  void set_field(const Setting<Target>& setting, std::vector<milliseconds>& field, const std::string& name,
                 const toml::node& node) {
    const toml::array* const list = node.as_array();
    if (list == nullptr) return fault(node, name + " must be a list of durations");
    std::vector<milliseconds> durations;
    for (const toml::node& item : *list) {
      if (const auto duration = duration_of(setting, name, item)) durations.push_back(*duration);
    }
    field = std::move(durations);
  }

  ConfigReading reading_;
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
