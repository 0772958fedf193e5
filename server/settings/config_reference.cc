#include "server/settings/config.h"
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration
`courant serve --config FILE` reads a TOML file; `courant check-config FILE` judges one without starting anything.
The command line wins over the file, the file over the defaults below. Unknown keys are errors. Durations are texts
("250ms", "10s", "5m", "2h", "10d"), sizes are texts ("4KiB", "16MiB", "1GiB") or numbers of bytes.
Without a file there is one workspace, `demo`, in which feeds appear with their first publish.

SIGHUP (`systemctl reload courant`) has the file read again. Settings with a yes in the column "SIGHUP" hold from then on, as
do all of workspaces and feeds; for others the log names what would change and says that it takes a restart. A file with
a fault changes nothing: the log says in which line and why.

This page is made from the table in `server/settings/config_table.cc` by `courant check-config --reference`; a test compares.
)";

constexpr std::string_view kWorkspaces = R"(
## `[[workspaces]]` and `[[workspaces.feeds]]`
    [[workspaces]]
    name = "billing"
    auto_create = true        # feeds appear with their first publish ...
    page_size = 50            # ... with the settings that the workspace gives

    [[workspaces.feeds]]
    name = "invoices"
    title = "Invoices"
    duplicates = "conflict"   # whatever a feed says itself wins over its workspace

The file creates and updates workspaces and feeds at the start and on SIGHUP. Removing one from the file deletes nothing. Their
settings live in the database with the file's time: a server whose file is older than what is stored says so and
goes by what is stored.
)";

template <class Target>
std::string row(const Setting<Target>& setting, Target& defaults) {
  std::string out = "| `" + std::string(setting.name) + "` | `" + value_text(setting, defaults) + "` | ";
  out += setting.help;
  if (setting.rules.words.size() > 1) {
    std::string words;
    for (const std::string_view word : setting.rules.words)
      words += (words.empty() ? "`" : ", `") + std::string(word) + "`";
    out += " (" + words + ")";
  }
  if (!setting.rules.flag.empty()) out += "; also `" + std::string(setting.rules.flag) + "`";
  return out + " |";
}

constexpr std::string_view kTableHead = "| key | default | meaning |\n|---|---|---|\n";
constexpr std::string_view kServersTableHead = "| key | default | meaning | SIGHUP |\n|---|---|---|---|\n";

}  // namespace

std::string configuration_reference() {
  std::string out(kIntroduction);
  Config config;
  std::string_view section;
  for (const Setting<Config>& setting : config_settings()) {
    if (setting.section != section) {
      section = setting.section;
      out += "\n## `[" + std::string(section) + "]`\n";
      out += kServersTableHead;
    }
    out += row(setting, config) + (setting.rules.reloads ? " yes |\n" : " restart |\n");
  }
  out += kWorkspaces;
  out += "\nOf a workspace:\n\n";
  out += kTableHead;
  WorkspaceConfig workspace;
  for (const auto& setting : workspace_settings()) out += row(setting, workspace) + "\n";
  out +=
      "\nOf a feed: `name`, `title` (empty: the name), and these; in a workspace they are the defaults of its "
      "feeds:\n\n";
  out += kTableHead;
  FeedConfig feed;
  for (const auto& setting : feed_settings()) out += row(setting, feed) + "\n";
  return out;
}

}  // namespace courant::server
