#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kernel/digest.h"
#include "tests/support/courant_server.h"

namespace courant::test {
namespace {

namespace fs = std::filesystem;

// A small disk of this test's own: a tmpfs in a mount namespace that nobody else sees.
class SmallDisk {
 public:
  SmallDisk(std::string path, const std::string& size) : path_(std::move(path)) {
    fs::create_directories(path_);
    const bool is_root = ::geteuid() == 0;
    const int uid = static_cast<int>(::getuid());
    if (::unshare(CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0) fail("a mount namespace");
    if (!is_root) std::ofstream("/proc/self/uid_map") << uid << ' ' << uid << " 1\n";
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) fail("private mounts");
    if (::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("size=" + size).c_str()) != 0) fail("a tmpfs");
  }
  ~SmallDisk() { ::umount2(path_.c_str(), MNT_DETACH); }

  const std::string& path() const { return path_; }

 private:
  [[noreturn]] static void fail(const std::string& what) {
    throw std::runtime_error("this test needs " + what +
                             " (CAP_SYS_ADMIN or user namespaces): " + std::strerror(errno));
  }
  std::string path_;
};

std::string entry(int number) {
  static const std::string filler = to_hex(random_bytes(100'000));
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>" + filler.substr(static_cast<std::size_t>(number % 1000)) +
         "</content></entry>";
}

TEST(FullDisk, Gives503sAndLosesNothing) {
  SmallDisk disk("/tmp/courant-small-disk", "220m");
  const std::string ballast = disk.path() + "/ballast";
  std::ofstream(ballast) << std::string(60 << 20, 'x');
  CourantServer server({"--data", disk.path() + "/data"});
  HttpClient client(server.port());

  int number = 0;
  int status = 0;
  while ((status = client.post("/demo/events", entry(number + 1)).status) == 201) {
    ++number;
    ASSERT_LT(number, 5000) << "the disk never got full";
  }
  EXPECT_EQ(status, 503) << "after " << number << " entries";
  EXPECT_GT(number, 10);
  EXPECT_EQ(client.post("/demo/events", entry(number + 1)).status, 503);
  EXPECT_EQ(client.get("/-/health/live").status, 200) << "the server itself goes on";

  fs::remove(ballast);
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it does not recover: " << status;
    status = client.post("/demo/events", entry(number + 1)).status;
  } while (status != 201 && status != 200);
  ++number;

  for (int i = 1; i <= number; ++i) {
    const Reply reply = client.get("/demo/events/entries/urn:x:" + std::to_string(i));
    ASSERT_EQ(reply.status, 200) << i;
    ASSERT_EQ(reply.header("Feed-Position"), std::to_string(i)) << "each once, without gaps";
  }
  EXPECT_EQ(client.get("/demo/events?limit=1").header("Feed-Position"), std::to_string(number));
}

}  // namespace
}  // namespace courant::test
