#include "server/settings/settings_difference.h"

#include <gtest/gtest.h>

#include "server/settings/config_table.h"

namespace courant::server {
namespace {

// Another value than the present one.
struct Change {
  WorkspaceConfig& workspace;
  void operator()(std::string& (*field)(WorkspaceConfig&)) const { field(workspace) += "x"; }
  void operator()(bool& (*field)(WorkspaceConfig&)) const { field(workspace) = !field(workspace); }
  void operator()(std::int64_t& (*field)(WorkspaceConfig&)) const { ++field(workspace); }
  void operator()(std::chrono::milliseconds& (*field)(WorkspaceConfig&)) const {
    field(workspace) += std::chrono::hours(1);
  }
  void operator()(std::vector<std::string>& (*field)(WorkspaceConfig&)) const {
    field(workspace).push_back("https://app.example");  // an origin: there is no other list of texts
  }
  void operator()(...) const { ADD_FAILURE() << "a kind of setting that this test does not know"; }
};

// Whoever adds a setting to the table has to bring it to the database and back.
TEST(SettingsDifference, EverySettingOfAWorkspaceIsStoredComparedAndWritten) {
  for (const Setting<WorkspaceConfig>& setting : workspace_settings()) {
    if (setting.name == "name") continue;
    Config before;
    before.workspaces.resize(1);
    before.workspaces[0].name = before.workspaces[0].title = "plant";
    Config after = before;
    std::visit(Change{after.workspaces[0]}, setting.field);
    const std::vector<WorkspaceConfig> stored = stored_settings(configured_workspaces(after));
    const SettingsDifference difference = compare_settings(stored, before.workspaces);
    ASSERT_EQ(difference.acts.size(), 1U) << setting.name;
    EXPECT_EQ(difference.acts[0].changes.size(), 1U) << setting.name;
    const ConfigReading written = read_config(settings_toml(stored));
    ASSERT_TRUE(written.faults.empty()) << setting.name;
    EXPECT_TRUE(compare_settings(written.config.workspaces, stored).acts.empty()) << setting.name;
  }
}

}  // namespace
}  // namespace courant::server
