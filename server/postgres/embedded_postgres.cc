#include "server/postgres/embedded_postgres.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kernel/argv.h"
#include "kernel/log.h"
#include "server/postgres/file_lock.h"
#include "server/postgres/postgres_home.h"
#include "server/postgres/postgres_keeper.h"
#include "sql/database.h"

namespace courant::server {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kLook = 100ms;          // how often the keeper is looked after
constexpr auto kKeepersLongest = 30s;  // that it may take to end the cluster

// A keeper of this process's own, which may have to wait until others have ended.
pid_t start_keeper(const EmbeddedPostgresOptions& options) {
  const std::vector<std::string> arguments = keeper_arguments(options);
  const std::vector<char*> argv = argv_of(arguments);
  pid_t keeper = 0;
  const int error = ::posix_spawn(&keeper, "/proc/self/exe", nullptr, nullptr, argv.data(), environ);
  if (error == 0) return keeper;
  log_error("the process that runs PostgreSQL cannot be started", {{"why", std::strerror(error)}});
  return 0;
}

}  // namespace

struct EmbeddedPostgres::State {
  explicit State(EmbeddedPostgresOptions the_options)
      : options(std::move(the_options)), home(PostgresHome::in(options.data)) {}

  const EmbeddedPostgresOptions options;
  PostgresHome home;
  FileLock users;  // held while this process uses the cluster

  std::thread supervisor;
  std::mutex mutex;  // guards stopping
  std::condition_variable wake;
  bool stopping = false;

  std::optional<Fault> prepare_folders() {
    std::error_code error;
    fs::create_directories(options.data, error);
    if (error) return Fault{"the data directory " + options.data + " cannot be made: " + error.message()};
    fs::create_directories(home.folder, error);
    if (error) return Fault{"the folder " + home.folder + " cannot be made: " + error.message()};
    fs::create_directories(home.socket_folder, error);
    for (const std::string& folder : {home.folder, home.socket_folder}) {
      if (!home.give(folder)) {
        return Fault{"the folder " + folder + " cannot be given to the user of PostgreSQL: " + std::strerror(errno)};
      }
      ::chmod(folder.c_str(), 0700);
    }
    return std::nullopt;
  }

  // One that is ending with its last user is waited for.
  std::optional<Fault> begin_use() {
    if (!users.open(home.users())) {
      return Fault{"the file " + home.users() + " cannot be opened: " + std::strerror(errno)};
    }
    home.give(home.users());
    users.take(FileLock::Mode::kShared);
    return std::nullopt;
  }

  int run_and_wait(const std::vector<std::string>& arguments) const {
    const pid_t child = home.start(arguments);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

  // The cluster is made beside its place and moved there when it is whole: an interrupted initdb leaves nothing. Of two
  // processes that would make it, one does.
  std::optional<Fault> make_cluster() {
    FileLock making;
    const std::string lock = home.folder + "/making";
    if (making.open(lock)) making.take(FileLock::Mode::kExclusive);
    home.give(lock);
    if (fs::exists(home.cluster)) {
      std::string version;
      std::ifstream(home.cluster + "/PG_VERSION") >> version;
      if (version == "15") return std::nullopt;
      return Fault{"the cluster in " + home.cluster + " is of PostgreSQL " + version +
                   ", and this program runs 15: upgrade it with pg_upgrade"};
    }
    log_info("making the private PostgreSQL cluster", {{"folder", home.cluster}});
    const std::string unfinished = home.cluster + ".unfinished";
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    const int status = run_and_wait({std::string(kPostgresPrograms) + "/initdb", "-D", unfinished, "-U", "courant",
                                     "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--data-checksums"});
    if (status != 0) {
      return Fault{"initdb failed; " + home.log + " says why (the user " + options.user +
                   " must be able to enter every folder above " + options.data + ")"};
    }
    fs::rename(unfinished, home.cluster, ignored);
    if (ignored) return Fault{"the cluster cannot be moved to " + home.cluster + ": " + ignored.message()};
    return std::nullopt;
  }

  // A keeper that is not at work ends with this thread, whose death it is told of.
  void supervise() {
    milliseconds rest = kLook;
    for (;;) {
      const auto started = steady_clock::now();
      const pid_t keeper = start_keeper(options);
      std::unique_lock lock(mutex);
      while (keeper != 0 && ::waitpid(keeper, nullptr, WNOHANG) == 0) {
        if (wake.wait_for(lock, kLook, [this] { return stopping; })) return;
      }
      if (!stopping) log_error("the process that runs PostgreSQL ended and is started again");
      if (steady_clock::now() - started > 30s) rest = kLook;
      if (wake.wait_for(lock, rest, [this] { return stopping; })) return;
      rest = std::min<milliseconds>(rest * 2, 5000ms);
    }
  }

  // Until the cluster answers; an old postmaster that is still shutting down may delay it.
  std::optional<Fault> wait_until_ready() {
    constexpr sql::Query kExists{"embedded.exists", "select 1 from pg_database where datname = 'courant'"};
    for (const auto give_up = steady_clock::now() + 60s; steady_clock::now() < give_up;) {
      try {
        sql::Session session(home.admin_url());
        if (session.run(kExists).empty()) session.execute_script("create database courant");
        return std::nullopt;
      } catch (const std::exception&) {  // not there yet, or another process makes the database at this moment
        std::unique_lock lock(mutex);
        wake.wait_for(lock, 50ms, [this] { return stopping; });
      }
    }
    return Fault{"PostgreSQL does not answer after 60 seconds; " + home.log + " says why"};
  }

  // Lets go, and waits for the cluster's end where nobody else uses it: then nobody holds it but, maybe, the keeper,
  // which has been waiting for that.
  void end_use() {
    users.release();
    FileLock probe;
    if (!probe.open(home.users())) return;
    const bool is_last = probe.try_take(FileLock::Mode::kExclusive) || !probe.try_take(FileLock::Mode::kShared);
    probe.release();
    FileLock keeper;
    if (!is_last || !keeper.open(home.keeper())) return;
    const auto give_up = steady_clock::now() + kKeepersLongest;
    while (!keeper.try_take(FileLock::Mode::kExclusive) && steady_clock::now() < give_up) {
      std::this_thread::sleep_for(10ms);
    }
  }
};

EmbeddedPostgres::EmbeddedPostgres(EmbeddedPostgresOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
EmbeddedPostgres::~EmbeddedPostgres() {
  stop();
}

Result<std::string> EmbeddedPostgres::join() {
  if (fs::exists(state_->home.cluster)) return start();
  return Fault{"there is no data in " + state_->options.data + ": give the server's --data, or its --database"};
}

Result<std::string> EmbeddedPostgres::start() {
  State& state = *state_;
  if (!fs::exists(std::string(kPostgresPrograms) + "/postgres")) {
    return Fault{std::string("PostgreSQL 15 is not installed in ") + kPostgresPrograms +
                 ": run scripts/setup, or give --database"};
  }
  const Result<PostgresHome> home = PostgresHome::find(state.options);
  if (!home) return home.fault();
  state.home = *home;
  if (std::optional<Fault> fault = state.prepare_folders()) return *std::move(fault);
  if (std::optional<Fault> fault = state.begin_use()) return *std::move(fault);
  if (std::optional<Fault> fault = state.make_cluster()) return *std::move(fault);
  state.supervisor = std::thread([&state] { state.supervise(); });
  if (std::optional<Fault> fault = state.wait_until_ready()) return *std::move(fault);
  return state.home.url();
}

void EmbeddedPostgres::stop() {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    state.stopping = true;
  }
  state.wake.notify_all();
  if (state.supervisor.joinable()) state.supervisor.join();
  if (state.users.file() >= 0) state.end_use();
}

}  // namespace courant::server
