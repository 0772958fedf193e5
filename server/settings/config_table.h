// The table of settings: one row for each key of the configuration file. A row's default is what its field holds in a
// default-made struct, so it is written once.
// Threads: immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "server/settings/config.h"

namespace courant::server {

// What a field of the configuration may be.
using Text = std::string&;
using Flag = bool&;
using Number = std::int64_t&;
using Duration = std::chrono::milliseconds&;
using Texts = std::vector<std::string>&;
using Durations = std::vector<std::chrono::milliseconds>&;

// Where a setting lands, which also says its type in the file. Whole numbers become sizes ("1MiB") where is_size.
template <class Target>
using Field =
    std::variant<Text (*)(Target&), Flag (*)(Target&), Number (*)(Target&), Duration (*)(Target&),
                 feeds::Retention& (*)(Target&), Texts (*)(Target&), Durations (*)(Target&),
                 std::vector<schema::Assertion>& (*)(Target&), std::vector<feeds::FormSettings>& (*)(Target&)>;

struct Rules {
  std::int64_t least = 0;  // bounds of numbers, and of durations in milliseconds
  std::int64_t most = INT64_MAX;
  std::vector<std::string_view> words = {};  // the only texts; of a bool field: {means false, means true}
  bool is_size = false;
  bool is_in_seconds = false;  // a duration that is kept in whole ones: parts of one would be lost
  std::string_view flag = {};  // of the command line: "--listen"
  bool reloads = false;        // SIGHUP takes it over; those of workspaces and feeds all are
};

template <class Target>
struct Setting {
  std::string_view section;  // "server"; of rows of a workspace or feed: empty
  std::string_view name;
  Field<Target> field;
  std::string_view help;  // what it means, in a sentence
  Rules rules = {};
};

const std::vector<Setting<Config>>& config_settings();
const std::vector<Setting<WorkspaceConfig>>& workspace_settings();  // name, title, auto_create
const std::vector<Setting<FeedConfig>>& feed_settings();            // in a workspace: defaults of its feeds

// A text as a basic string of TOML, in its quotes.
std::string toml_string(std::string_view text);

// A field's present value as it would stand in the file: "\"10s\"", "[]", "512".
template <class Target>
std::string value_text(const Setting<Target>& setting, Target& target);

}  // namespace courant::server
