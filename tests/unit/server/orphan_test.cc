#include "server/processes/orphan.h"

#include <filesystem>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/contents.h"
#include "tests/support/scratch.h"
#include "tests/support/wait_until.h"

namespace courant::server {
namespace {

TEST(StartOrphan, IsNobodysChildFromTheFirstAndHasNoFilesOfOurs) {
  const std::string told = test::scratch("orphan-told");
  std::filesystem::remove(told);
  const int ours = ::fcntl(STDERR_FILENO, F_DUPFD, 100);  // not closed by exec
  const Result<pid_t> orphan =
      start_orphan("/bin/sh", {"sh", "-c", "echo $PPID $(ls /proc/$$/fd) > \"$0.part\"; mv \"$0.part\" \"$0\"", told});
  ::close(ours);
  ASSERT_TRUE(orphan) << orphan.fault().detail;
  EXPECT_GT(*orphan, 0);
  ASSERT_TRUE(test::wait_until([&] { return std::filesystem::exists(told); }));
  const std::string words = test::contents_of(told);
  EXPECT_NE(std::stoi(words), ::getpid()) << words;
  EXPECT_EQ(words.find(" 100"), std::string::npos) << words;
}

TEST(StartOrphan, SaysWhyAProgramCannotBeStarted) {
  const Result<pid_t> orphan = start_orphan("/nowhere/courant", {"courant"});
  ASSERT_FALSE(orphan);
  EXPECT_EQ(orphan.fault().detail, "No such file or directory");
}

}  // namespace
}  // namespace courant::server
