#include "tests/support/process.h"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/argv.h"

namespace courant::test {
namespace {

// Between a port's choice and its use another test might choose it too, and two servers would share it (SO_REUSEPORT).
// False: one has. A name in the machine's memory (unix(7), abstract sockets) keeps it for this process as long as that
// lives.
bool reserve(int port) {
  const std::string name = "courant test port " + std::to_string(port);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  name.copy(address.sun_path + 1, name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int reservation = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(reservation, reinterpret_cast<const sockaddr*>(&address), length) == 0) return true;
  ::close(reservation);
  return false;
}

int number_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Between fork and exec only async-signal-safe calls: a test may have threads, and one of them some lock.
pid_t begin(const std::vector<std::string>& arguments, const std::string& output) {
  const std::vector<char*> argv = argv_of(arguments);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::dup2(::open("/dev/null", O_RDONLY), STDIN_FILENO);  // not a terminal, whoever runs the test
  ::dup2(file, STDOUT_FILENO);
  ::dup2(file, STDERR_FILENO);
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

Process::Process(const std::vector<std::string>& arguments, const std::string& output)
    : child_(begin(arguments, output)) {}

Process::~Process() {
  if (child_ <= 0) return;
  signal(SIGKILL);
  wait();
}

void Process::signal(int number) {
  if (child_ > 0) ::kill(child_, number);
}

int Process::wait() {
  int status = 0;
  while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
  }
  child_ = 0;
  return number_of(status);
}

std::optional<int> Process::ended() {
  int status = 0;
  if (::waitpid(child_, &status, WNOHANG) != child_) return std::nullopt;
  child_ = 0;
  return number_of(status);
}

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> children;
  // Each thread has its own list; the process may end while they are read.
  std::error_code gone;
  std::filesystem::directory_iterator thread("/proc/" + std::to_string(process) + "/task", gone);
  for (; thread != std::filesystem::directory_iterator(); thread.increment(gone)) {
    std::ifstream list(thread->path() / "children");
    for (pid_t child = 0; list >> child;) children.push_back(child);
  }
  return children;
}

// Below the range that the system takes for clients: a client that retries a dead server's port there may otherwise
// connect to itself, and hold the port.
int free_port() {
  std::random_device random;
  for (;;) {
    const int port = std::uniform_int_distribution<int>(20'000, 32'000)(random);
    if (!reserve(port)) continue;
    const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (is_free) return port;
  }
}

}  // namespace courant::test
