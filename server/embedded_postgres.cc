#include "server/embedded_postgres.h"

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/argv.h"
#include "kernel/digest.h"
#include "kernel/log.h"
#include "sql/database.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr const char* kPrograms = "/usr/lib/postgresql/15/bin";
constexpr std::size_t kLongestSocketPath = 107 - sizeof("/.s.PGSQL.5432");

struct Account {
  uid_t user;
  gid_t group;
};

// In a child: gives up root for good, asks to be told when the parent is gone, and becomes the program. Another thread
// of the parent may have held any lock when it forked, that of the memory too: only async-signal-safe calls are made
// here.
[[noreturn]] void become(const std::vector<char*>& argv, const std::optional<Account>& account, const std::string& log,
                         pid_t parent) {
  if (account && (::setgroups(0, nullptr) != 0 || ::setgid(account->group) != 0 || ::setuid(account->user) != 0))
    ::_exit(126);
  // Changing the user clears this, so it comes after.
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  if (::getppid() != parent) ::_exit(125);
  ::setpgid(0, 0);  // a Ctrl-C at the terminal is the server's alone to handle
  const int file = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  if (file >= 0) {
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
  }
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (::chdir("/") != 0) ::_exit(124);
  ::close_range(3, ~0U, 0);  // the server's sockets are not PostgreSQL's
  ::execv(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

struct EmbeddedPostgres::State {
  explicit State(EmbeddedPostgresOptions the_options) : options(std::move(the_options)) {}

  const EmbeddedPostgresOptions options;
  std::optional<Account> account;  // set where the server is root
  std::string cluster;
  std::string socket_folder;
  std::string log;
  int lock = -1;

  std::thread supervisor;
  std::atomic<pid_t> postmaster{0};
  std::mutex mutex;  // guards stopping
  std::condition_variable wake;
  bool stopping = false;

  std::string url() const { return "postgresql:///courant?host=" + socket_folder + "&user=courant"; }

  void name_paths() {
    const std::string home = options.data + "/postgres";
    cluster = home + "/cluster";
    log = home + "/log";
    socket_folder = home;
    if (home.size() > kLongestSocketPath) {
      socket_folder = "/tmp/courant-" + to_hex(bytes_of(sha256(home)).substr(0, 6));
    }
  }

  std::optional<Fault> prepare_folders() {
    std::error_code error;
    fs::create_directories(options.data, error);
    if (error) return Fault{"the data directory " + options.data + " cannot be made: " + error.message()};
    lock = ::open((options.data + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0 || ::flock(lock, LOCK_EX | LOCK_NB) != 0) {
      return Fault{"the data directory " + options.data +
                   " is in use by another courant: stop it, or give another --data"};
    }
    const std::string home = options.data + "/postgres";
    fs::create_directories(home, error);
    if (error) return Fault{"the folder " + home + " cannot be made: " + error.message()};
    fs::create_directories(socket_folder, error);
    for (const std::string& folder : {home, socket_folder}) {
      if (account && ::chown(folder.c_str(), account->user, account->group) != 0) {
        return Fault{"the folder " + folder + " cannot be given to the user " + options.user + ": " +
                     std::strerror(errno)};
      }
      ::chmod(folder.c_str(), 0700);
    }
    return std::nullopt;
  }

  std::optional<Fault> find_account() {
    if (::geteuid() != 0) return std::nullopt;
    const passwd* const entry = ::getpwnam(options.user.c_str());
    if (entry == nullptr)
      return Fault{"there is no user " + options.user + " for PostgreSQL to run as: run scripts/setup"};
    account = Account{entry->pw_uid, entry->pw_gid};
    return std::nullopt;
  }

  int run_and_wait(const std::vector<std::string>& arguments) {
    const std::vector<char*> argv = argv_of(arguments);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) become(argv, account, log, parent);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // The cluster is made beside its place and moved there when it is whole: an interrupted initdb leaves nothing.
  std::optional<Fault> make_cluster() {
    if (fs::exists(cluster)) {
      std::string version;
      std::ifstream(cluster + "/PG_VERSION") >> version;
      if (version == "15") return std::nullopt;
      return Fault{"the cluster in " + cluster + " is of PostgreSQL " + version +
                   ", and this program runs 15: upgrade it with pg_upgrade"};
    }
    log_info("making the private PostgreSQL cluster", {{"folder", cluster}});
    const std::string unfinished = cluster + ".unfinished";
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    const int status = run_and_wait({std::string(kPrograms) + "/initdb", "-D", unfinished, "-U", "courant", "-A",
                                     "trust", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"});
    if (status != 0) {
      return Fault{"initdb failed; " + log + " says why (the user " + options.user +
                   " must be able to enter every folder above " + options.data + ")"};
    }
    fs::rename(unfinished, cluster, ignored);
    if (ignored) return Fault{"the cluster cannot be moved to " + cluster + ": " + ignored.message()};
    return std::nullopt;
  }

  void supervise() {
    auto rest = 100ms;
    const std::vector<std::string> arguments = {std::string(kPrograms) + "/postgres",
                                                "-D",
                                                cluster,
                                                "-k",
                                                socket_folder,
                                                "-c",
                                                "listen_addresses=",
                                                "-c",
                                                "shared_buffers=256MB",
                                                "-c",
                                                "max_connections=" + std::to_string(options.connections),
                                                "-c",
                                                "jit=off",
                                                "-c",
                                                "wal_compression=lz4",
                                                "-c",
                                                "default_toast_compression=lz4",
                                                "-c",
                                                "max_wal_size=2GB",
                                                "-c",
                                                "unix_socket_permissions=0700"};
    const std::vector<char*> argv = argv_of(arguments);
    const pid_t parent = ::getpid();
    for (;;) {
      const auto started = std::chrono::steady_clock::now();
      const pid_t child = ::fork();
      if (child == 0) become(argv, account, log, parent);
      postmaster = child;
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      std::unique_lock lock_stopping(mutex);
      postmaster = 0;
      wake.notify_all();
      if (stopping) return;
      log_error("PostgreSQL ended and is started again", {{"status", status}, {"log", log}});
      if (std::chrono::steady_clock::now() - started > 30s) rest = 100ms;
      if (wake.wait_for(lock_stopping, rest, [&] { return stopping; })) return;
      rest = std::min(rest * 2, std::chrono::milliseconds(5000));
    }
  }

  // Until the cluster answers; an old postmaster that is still shutting down may delay it.
  std::optional<Fault> wait_until_ready() {
    const std::string admin = "postgresql:///postgres?host=" + socket_folder + "&user=courant";
    constexpr sql::Query kExists{"embedded.exists", "select 1 from pg_database where datname = 'courant'"};
    for (const auto give_up = std::chrono::steady_clock::now() + 60s; std::chrono::steady_clock::now() < give_up;) {
      try {
        sql::Session session(admin);
        if (session.run(kExists).empty()) session.execute_script("create database courant");
        return std::nullopt;
      } catch (const sql::Unavailable&) {
        std::unique_lock lock_stopping(mutex);
        wake.wait_for(lock_stopping, 50ms, [&] { return stopping; });
      }
    }
    return Fault{"PostgreSQL does not answer after 60 seconds; " + log + " says why"};
  }
};

EmbeddedPostgres::EmbeddedPostgres(EmbeddedPostgresOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
EmbeddedPostgres::~EmbeddedPostgres() {
  stop();
}

Result<std::string> EmbeddedPostgres::join() {
  State& state = *state_;
  state.name_paths();
  if (!fs::exists(state.cluster)) {
    return Fault{"there is no data in " + state.options.data + ": give the server's --data, or its --database"};
  }
  try {
    sql::Session session(state.url());
    return state.url();
  } catch (const sql::Unavailable&) {
    return start();  // nobody runs it; somebody who is about to has the lock, and start says so
  }
}

Result<std::string> EmbeddedPostgres::start() {
  State& state = *state_;
  state.name_paths();
  if (!fs::exists(std::string(kPrograms) + "/postgres")) {
    return Fault{std::string("PostgreSQL 15 is not installed in ") + kPrograms +
                 ": run scripts/setup, or give --database"};
  }
  if (std::optional<Fault> fault = state.find_account()) return *std::move(fault);
  if (std::optional<Fault> fault = state.prepare_folders()) return *std::move(fault);
  if (std::optional<Fault> fault = state.make_cluster()) return *std::move(fault);
  // The death signal is sent when the thread that forked ends: the supervisor lives as long as the server.
  state.supervisor = std::thread([&state] { state.supervise(); });
  if (std::optional<Fault> fault = state.wait_until_ready()) return *std::move(fault);
  return state.url();
}

void EmbeddedPostgres::stop() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
  }
  state.wake.notify_all();
  if (state.supervisor.joinable()) {
    if (const pid_t postmaster = state.postmaster) ::kill(postmaster, SIGINT);
    {
      std::unique_lock lock(state.mutex);
      const auto is_gone = [&state] { return state.postmaster == 0; };
      if (!state.wake.wait_for(lock, 10s, is_gone)) ::kill(state.postmaster, SIGQUIT);
      state.wake.wait(lock, is_gone);
    }
    state.supervisor.join();
  }
  if (state.lock >= 0) ::close(std::exchange(state.lock, -1));
}

}  // namespace courant::server
