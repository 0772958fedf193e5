#include "server/settings/config.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/contents.h"

namespace courant::server {
namespace {

std::string faults_of(std::string_view toml) {
  return fault_lines("f", read_config(toml).faults);
}

TEST(Config, TheReferenceIsWhatTheTableSays) {
  EXPECT_EQ(test::contents_of(COURANT_SOURCE_DIR "/docs/CONFIGURATION.md"), configuration_reference())
      << "run: build/dev/courant check-config --reference > docs/CONFIGURATION.md";
}

TEST(Config, TheExamplesAreGood) {
  const ConfigReading reading = read_config_file(COURANT_SOURCE_DIR "/docs/examples/demo.toml");
  EXPECT_EQ(fault_lines("demo.toml", reading.faults), "");
  EXPECT_GT(reading.config.source_time, Instant());
}

TEST(Config, ReadsEveryKindOfValue) {
  const ConfigReading reading = read_config(R"(
[server]
listen = "127.0.0.1:1"
drain = "250ms"
[limits]
max_entry_bytes = "4KiB"
max_page_bytes = 65536
[hub]
enabled = false
callback_allow = ["127.0.0.0/8", "::1/128"]
retry = ["0s", "1m"]
signature = "sha512"
)");
  EXPECT_EQ(fault_lines("f", reading.faults), "");
  const Config& config = reading.config;
  EXPECT_EQ(config.server.listen, std::vector<std::string>{"127.0.0.1:1"});
  EXPECT_EQ(config.server.drain, std::chrono::milliseconds(250));
  EXPECT_EQ(config.limits.max_entry_bytes, 4096);
  EXPECT_EQ(config.limits.max_page_bytes, 65536);
  EXPECT_FALSE(config.hub.enabled);
  EXPECT_EQ(config.hub.callback_allow.size(), 2U);
  EXPECT_EQ(config.hub.retry.back(), std::chrono::minutes(1));
  EXPECT_EQ(config.hub.signature, "sha512");
}

TEST(Config, AFeedTakesWhatItDoesNotSayFromItsWorkspace) {
  const ConfigReading reading = read_config(R"(
[[workspaces]]
name = "billing"
page_size = 50
duplicates = "conflict"
[[workspaces.feeds]]
name = "invoices"
page_size = 100
retain = "30d"
[[workspaces.feeds]]
name = "payments"
title = "Payments"
retain = "1000 entries"
)");
  EXPECT_EQ(fault_lines("f", reading.faults), "");
  const WorkspaceConfig& workspace = reading.config.workspaces.at(0);
  EXPECT_EQ(workspace.title, "billing");
  EXPECT_EQ(workspace.feeds.at(0).page_size, 100);
  EXPECT_EQ(workspace.feeds.at(0).settings.title, "invoices");
  EXPECT_EQ(workspace.feeds.at(0).settings.retain.age, std::chrono::hours(24 * 30));
  EXPECT_TRUE(workspace.feeds.at(0).settings.duplicates_conflict);
  EXPECT_EQ(workspace.feeds.at(1).page_size, 50);
  EXPECT_EQ(workspace.feeds.at(1).settings.title, "Payments");
  EXPECT_EQ(workspace.feeds.at(1).settings.retain.entries, 1000);
}

TEST(Config, OriginsThatMayReadAreAWorkspaces) {
  const ConfigReading reading = read_config("[[workspaces]]\nname = 'a'\ncors = ['https://a.example', 'http://b:1']\n");
  EXPECT_EQ(fault_lines("f", reading.faults), "");
  EXPECT_EQ(reading.config.workspaces.at(0).cors, (std::vector<std::string>{"https://a.example", "http://b:1"}));
  EXPECT_EQ(faults_of("[[workspaces]]\nname = 'a'\ncors = '*'\n"), "");
  EXPECT_EQ(
      faults_of("[[workspaces]]\nname = 'a'\ncors = ['http://a', 'https://a.example/']\n"),
      "f:3:21: workspaces.cors: \"https://a.example/\" is no origin: an origin ends with its host or port: it has no "
      "path and no slash at its end\n");
  EXPECT_EQ(faults_of("[[workspaces]]\nname = 'a'\ncors = ['*', 'http://a']\n"),
            "f:3:9: workspaces.cors: \"*\" stands alone, since it means every origin\n");
  EXPECT_EQ(faults_of("[[workspaces]]\nname = 'a'\n[[workspaces.feeds]]\nname = 'b'\ncors = '*'\n"),
            "f:5:8: workspaces.feeds.cors is a setting of the workspace: say it there\n");
}

TEST(Config, SaysWhereAndWhatIsWrong) {
  EXPECT_EQ(faults_of("[server]\nlistne = \"x\"\n"),
            "f:2:10: there is no setting server.listne: did you mean listen?\n");
  EXPECT_EQ(faults_of("[sever]\n"), "f:1:1: there is no section [sever]: did you mean server?\n");
  EXPECT_EQ(faults_of("[server]\nthreads = 1000\n"), "f:2:11: server.threads must lie between 0 and 256\n");
  EXPECT_EQ(faults_of("[server]\ndrain = 10\n"),
            "f:2:9: server.drain must be a duration such as \"250ms\", \"10s\", \"5m\", \"2h\" or \"10d\", of at most "
            "36500d\n");
  EXPECT_EQ(faults_of("[hub]\nsignature = \"md5\"\n"),
            "f:2:13: hub.signature must be \"sha256\" or \"sha1\" or \"sha384\" or \"sha512\"\n");
  EXPECT_EQ(faults_of("[hub]\nenabled = \"yes\"\n"), "f:2:11: hub.enabled must be true or false\n");
  EXPECT_EQ(faults_of("[limits]\nmax_entry_bytes = \"big\"\n"),
            "f:2:19: limits.max_entry_bytes must be a size such as \"16MiB\" or a number of bytes\n");
  EXPECT_EQ(faults_of("[[workspaces]]\nname = \"a b\"\n"),
            "f:1:1: workspaces.name must have 1 to 64 letters, digits, '.', '_', '~' or '-', and begin with no '-' or "
            "'.'\n");
  EXPECT_EQ(faults_of("[[workspaces]]\nname = \"a\"\n[[workspaces]]\nname = \"a\"\n"),
            "f:3:1: there are two workspaces called a\n");
  EXPECT_EQ(faults_of("[hub]\ncallback_allow = [\"10.0.0.0/33\"]\n").substr(0, 7), "f:2:19:");
}

TEST(Config, TellsEveryFaultAtOnce) {
  EXPECT_EQ(read_config("[server]\nlistne = 1\ndrain = 1\n").faults.size(), 2U);
}

TEST(Config, WhatIsNotTomlIsOneFault) {
  const ConfigReading reading = read_config("[server\n");
  ASSERT_EQ(reading.faults.size(), 1U);
  EXPECT_EQ(reading.faults[0].line, 1);
}

TEST(Config, AMissingFileIsAFault) {
  EXPECT_EQ(read_config_file("/nowhere/c.toml").faults.at(0).detail, "the file /nowhere/c.toml cannot be read");
}

TEST(Config, FlagsWinOverTheFile) {
  Config config = read_config("[server]\nlisten = \"127.0.0.1:1\"\n").config;
  set_by_flag(config, "--listen", {"127.0.0.1:2", "[::1]:2"});
  set_by_flag(config, "--database", {"postgresql://x/y"});
  EXPECT_EQ(config.server.listen.size(), 2U);
  EXPECT_EQ(config.database.url, "postgresql://x/y");
}

TEST(Config, OpenAccessStaysOnLoopback) {
  const auto detail_of = [](const std::string& toml) {
    const ConfigReading reading = read_config(toml);
    return reading.faults.empty() ? std::string() : reading.faults[0].detail;
  };
  EXPECT_TRUE(read_config("").config.access.mode == "tokens");
  EXPECT_EQ(detail_of("[access]\nmode = 'open'\n[server]\nlisten = ['127.0.0.1:1', '[::1]:1']\n"), "");
  const std::string refused =
      detail_of("[access]\nmode = 'open'\n[server]\nallow_plain = true\nlisten = ['127.0.0.1:1', '0.0.0.0:1']\n");
  EXPECT_NE(refused.find("0.0.0.0:1 would let everybody publish"), std::string::npos) << refused;
  EXPECT_NE(refused.find("courant token create"), std::string::npos) << refused;
  // A proxy has others reach what listens on loopback.
  for (const std::string name : {"public_url = 'https://feeds.example'", "hosts = ['feeds.example:80']",
                                 "public_url = 'http://127.0.0.1.example'"}) {
    const std::string behind = detail_of("[access]\nmode = 'open'\n[server]\n" + name + "\n");
    EXPECT_NE(behind.find("would let everybody publish whom a proxy passes on"), std::string::npos) << name << behind;
    EXPECT_EQ(detail_of("[server]\n" + name + "\n"), "");
  }
  EXPECT_EQ(detail_of("[access]\nmode = 'open'\n[server]\npublic_url = 'http://127.0.0.1:1'\nhosts = 'localhost'\n"),
            "");
  EXPECT_EQ(detail_of("[server]\nallow_plain = true\nlisten = '0.0.0.0:1'\n"), "");
  const std::string nobody = detail_of("[access]\nmode = 'open'\n[[workspaces]]\nname = 'a'\nread = 'private'\n");
  EXPECT_NE(nobody.find("workspace a is private"), std::string::npos) << nobody;
  EXPECT_EQ(detail_of("[[workspaces]]\nname = 'a'\nread = 'private'\n"), "");
  Config config = default_config();
  EXPECT_TRUE(set_by_flag(config, "--access", {"closed"}));
  EXPECT_FALSE(set_by_flag(config, "--access", {"open"}));
}

}  // namespace
}  // namespace courant::server
