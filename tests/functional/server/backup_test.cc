// Backups made while publishing goes on, and what is restored from them: as docs/OPERATIONS.md says ("Backup").
#include <atomic>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::backup_test {
namespace {

using testing::HasSubstr;

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin/";
constexpr const char* kFeed = "/demo/events";

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>c</content></entry>";
}

// Publishes all the time that it lives.
class Publishing {
 public:
  explicit Publishing(int port)
      : thread_([this, port] {
          HttpClient client(port, false);
          while (!is_over_) stored_ += client.post(kFeed, entry(next_++)).status == 201 ? 1 : 0;
        }) {}
  ~Publishing() { stop(); }
  void stop() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
  }
  int stored() const { return stored_; }

 private:
  std::atomic<bool> is_over_{false};
  std::atomic<int> stored_{0};
  int next_ = 1;  // the thread's own
  std::thread thread_;
};

class BackupTest : public testing::Test {
 protected:
  BackupTest() {
    for (const std::string& file : {dump_, state_}) std::filesystem::remove(file);
  }
  std::string url_of_cluster(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + data_.path() + "/postgres&user=courant";
  }
  // What is restored serves all that had been stored when the backup began, and verifies from outside.
  void expect_whole(CourantServer& restored, int at_least) {
    HttpClient client(restored.port());
    const int head = std::atoi(client.get(kFeed).header("Feed-Position").c_str());
    EXPECT_GE(head, at_least);
    const Ran verified = run_courant({"verify", restored.url() + kFeed, "--state", state_});
    EXPECT_EQ(verified.status, 0) << verified.output;
    EXPECT_THAT(verified.output, HasSubstr(std::to_string(head)));
    // What was lost with the tail is published again; the positions go on behind what is there.
    EXPECT_EQ(client.post(kFeed, entry(1'000'000)).header("Feed-Position"), std::to_string(head + 1));
  }

  const DataFolder data_;
  const std::string dump_ = scratch("courant.dump");
  const std::string state_ = scratch("verified.json");
};

TEST_F(BackupTest, ADumpIsRestoredIntoAnotherDatabase) {
  CourantServer server({"--data", data_.path()});
  Publishing publishing(server.port());
  ASSERT_TRUE(wait_until([&] { return publishing.stored() > 60; }));
  const int before = publishing.stored();
  const Ran dumped = run_command({std::string(kPrograms) + "pg_dump", "--format=custom", "--no-unlogged-table-data",
                                  "--file=" + dump_, url_of_cluster("courant")});
  ASSERT_EQ(dumped.status, 0) << dumped.output;
  EXPECT_TRUE(wait_until([&] { return publishing.stored() > before + 20; })) << "publishing goes on";
  publishing.stop();

  const TestDatabase other = TestDatabase::empty();
  const Ran restored = run_command(
      {std::string(kPrograms) + "pg_restore", "--exit-on-error", "--no-owner", "--dbname=" + other.url(), dump_});
  ASSERT_EQ(restored.status, 0) << restored.output;
  const Ran generation = run_courant({"new-generation", "--database", other.url()});
  EXPECT_EQ(generation.status, 0) << generation.output;
  EXPECT_THAT(generation.output, HasSubstr("Generation 2"));
  const DataFolder restored_data;
  std::filesystem::create_directories(restored_data.path());
  std::filesystem::copy_file(data_.path() + "/hub.key", restored_data.path() + "/hub.key");
  CourantServer copy({"--database", other.url(), "--data", restored_data.path()});
  expect_whole(copy, before);
}

TEST_F(BackupTest, ACopyOfTheRunningClusterStarts) {
  const DataFolder restored;
  const std::string cluster = restored.path() + "/postgres/cluster";
  int before = 0;
  {
    CourantServer server({"--data", data_.path()});
    Publishing publishing(server.port());
    ASSERT_TRUE(wait_until([&] { return publishing.stored() > 60; }));
    before = publishing.stored();
    std::filesystem::create_directories(restored.path() + "/postgres");
    const Ran copied =
        run_command({std::string(kPrograms) + "pg_basebackup", "--host=" + data_.path() + "/postgres",
                     "--username=courant", "--pgdata=" + cluster, "--checkpoint=fast", "--wal-method=stream"});
    ASSERT_EQ(copied.status, 0) << copied.output;
    EXPECT_TRUE(wait_until([&] { return publishing.stored() > before + 20; })) << "publishing goes on";
  }
  std::filesystem::copy_file(data_.path() + "/hub.key", restored.path() + "/hub.key");
  // Where the server is root, PostgreSQL is not.
  if (::geteuid() == 0) {
    ASSERT_EQ(run_command({"/bin/chown", "-R", "postgres:", cluster}).status, 0);
  }
  const Ran generation = run_courant({"new-generation", "--data", restored.path()});
  EXPECT_EQ(generation.status, 0) << generation.output;
  CourantServer copy({"--data", restored.path()});
  expect_whole(copy, before);
}

}  // namespace
}  // namespace courant::test::backup_test
