#include "server/processes/orphan.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/argv.h"

namespace courant::server {
namespace {

// Both ends are closed with it, and by exec.
class Pipe {
 public:
  Pipe() { is_open_ = ::pipe2(ends_.data(), O_CLOEXEC) == 0; }
  ~Pipe() {
    close_reading();
    close_writing();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  bool is_open() const { return is_open_; }
  void close_reading() { close(ends_[0]); }
  void close_writing() { close(ends_[1]); }
  // False: the other end is closed, and nothing more was written there.
  bool read(int& number) const {
    ssize_t length = 0;
    while ((length = ::read(ends_[0], &number, sizeof number)) < 0 && errno == EINTR) {
    }
    return length == sizeof number;
  }
  void write(int number) const {
    while (::write(ends_[1], &number, sizeof number) < 0 && errno == EINTR) {
    }
  }

 private:
  static void close(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }

  std::array<int, 2> ends_{-1, -1};
  bool is_open_ = false;
};

// In the child's child: becomes the program once the child is gone. As in any process that was forked where there are
// threads, only async-signal-safe calls are made.
[[noreturn]] void become(const char* program, char* const* argv, Pipe& gate, Pipe& report) {
  report.write(::getpid());
  gate.close_writing();
  int none = 0;
  gate.read(none);
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  ::execv(program, argv);
  report.write(errno);
  ::_exit(127);
}

}  // namespace

Result<pid_t> start_orphan(const std::string& program, const std::vector<std::string>& arguments) {
  const std::vector<char*> argv = argv_of(arguments);
  Pipe gate;    // says nothing, and is closed here when the child's child has its new parent
  Pipe report;  // of the child's child: its number, and why it could not become the program
  if (!gate.is_open() || !report.is_open()) return Fault{std::strerror(errno)};
  const pid_t child = ::fork();
  if (child < 0) return Fault{std::strerror(errno)};
  if (child == 0) {
    const pid_t orphan = ::fork();
    if (orphan == 0) become(program.c_str(), argv.data(), gate, report);
    ::_exit(orphan < 0 ? errno : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  report.close_writing();
  gate.close_writing();
  int orphan = 0;
  if (!report.read(orphan)) return Fault{std::strerror(WIFEXITED(status) ? WEXITSTATUS(status) : EAGAIN)};
  if (int failure = 0; report.read(failure)) return Fault{std::strerror(failure)};
  return orphan;
}

}  // namespace courant::server
