// courant publish --spool: what was spooled is stored once and in order, whatever the line, the server and the
// publisher go through.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/digest.h"
#include "tests/support/bad_line.h"
#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/sink.h"
#include "tests/support/small_disk.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::spool_test {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() : folder_(scratch("spool-" + to_hex(random_bytes(8)))) { fs::create_directories(folder_ / "files"); }
  ~SpoolTest() override { fs::remove_all(folder_); }

  std::string spool() const { return folder_ / "spool"; }
  std::string file(const std::string& name, const std::string& text) const {
    std::string path = folder_ / "files" / name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  static std::string entry(const std::string& title, bool has_id = true) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'>" + (has_id ? "<id>urn:x:" + title + "</id>" : "") + "<title>" +
           title + "</title><content>c</content></entry>";
  }
  // Files with entries "<prefix>1" to "<prefix>count"; every second one without an id.
  std::vector<std::string> files(const std::string& prefix, int count) const {
    std::vector<std::string> paths;
    for (int number = 1; number <= count; ++number) {
      const std::string title = prefix + std::to_string(number);
      paths.push_back(file(title, entry(title, number % 2 == 0)));
    }
    return paths;
  }
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"publish", "--spool", spool()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
  Ran run(const std::vector<std::string>& more) const { return run_courant(command(more)); }
  std::unique_ptr<Process> start(const std::vector<std::string>& more, const std::string& log = "log") const {
    std::vector<std::string> arguments = command(more);
    arguments.insert(arguments.begin(), courant_program());
    return std::make_unique<Process>(arguments, folder_ / log);
  }
  std::string said(const std::string& log = "log") const { return contents_of(folder_ / log); }
  // The titles of a feed's entries, oldest first.
  static std::vector<std::string> titles(int port, const std::string& feed = "/demo/events") {
    const std::string page = HttpClient(port).get(feed + "?limit=1000").body;
    std::vector<std::string> found;
    for (std::size_t at = page.find("<entry"); at != std::string::npos; at = page.find("<entry", at + 1)) {
      const std::size_t begin = page.find("<title", at);
      const std::size_t text = page.find('>', begin) + 1;
      found.push_back(page.substr(text, page.find('<', text) - text));
    }
    std::reverse(found.begin(), found.end());
    return found;
  }
  static std::vector<std::string> expected(const std::string& prefix, int count) {
    std::vector<std::string> all;
    for (int number = 1; number <= count; ++number) all.push_back(prefix + std::to_string(number));
    return all;
  }
  std::vector<std::string> refused() const {
    std::vector<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(spool() + "/refused")) names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    return names;
  }

  const fs::path folder_;
  TestDatabase database_;
};

TEST_F(SpoolTest, BehindABadLineAndKilledEachEntryIsThereOnceInOrder) {
  constexpr int kEntries = 120;
  constexpr int kKills = 6;
  constexpr std::uint32_t kSeed = 20261125;
  CourantServer server({"--database", database_.url()});
  BadLine line(server.port(), kSeed);
  const std::string feed = "http://127.0.0.1:" + std::to_string(line.port()) + "/demo/events";
  const std::vector<std::string> options = {"--keep-trying", "--timeout", "1s"};
  std::vector<std::string> first = options;
  first.push_back(feed);
  for (const std::string& path : files("e", kEntries)) first.push_back(path);

  HttpClient watcher(server.port());
  const auto head = [&watcher] {
    const std::string position = watcher.get("/demo/events?limit=1").header("Feed-Position");
    return position.empty() ? 0 : std::stoi(position);
  };
  std::mt19937 random(kSeed);
  std::unique_ptr<Process> publisher = start(first);
  int killed = 0;  // on a busy machine one may end before it is killed
  for (int kill = 0; kill < kKills; ++kill) {
    const int more = std::uniform_int_distribution<int>(1, kEntries / (kKills + 2))(random);
    const int until = std::min(head() + more, kEntries);
    ASSERT_TRUE(wait_until([&] { return head() >= until; })) << said();
    publisher->signal(SIGKILL);
    if (publisher->wait() == 128 + SIGKILL) ++killed;
    publisher = start(options);
  }
  EXPECT_EQ(publisher->wait(), 0) << said();
  EXPECT_EQ(titles(server.port()), expected("e", kEntries));
  EXPECT_EQ(head(), kEntries);
  EXPECT_NE(said().find("120 spooled in "), std::string::npos);
  EXPECT_NE(said().find(" 0 refused, 0 left\n"), std::string::npos);
  EXPECT_GT(killed, 0);
  EXPECT_GT(line.cut_requests(), 0) << "seed " << kSeed;
  EXPECT_GT(line.cut_replies(), 0) << "seed " << kSeed;
  EXPECT_GT(line.refused(), 0) << "seed " << kSeed;
}

TEST_F(SpoolTest, WhereTheServerIsDownEntriesStayAndGoLater) {
  const int port = free_port();
  const std::string feed = "http://127.0.0.1:" + std::to_string(port) + "/demo/events";
  const Ran down = run({"--patience", "0s", feed, file("a", entry("a")), file("b", entry("b"))});
  EXPECT_EQ(down.status, 75) << down.output;
  EXPECT_NE(down.output.find("2 spooled in " + spool() + "\n"), std::string::npos) << down.output;
  EXPECT_NE(down.output.find("does not take entries at the moment (connect"), std::string::npos) << down.output;
  EXPECT_NE(down.output.find("0 published, 0 stored before, 0 refused, 2 left\n"), std::string::npos) << down.output;

  const std::unique_ptr<Process> waiting = start({"--keep-trying"});
  ASSERT_TRUE(wait_until([this] { return said().find("trying again") != std::string::npos; })) << said();
  CourantServer server({"--database", database_.url()}, port);
  EXPECT_EQ(waiting->wait(), 0) << said();
  EXPECT_EQ(titles(port), (std::vector<std::string>{"a", "b"}));
  const Ran nothing = run({});
  EXPECT_EQ(nothing.status, 0);
  EXPECT_EQ(nothing.output, "0 published, 0 stored before, 0 refused, 0 left\n");
}

TEST_F(SpoolTest, WhatIsRefusedForGoodStandsAside) {
  CourantServer server({"--database", database_.url()});
  const std::string feed = server.url() + "/demo/events";
  const std::string bad = file("bad", "<entry>");
  const Ran ran = run({feed, file("a", entry("a")), bad, file("b", entry("b"))});
  EXPECT_EQ(ran.status, 1) << ran.output;
  EXPECT_NE(ran.output.find(bad + " was put into " + spool() + "/refused: 422: "), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("2 published, 0 stored before, 1 refused, 0 left\n"), std::string::npos) << ran.output;
  EXPECT_EQ(titles(server.port()), (std::vector<std::string>{"a", "b"}));
  ASSERT_EQ(refused().size(), 2U) << "the entry, and the reason";
  const std::string reason = contents_of(refused()[0]);
  EXPECT_EQ(reason.find("source: " + bad + "\nfeed: " + feed + "\nreason: 422: "), 0U) << reason;
  EXPECT_EQ(contents_of(refused()[1]), "<entry>");
  EXPECT_EQ(run({}).status, 0) << "it is said once";
}

TEST_F(SpoolTest, RetryAfterIsObeyed) {
  std::atomic<int> asked = 0;
  std::chrono::steady_clock::time_point first;
  std::chrono::steady_clock::time_point second;
  std::vector<std::string> keys;
  Sink sink([&](const SinkRequest& request) {
    keys.push_back(request.header("Idempotency-Key").value_or(""));
    (asked == 0 ? first : second) = std::chrono::steady_clock::now();
    if (asked++ == 0) return SinkReply{.status = 503, .headers = {{"Retry-After", "2"}}};
    return SinkReply{.status = 201, .headers = {{"Feed-Position", "1"}}};
  });
  const Ran ran = run({sink.url("/demo/events"), file("a", entry("a"))});
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(asked, 2);
  EXPECT_GE(second - first, std::chrono::seconds(2));
  EXPECT_FALSE(keys[0].empty());
  EXPECT_EQ(keys[0], keys[1]) << "each attempt has the same key";

  asked = 0;
  Sink later([](const SinkRequest&) { return SinkReply{.status = 503, .headers = {{"Retry-After", "7200"}}}; });
  const Ran gone = run({"--patience", "1h", later.url("/demo/events"), file("a", entry("a"))});
  EXPECT_EQ(gone.status, 75) << "it asks for more patience than there is";
  EXPECT_EQ(later.requests().size(), 1U);
}

// What stands on the way may answer in the server's place: stored is only what the feed says is.
TEST_F(SpoolTest, OnlyAnAnswerOfTheFeedCountsAsStored) {
  const std::vector<SinkReply> answers = {{.status = 200, .body = "<html>Please log in</html>"},
                                          {.status = 201},
                                          {.status = 204},
                                          {.status = 302, .headers = {{"Location", "http://portal.example/"}}},
                                          {.status = 408},
                                          {.status = 425},
                                          {.status = 429},
                                          {.status = 500},
                                          {.status = 502}};
  for (const SinkReply& answer : answers) {
    Sink sink([&answer](const SinkRequest&) { return answer; });
    const Ran ran = run({"--patience", "0s", sink.url("/demo/events"), file("a", entry("a"))});
    EXPECT_EQ(ran.status, 75) << answer.status << ran.output;
    EXPECT_NE(ran.output.find(" 0 refused, 1 left\n"), std::string::npos) << answer.status << ran.output;
    fs::remove_all(spool());
  }
}

TEST_F(SpoolTest, AFeedThatFailsHoldsUpOnlyItself) {
  CourantServer server({"--database", database_.url()});
  std::atomic<bool> is_up = false;
  Sink sink([&is_up](const SinkRequest&) {
    return is_up ? SinkReply{.status = 201, .headers = {{"Feed-Position", "1"}}} : SinkReply{.status = 503};
  });
  EXPECT_EQ(run({"--patience", "0s", sink.url("/demo/events"), file("x1", "1"), file("x2", "2")}).status, 75);
  const Ran ran = run({"--patience", "0s", server.url() + "/demo/events", file("a", entry("a"))});
  EXPECT_EQ(ran.status, 75);
  EXPECT_NE(ran.output.find("1 published, 0 stored before, 0 refused, 2 left\n"), std::string::npos) << ran.output;
  EXPECT_EQ(run({"--patience", "0s", sink.url("/demo/events"), file("x3", "3")}).status, 75);
  is_up = true;
  const std::size_t before = sink.requests().size();
  EXPECT_EQ(run({}).status, 0);
  std::string sent;
  for (std::size_t i = before; i < sink.requests().size(); ++i) sent += sink.requests()[i].body;
  EXPECT_EQ(sent, "123") << "each feed in order";
}

TEST_F(SpoolTest, ManyPublishersShareASpool) {
  constexpr int kPublishers = 6;
  constexpr int kEach = 10;
  CourantServer server({"--database", database_.url()});
  std::vector<std::unique_ptr<Process>> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    std::vector<std::string> arguments = files("p" + std::to_string(publisher) + "-", kEach);
    arguments.insert(arguments.begin(), server.url() + "/demo/events");
    publishers.push_back(start(arguments, "log" + std::to_string(publisher)));
  }
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    EXPECT_EQ(publishers[static_cast<std::size_t>(publisher)]->wait(), 0) << said("log" + std::to_string(publisher));
  }
  const std::vector<std::string> all = titles(server.port());
  EXPECT_EQ(all.size(), kPublishers * kEach);
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    const std::string prefix = "p" + std::to_string(publisher) + "-";
    std::vector<std::string> own;
    for (const std::string& title : all) {
      if (title.starts_with(prefix)) own.push_back(title);
    }
    EXPECT_EQ(own, expected(prefix, kEach));
  }
}

// With duplicates = "conflict" a retry is 409: told from other content, it counts as stored.
TEST_F(SpoolTest, AConflictOverTheSameContentIsStored) {
  const std::string config =
      file("conflict.toml", "[[workspaces]]\nname = \"demo\"\nauto_create = true\nduplicates = \"conflict\"\n");
  CourantServer server({"--database", database_.url(), "--config", config});
  const std::string feed = server.url() + "/demo/events";
  const std::string same = file("a", entry("a"));
  const std::string batch =
      file("batch", "<feed xmlns='http://www.w3.org/2005/Atom'>" + entry("b") + entry("c") + "</feed>");
  ASSERT_EQ(run({feed, same, batch}).status, 0);
  const Ran again = run({feed, same, batch});
  EXPECT_EQ(again.status, 0) << again.output;
  EXPECT_NE(again.output.find("0 published, 2 stored before, 0 refused, 0 left\n"), std::string::npos) << again.output;
  const std::string other =
      file("other", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:a</id><content>other</content></entry>");
  EXPECT_EQ(run({feed, other}).status, 1);
  EXPECT_EQ(titles(server.port()).size(), 3U);
}

TEST_F(SpoolTest, StandardInputIsSpooledToo) {
  CourantServer server({"--database", database_.url()});
  const std::string line = courant_program() + " publish --spool " + spool() + " " + server.url() +
                           "/demo/events - < " + file("a", entry("a"));
  const Ran ran = run_command({"/bin/sh", "-c", line});
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(titles(server.port()), std::vector<std::string>{"a"});
}

TEST_F(SpoolTest, AFullDiskIsSaidBeforeAnythingIsClaimed) {
  const std::string port = std::to_string(free_port());
  const std::string feed = "http://127.0.0.1:" + port + "/demo/events";
  SmallDisk disk("/tmp/courant-small-spool", "1m");
  const auto publish = [&](const std::string& path) {
    return run_courant(
        {"publish", "--spool", disk.path() + "/spool", "--patience", "0s", feed, file("a", entry("a")), path});
  };
  const Ran full = publish(file("big", std::string(2 << 20, 'x')));
  EXPECT_EQ(full.status, 1);
  EXPECT_NE(full.output.find("No space left on device: nothing was spooled\n"), std::string::npos) << full.output;
  EXPECT_EQ(full.output.find(" spooled in "), std::string::npos) << full.output;
  const Ran fits = publish(file("small", entry("b")));
  EXPECT_EQ(fits.status, 75) << fits.output;
  EXPECT_NE(fits.output.find("2 spooled in "), std::string::npos) << "what did not fit left nothing: " << fits.output;
}

TEST_F(SpoolTest, WrongCallsAreSaid) {
  EXPECT_EQ(run({"nonsense", file("a", "a")}).status, 2);
  EXPECT_EQ(run({"http://127.0.0.1:9/demo/events"}).status, 2);
  EXPECT_EQ(run_courant({"publish"}).status, 2);
  EXPECT_NE(run({"--patience", "soon"}).status, 0);
  EXPECT_NE(run({"--patience", "1m", "--keep-trying"}).status, 0);
  EXPECT_NE(run_courant({"publish", "--keep-trying", "http://127.0.0.1:9/demo/events", file("a", "a")}).status, 0);
  const Ran missing = run({"http://127.0.0.1:9/demo/events", file("a", "a"), "/nowhere.xml"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_NE(missing.output.find("/nowhere.xml cannot be read: No such file or directory: nothing was spooled\n"),
            std::string::npos);
  EXPECT_EQ(run({}).output, "0 published, 0 stored before, 0 refused, 0 left\n");
}

}  // namespace
}  // namespace courant::test::spool_test
