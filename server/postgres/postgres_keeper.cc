#include "server/postgres/postgres_keeper.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/log.h"
#include "server/postgres/file_lock.h"
#include "server/postgres/postgres_home.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kFastShutdown = 10s;            // then by force
constexpr const char* kNoProcess = "4194304";  // one more than Linux gives
constexpr const char* kSettings[] = {"listen_addresses=", "unix_socket_permissions=0700", "shared_buffers=256MB",
                                     "jit=off", "wal_compression=lz4", "default_toast_compression=lz4",
                                     "max_wal_size=2GB",
                                     // What is cleaned up goes to the disk in small portions, and slowly: a commit
                                     // waits there behind all that has piled up.
                                     "backend_flush_after=256kB", "autovacuum_vacuum_cost_delay=6ms"};

class Keeper {
 public:
  explicit Keeper(const EmbeddedPostgresOptions& options, PostgresHome home)
      : options_(options), home_(std::move(home)) {}

  int run() {
    FileLock users;
    if (!users.open(home_.users())) return 1;
    std::thread last_user([this, &users] {
      users.take(FileLock::Mode::kExclusive);
      stop();
    });
    supervise();
    last_user.join();  // whoever comes next waits until PostgreSQL is gone
    return 0;
  }

 private:
  std::vector<std::string> arguments() const {
    std::vector<std::string> all = {std::string(kPostgresPrograms) + "/postgres", "-D", home_.cluster, "-k",
                                    home_.socket_folder};
    for (const char* const setting : kSettings) all.insert(all.end(), {"-c", setting});
    all.insert(all.end(), {"-c", "max_connections=" + std::to_string(options_.connections)});
    return all;
  }

  // On the thread that PostgreSQL's death signal is bound to.
  void supervise() {
    milliseconds rest = 100ms;
    for (;;) {
      const auto started = steady_clock::now();
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        disarm_stale_pid_file(home_.cluster);
        postmaster_ = home_.start(arguments());
      }
      int status = 0;
      while (::waitpid(postmaster_, &status, 0) < 0 && errno == EINTR) {
      }
      std::unique_lock lock(mutex_);
      postmaster_ = 0;
      wake_.notify_all();
      if (stopping_) return;
      log_error("PostgreSQL ended and is started again", {{"status", status}, {"log", home_.log}});
      if (steady_clock::now() - started > 30s) rest = 100ms;
      if (wake_.wait_for(lock, rest, [this] { return stopping_; })) return;
      rest = std::min<milliseconds>(rest * 2, 5000ms);
    }
  }

  void stop() {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    const auto is_gone = [this] { return postmaster_ == 0; };
    if (!is_gone()) ::kill(postmaster_, SIGINT);
    if (!wake_.wait_for(lock, kFastShutdown, is_gone)) ::kill(postmaster_, SIGQUIT);
    wake_.wait(lock, is_gone);
  }

  const EmbeddedPostgresOptions options_;
  const PostgresHome home_;
  std::mutex mutex_;  // guards stopping_
  std::condition_variable wake_;
  bool stopping_ = false;
  std::atomic<pid_t> postmaster_{0};
};

}  // namespace

void disarm_stale_pid_file(const std::string& cluster) {
  const std::string path = cluster + "/postmaster.pid";
  std::string pid;
  std::string rest;
  {
    std::ifstream file(path);
    if (!std::getline(file, pid)) return;
    std::ostringstream text;
    text << file.rdbuf();
    rest = text.str();
  }
  std::ifstream command("/proc/" + pid + "/cmdline");
  if (!command) return;  // PostgreSQL sees by itself that it is gone
  std::ostringstream line;
  line << command.rdbuf();
  if (line.str().find(cluster) != std::string::npos && line.str().find("postgres") != std::string::npos) return;
  log_warning("postmaster.pid names a process that is not PostgreSQL: it is stale", {{"process", pid}});
  std::fstream(path, std::ios::in | std::ios::out) << kNoProcess << '\n' << rest;
}

int keep_postgres(const KeeperOptions& options) {
  ::close_range(3, ~0U, 0);     // sockets of the process that has started this one
  ::setpgid(0, 0);              // a Ctrl-C at the terminal is the server's alone to handle
  ::unsetenv("NOTIFY_SOCKET");  // PostgreSQL would tell systemd that the server is ready
  ::prctl(PR_SET_NAME, "postgres keeper");
  for (const int number : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) ::signal(number, SIG_IGN);
  ::signal(SIGTERM, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != options.started_by) return 0;
  const Result<PostgresHome> home = PostgresHome::find(options.postgres);
  if (!home) {
    std::fprintf(stderr, "courant: %s\n", home.fault().detail.c_str());
    return 1;
  }
  FileLock place;
  if (!place.open(home->keeper())) return 1;
  home->give(home->keeper());
  place.take(FileLock::Mode::kExclusive);
  // From here on others may rely on this process: it ends when nobody uses the cluster.
  ::signal(SIGTERM, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, 0);
  return Keeper(options.postgres, *home).run();
}

std::vector<std::string> keeper_arguments(const EmbeddedPostgresOptions& options) {
  return {"courant",       "keep-postgres",
          "--data",        options.data,
          "--connections", std::to_string(options.connections),
          "--user",        options.user,
          "--started-by",  std::to_string(::getpid())};
}

}  // namespace courant::server
