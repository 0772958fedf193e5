// A small disk of a test's own: a tmpfs in a mount namespace that nobody else sees.
// Threads: the one that makes it, and processes that it starts afterwards.
#pragma once

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace courant::test {

class SmallDisk {
 public:
  SmallDisk(std::string path, const std::string& size) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
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

}  // namespace courant::test
