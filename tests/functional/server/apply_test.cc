// courant apply and export: the settings of workspaces and feeds, from a file to the database and back.
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kWorkspaces = R"(
[[workspaces]]
name = "demo"
title = "Demo"
auto_create = true

[[workspaces]]
name = "media"
auto_create = true
accept = ["image/*", "application/atom+xml;type=entry"]
)";

// Another value than the default for every setting there is.
constexpr const char* kEverything = R"(
[[workspaces]]
name = "plant"
title = "The \"plant\""
auto_create = true
max_feeds = 7
max_bytes = "3MiB"
max_subscriptions = 12
read = "private"
expire_idle = "90m"
author = "Plant"
page_size = 10
accept = ["text/plain", "application/atom+xml;type=entry"]
entry_ids = "server"
duplicates = "conflict"
client_updated = true
edits = false
lenient = true
retain = "30d"
redactable = true
cors = ["https://example.org"]

[[workspaces.feeds]]
name = "line"
title = "Line 1"
author = "Line"
page_size = 5
retain = "1000 entries"
edits = true

[[workspaces.feeds]]
name = "spare"
)";

// The program at a terminal of its own, where somebody types keys.
Ran run_at_terminal(std::vector<std::string> arguments, const std::string& keys) {
  arguments.insert(arguments.begin(), courant_program());
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int terminal = -1;
  const pid_t child = ::forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  Ran ran;
  char piece[4096];
  bool is_asked = false;
  for (ssize_t size = 0; (size = ::read(terminal, piece, sizeof piece)) > 0;) {
    ran.output.append(piece, static_cast<std::size_t>(size));
    if (is_asked || ran.output.find("[y/N]") == std::string::npos) continue;
    is_asked = true;
    if (::write(terminal, keys.data(), keys.size()) < 0) break;
  }
  ::close(terminal);
  int status = 0;
  ::waitpid(child, &status, 0);
  ran.status = WEXITSTATUS(status);
  return ran;
}

class ApplyTest : public testing::Test {
 protected:
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--database", database_.url()});
    return run_courant(arguments);
  }
  Ran apply(const std::string& text, const std::vector<std::string>& flags = {"--yes"}) {
    std::ofstream(path_) << text;
    std::vector<std::string> arguments = {"apply", path_};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    return command(arguments);
  }
  std::string audit() {
    return HttpClient(server_.port()).get("/_courant/audit?format=cloudevents&marker=0&direction=forward").body;
  }
  int post(const std::string& feed) {
    return HttpClient(server_.port())
        .post(feed, "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>t</title><content>c</content></entry>")
        .status;
  }

  const std::string path_ = scratch("applied.toml");
  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
};

TEST_F(ApplyTest, WhatIsExportedChangesNothing) {
  ASSERT_EQ(post("/demo/events"), 201);
  ASSERT_EQ(apply(kEverything).status, 0);
  const Ran exported = command({"export"});
  ASSERT_EQ(exported.status, 0);
  EXPECT_THAT(exported.output, HasSubstr("name = \"demo\""));
  EXPECT_THAT(exported.output, HasSubstr("name = \"events\""));
  EXPECT_THAT(exported.output, HasSubstr("retain = \"1000 entries\""));
  EXPECT_THAT(exported.output, Not(HasSubstr("_courant")));
  const Ran again = apply(exported.output, {});
  EXPECT_EQ(again.status, 0);
  EXPECT_EQ(again.output, "There is nothing to change.\n");
  const Ran same = apply(kEverything, {});
  EXPECT_EQ(same.status, 0) << same.output;
  EXPECT_THAT(same.output, HasSubstr("nothing to change"));
}

// As in `courant export | courant apply /dev/stdin`, where reading again finds nothing.
TEST_F(ApplyTest, AFileThatCanBeReadOnceIsRead) {
  const std::string pipe = scratch("applied.pipe");
  std::filesystem::remove(pipe);
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { std::ofstream(pipe) << "[[workspaces]]\nname = \"piped\"\n"; });
  const Ran ran = command({"apply", pipe, "--yes"});
  writer.join();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_THAT(ran.output, HasSubstr("+ workspace piped"));
}

TEST_F(ApplyTest, TheDifferenceIsShownAndTakenUpByRunningServers) {
  ASSERT_EQ(post("/plant/line"), 404);
  const Ran dry = apply(kEverything, {"--dry-run"});
  EXPECT_EQ(dry.status, 0);
  EXPECT_THAT(dry.output, HasSubstr("+ workspace plant: title \"The \\\"plant\\\"\", auto_create true"));
  EXPECT_THAT(dry.output, HasSubstr("+ feed plant/spare\n"));
  EXPECT_THAT(dry.output, HasSubstr("- only in the database: workspace demo (stays)\n"));
  EXPECT_THAT(command({"export"}).output, Not(HasSubstr("plant")));

  ASSERT_EQ(apply("[[workspaces]]\nname = \"plant\"\nauto_create = true\n").status, 0);
  EXPECT_TRUE(wait_until([&] { return post("/plant/line") == 201; }));
  const Ran changed = apply(
      "[[workspaces]]\nname = \"plant\"\n[[workspaces.feeds]]\nname = \"line\"\ntitle = \"Line 1\"\nretain = "
      "\"60d\"\n");
  EXPECT_THAT(changed.output, HasSubstr("~ workspace plant: auto_create true -> false\n"));
  EXPECT_THAT(changed.output,
              HasSubstr("~ feed plant/line: title \"line\" -> \"Line 1\", retain \"forever\" -> \"60d\"\n"));
  int made = 0;
  EXPECT_TRUE(wait_until([&] { return post("/plant/made" + std::to_string(made++)) == 404; }));
  EXPECT_TRUE(wait_until(
      [&] { return HttpClient(server_.port()).get("/plant/line").body.find("Line 1") != std::string::npos; }));
  EXPECT_TRUE(wait_until([&] { return audit().find("courant.audit.feed-changed") != std::string::npos; }));
  EXPECT_THAT(audit(), HasSubstr("retain \\\"forever\\\" -> \\\"60d\\\""));
  EXPECT_THAT(audit(), HasSubstr("courant.audit.workspace-created"));
}

TEST_F(ApplyTest, AnOlderFileOfAServerDoesNotUndoIt) {
  ASSERT_EQ(apply("[[workspaces]]\nname = \"demo\"\ntitle = \"Another\"\nauto_create = true\n").status, 0);
  server_.kill_and_restart();
  EXPECT_THAT(command({"export"}).output, HasSubstr("title = \"Another\""));
}

TEST_F(ApplyTest, WhatCannotChangeIsSaidBeforeAnythingIsDone) {
  ASSERT_EQ(apply(kEverything).status, 0);
  const Ran refused = apply(
      "[[workspaces]]\nname = \"fresh\"\n[[workspaces]]\nname = \"plant\"\n[[workspaces.feeds]]\nname = \"line\"\n"
      "page_size = 6\n");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("the feed plant/line has page_size 5, which cannot become 6"));
  EXPECT_THAT(command({"export"}).output, Not(HasSubstr("fresh")));
}

TEST_F(ApplyTest, WithoutATerminalNothingIsDoneUnlessItIsMeant) {
  const Ran refused = apply(kEverything, {});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.output, HasSubstr("say --yes"));
  EXPECT_THAT(command({"export"}).output, Not(HasSubstr("plant")));
}

TEST_F(ApplyTest, AtATerminalItAsks) {
  std::ofstream(path_) << kEverything;
  const std::vector<std::string> arguments = {"apply", path_, "--database", database_.url()};
  const Ran refused = run_at_terminal(arguments, "n\n");
  EXPECT_EQ(refused.status, 1) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("nothing was changed"));
  EXPECT_THAT(command({"export"}).output, Not(HasSubstr("plant")));
  const Ran agreed = run_at_terminal(arguments, "y\n");
  EXPECT_EQ(agreed.status, 0) << agreed.output;
  EXPECT_THAT(command({"export"}).output, HasSubstr("plant"));
}

TEST_F(ApplyTest, AFileWithAFaultIsRefusedWithItsLine) {
  const Ran refused = apply("[[workspaces]]\nname = \"demo\"\nretian = \"30d\"\n");
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("applied.toml:3:"));
  EXPECT_THAT(refused.output, HasSubstr("did you mean retain?"));
  EXPECT_EQ(apply(kWorkspaces, {}).status, 0) << "as the servers' file has it";
}

TEST_F(ApplyTest, FeedsThatPublishingHasMadeAreListedUpToANumber) {
  for (int i = 0; i < 25; ++i) ASSERT_EQ(post("/demo/made" + std::to_string(i)), 201);
  const Ran same = apply(kWorkspaces, {});
  EXPECT_EQ(same.status, 0);
  EXPECT_THAT(same.output, HasSubstr("- only in the database: 5 more (they stay)\n"));
}

}  // namespace
}  // namespace courant::test
