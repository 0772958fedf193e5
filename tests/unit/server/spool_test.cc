#include "server/commands/spool.h"

#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/digest.h"

namespace courant::server {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFeed = "http://127.0.0.1:8080/demo/events";

class SpoolTest : public testing::Test {
 protected:
  SpoolTest() : folder_(fs::temp_directory_path() / ("courant-spool-" + to_hex(random_bytes(8)))) {}
  ~SpoolTest() override { fs::remove_all(folder_); }

  static std::string add(Spool& spool, const std::vector<std::string>& entries, const std::string& feed = kFeed) {
    Spool::Adding adding = spool.begin();
    for (const std::string& entry : entries) adding.put("file of " + entry, entry);
    std::string name = adding.commit(feed);
    spool.make_durable();
    return name;
  }
  // The bytes of all that waits, in order.
  static std::vector<std::string> all(const Spool& spool) {
    std::vector<std::string> bytes;
    for (const std::string& name : spool.waiting()) {
      const auto group = spool.load(name);
      if (!group || !*group) continue;
      for (const SpooledEntry& entry : (*group)->entries) {
        const Result<std::string> read = spool.read(**group, entry);
        bytes.push_back(read ? *read : read.fault().detail);
      }
    }
    return bytes;
  }
  SpooledGroup first(const Spool& spool) const { return **spool.load(spool.waiting().front()); }
  static std::string text_of(const fs::path& path) { return read_file(path); }

  // Random bytes are drawn ahead; a fork would have the same ones as its parent.
  static void draw_anew() { random_bytes(1024); }

  // Runs something in a process of its own that ends without any cleaning up, as after a kill.
  template <class Work>
  static void die_after(Work work) {
    const pid_t child = ::fork();
    if (child == 0) {
      draw_anew();
      work();
      ::kill(::getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }

  const fs::path folder_;
};

using Strings = std::vector<std::string>;

TEST_F(SpoolTest, KeepsOrderFeedSourceAndKey) {
  {
    Spool spool(folder_);
    add(spool, {"a", "b"});
    add(spool, {"c"}, "http://other.example/x/y");
  }
  const Spool again(folder_);
  EXPECT_EQ(all(again), (Strings{"a", "b", "c"}));
  EXPECT_EQ(again.count(), 3U);
  const SpooledGroup group = first(again);
  EXPECT_EQ(group.feed_url, kFeed);
  EXPECT_EQ(group.entries[0].source, "file of a");
  EXPECT_EQ(group.key_of(group.entries[1]), group.key + "-2");
  EXPECT_EQ((**again.load(again.waiting()[1])).feed_url, "http://other.example/x/y");
  EXPECT_NE((**again.load(again.waiting()[1])).key, group.key);
}

TEST_F(SpoolTest, OrderGoesOnBehindWhatIsLeft) {
  Spool spool(folder_);
  for (int i = 0; i < 12; ++i) add(spool, {std::to_string(i)});
  const SpooledGroup group = first(spool);
  spool.remove(group, group.entries[0]);
  spool.clear(group.name);
  add(spool, {"12"});
  EXPECT_EQ(all(spool), (Strings{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}));
}

TEST_F(SpoolTest, AnyBytesAreKept) {
  Spool spool(folder_);
  const std::string bytes = random_bytes(300'000) + std::string(3, '\0') + "\r\n";
  add(spool, {bytes, ""});
  EXPECT_EQ(all(spool), (Strings{bytes, ""}));
}

TEST_F(SpoolTest, WhatIsNotCommittedIsGone) {
  Spool spool(folder_);
  { spool.begin().put("a", "a"); }
  EXPECT_TRUE(all(spool).empty());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    EXPECT_FALSE(entry.path().filename().string().starts_with("adding-")) << entry.path();
  }
}

TEST_F(SpoolTest, AProcessThatDiesBeforeItsCommitLeavesNothing) {
  Spool spool(folder_);
  add(spool, {"a"});
  die_after([&] {
    Spool::Adding adding = spool.begin();
    adding.put("b", "b");
    adding.put("c", "c");
    ::kill(::getpid(), SIGKILL);
  });
  EXPECT_EQ(all(spool), Strings{"a"});
  // The next one to open it clears away; but not what is alive.
  Spool::Adding alive = spool.begin();
  alive.put("d", "d");
  const Spool next(folder_);
  alive.commit(kFeed);
  EXPECT_EQ(all(spool), (Strings{"a", "d"}));
  std::set<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) names.insert(entry.path().filename());
  EXPECT_EQ(names.size(), 4U) << "lock, refused, two groups";
}

TEST_F(SpoolTest, AfterItsCommitAProcessMayDie) {
  Spool spool(folder_);
  die_after([&] { add(spool, {"a", "b"}); });
  EXPECT_EQ(all(spool), (Strings{"a", "b"}));
}

// The sender dies between any two steps: what was removed stays so, the rest still waits.
TEST_F(SpoolTest, ASenderMayDieAtAnyStep) {
  Spool spool(folder_);
  add(spool, {"a", "b", "c"});
  const SpooledGroup group = first(spool);
  die_after([&] {
    const auto turn = spool.try_sending();
    spool.remove(group, group.entries[0]);
  });
  ASSERT_TRUE(spool.try_sending()) << "a lock dies with its process";
  EXPECT_EQ(all(spool), (Strings{"b", "c"}));
  EXPECT_EQ(first(spool).key_of(first(spool).entries[0]), group.key + "-2") << "each keeps its key";
  // A reason was written, the entry not moved yet: refusing again is no error.
  std::ofstream(folder_ / "refused" / (group.name + "-000002.reason")) << "torn";
  spool.refuse(group, group.entries[1], "it is bad");
  EXPECT_NE(text_of(folder_ / "refused" / (group.name + "-000002.reason")).find("reason: it is bad\n"),
            std::string::npos);
  die_after([&] { spool.remove(group, group.entries[2]); });
  EXPECT_FALSE(spool.load(group.name)) << "a manifest alone waits for nothing";
  EXPECT_EQ(spool.count(), 0U);
  spool.clear(group.name);
  EXPECT_TRUE(spool.waiting().empty());
}

TEST_F(SpoolTest, AGroupsFolderThatLostItsManifestOnTheWayOutIsClearedAway) {
  Spool spool(folder_);
  const std::string name = add(spool, {"a"});
  fs::remove(folder_ / name / "000001");
  fs::remove(folder_ / name / "manifest.json");
  EXPECT_FALSE(spool.load(name));
  spool.clear(name);
  EXPECT_TRUE(spool.waiting().empty());
}

TEST_F(SpoolTest, WhatIsNotWholeIsNeverRead) {
  Spool spool(folder_);
  const std::string torn = add(spool, {"whole", "and well"});
  std::ofstream(folder_ / torn / "000001", std::ios::trunc) << "who";
  const SpooledGroup group = first(spool);
  EXPECT_FALSE(spool.read(group, group.entries[0]));
  EXPECT_TRUE(spool.read(group, group.entries[1]));
  for (const std::string& damage : {std::string("{\"feed\":\"http://x"), std::string("[]"), std::string()}) {
    std::ofstream(folder_ / torn / "manifest.json", std::ios::trunc) << damage;
    EXPECT_FALSE(*spool.load(torn)) << damage;
  }
  fs::remove(folder_ / torn / "manifest.json");
  EXPECT_FALSE(*spool.load(torn));
  spool.refuse(torn, "broken");
  EXPECT_TRUE(spool.waiting().empty());
  EXPECT_EQ(text_of(folder_ / "refused" / torn / "000002"), "and well") << "nothing is thrown away";
  EXPECT_EQ(text_of(folder_ / "refused" / (torn + ".reason")), "reason: broken\n");
}

TEST_F(SpoolTest, RefusedEntriesAreKeptWithTheReason) {
  Spool spool(folder_);
  const std::string name = add(spool, {"good", "bad"});
  const SpooledGroup group = first(spool);
  EXPECT_EQ(spool.refused_of(name), 0U);
  spool.refuse(group, group.entries[1], "422: it is bad");
  EXPECT_EQ(spool.refused_of(name), 1U);
  EXPECT_EQ(all(spool), Strings{"good"});
  EXPECT_EQ(text_of(folder_ / "refused" / (name + "-000002.xml")), "bad");
  EXPECT_EQ(text_of(folder_ / "refused" / (name + "-000002.reason")),
            "source: file of bad\nfeed: " + std::string(kFeed) + "\nreason: 422: it is bad\n");
}

TEST_F(SpoolTest, OneSendsAtATime) {
  Spool one(folder_);
  Spool other(folder_);
  std::optional<Descriptor> turn = one.try_sending();
  EXPECT_TRUE(turn);
  EXPECT_FALSE(other.try_sending());
  add(other, {"a"});
  EXPECT_EQ(one.count(), 1U) << "adding goes on meanwhile";
  turn.reset();
  EXPECT_TRUE(other.try_sending());
}

// Eight processes add at once: each one's entries in its own order, each call's entries together, none lost.
TEST_F(SpoolTest, ManyProcessesAddAtOnce) {
  constexpr int kProcesses = 8;
  constexpr int kCalls = 20;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      draw_anew();
      for (int call = 0; call < kCalls; ++call) {
        Spool spool(folder_);
        const std::string prefix = std::to_string(process) + " " + std::to_string(call) + " ";
        add(spool, {prefix + "0", prefix + "1"});
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  const Strings entries = all(Spool(folder_));
  ASSERT_EQ(entries.size(), kProcesses * kCalls * 2U);
  std::vector<int> next(kProcesses, 0);
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    const auto process = static_cast<std::size_t>(entries[i][0] - '0');
    const std::string prefix = std::to_string(process) + " " + std::to_string(next[process]++) + " ";
    EXPECT_EQ(entries[i], prefix + "0");
    EXPECT_EQ(entries[i + 1], prefix + "1");
  }
}

// Who is told that nothing was spooled publishes again, under other keys.
TEST_F(SpoolTest, AfterItsCommitACallWaitsThoughTheFolderCannotBeSynced) {
  Spool spool(folder_);
  Spool::Adding adding = spool.begin();
  adding.put("a", "a");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_NO_THROW(adding.commit(kFeed));
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_THROW(spool.make_durable(), fs::filesystem_error);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(all(spool), Strings{"a"});
}

TEST_F(SpoolTest, AFolderThatCannotBeUsedIsSaid) {
  std::ofstream(folder_.string()) << "a file";
  EXPECT_THROW(Spool{folder_}, fs::filesystem_error);
}

}  // namespace
}  // namespace courant::server
