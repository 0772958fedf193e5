#include "server/settings/changed_settings.h"

#include <gtest/gtest.h>

namespace courant::server {
namespace {

TEST(ChangedSettings, NamesWhatDiffersAndWhatItTakes) {
  Config running = default_config();
  Config read = running;
  EXPECT_TRUE(changed_settings(running, read).empty());
  read.server.threads = 7;
  read.limits.max_entry_bytes = 4096;
  read.workspaces.clear();
  const std::vector<ChangedSetting> changed = changed_settings(running, read);
  ASSERT_EQ(changed.size(), 2U);
  EXPECT_EQ(changed[0].name, "server.threads");
  EXPECT_EQ(changed[0].before, "0");
  EXPECT_EQ(changed[0].after, "7");
  EXPECT_FALSE(changed[0].reloads);
  EXPECT_EQ(changed[1].name, "limits.max_entry_bytes");
  EXPECT_EQ(changed[1].after, "\"4KiB\"");
  EXPECT_TRUE(changed[1].reloads);
}

TEST(ChangedSettings, WhatTakesARestartStaysUntilThen) {
  Config running = default_config();
  Config read = running;
  read.server.listen = {"127.0.0.1:1"};
  read.access.mode = "open";
  read.server.drain = std::chrono::seconds(1);
  read.workspaces.front().title = "Another";
  read.source_time = Instant() + std::chrono::hours(1);
  const Config taken = taken_over(running, read);
  EXPECT_EQ(taken.server.listen, running.server.listen);
  EXPECT_EQ(taken.access.mode, running.access.mode);
  EXPECT_EQ(taken.server.drain, std::chrono::seconds(1));
  EXPECT_EQ(taken.workspaces.front().title, "Another");
  EXPECT_EQ(taken.source_time, read.source_time);
  EXPECT_EQ(changed_settings(taken, read).size(), 2U) << "it is named each time";
}

}  // namespace
}  // namespace courant::server
