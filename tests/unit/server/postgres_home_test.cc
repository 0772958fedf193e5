#include "server/postgres/postgres_home.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/scratch.h"

namespace courant::server {
namespace {

constexpr uid_t kSomebody = 65'534;

uid_t owner(const std::string& path) {
  struct stat found {};
  ::stat(path.c_str(), &found);
  return found.st_uid;
}

// Root that runs a command beside the server of the Debian package, whose user is `courant`: the cluster stays his.
TEST(PostgresHome, RootWorksAsWhoeverOwnsTheCluster) {
  const std::string data = test::scratch("owned");
  std::filesystem::remove_all(data);
  std::filesystem::create_directories(data + "/postgres/cluster");
  const bool is_root = ::geteuid() == 0;
  if (is_root) {
    ASSERT_EQ(::chown((data + "/postgres/cluster").c_str(), kSomebody, kSomebody), 0);
  }
  const Result<PostgresHome> home = PostgresHome::find({.data = data});
  ASSERT_TRUE(home) << home.fault().detail;
  ASSERT_EQ(home->account.has_value(), is_root) << "nobody else can run PostgreSQL as another";
  if (!is_root) return;
  EXPECT_EQ(home->account->user, kSomebody);
  EXPECT_TRUE(home->give(home->folder));
  EXPECT_EQ(owner(home->folder), kSomebody);
}

}  // namespace
}  // namespace courant::server
