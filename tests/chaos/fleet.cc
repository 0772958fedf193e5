#include "tests/chaos/fleet.h"

#include <fstream>
#include <sstream>

#include <signal.h>

#include "tests/chaos/program.h"
#include "tests/support/contents.h"
#include "tests/support/program.h"
#include "tests/support/wait_until.h"

namespace courant::chaos {
namespace {

using namespace std::chrono_literals;

}  // namespace

Fleet::Fleet(std::string work, std::uint32_t seed, Findings& findings)
    : work_(std::move(work)),
      findings_(findings),
      random_(seed),
      ports_{test::free_port(), test::free_port()},
      caller_(ports_, 2s) {
  const std::string public_url = "http://127.0.0.1:" + std::to_string(ports_[0]);
  const std::string database = database_in(work_);
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const std::string name = i == 0 ? "A" : "B";
    servers_[i].name = name;
    servers_[i].log = work_ + "/server-" + name + ".log";
    servers_[i].arguments = {
        test::courant_program(), "serve",    "--listen", "127.0.0.1:" + std::to_string(ports_[i]),
        "--operations",          "",         "--access", "open",
        "--public-url",          public_url, "--config", COURANT_SOURCE_DIR "/tests/chaos/chaos.toml"};
    // Both find the key of subscribers' secrets there; only A has the cluster.
    servers_[i].arguments.insert(servers_[i].arguments.end(), {"--data", work_ + "/data"});
    if (i == 1) servers_[i].arguments.insert(servers_[i].arguments.end(), {"--database", database});
  }
}

// In good order, so that the cluster is gone when the folder is: it ends with server A.
Fleet::~Fleet() {
  for (const int backend : backends()) ::kill(backend, SIGCONT);  // held, it would hold up the cluster's end
  const auto give_up = Clock::now() + test::kPatience;
  for (Server& server : servers_) {
    if (!server.process) continue;
    server.process->signal(SIGCONT);
    server.process->signal(SIGTERM);
    test::wait_until([&server] { return server.process->ended(); }, give_up - Clock::now(), kPause);
  }
}

bool Fleet::start() {
  for (Server& server : servers_) {
    launch(server);
    if (!become_ready(60s)) return false;
  }
  // Before it recovers PostgreSQL syncs every file by itself, for seconds in which nothing can be disturbed.
  std::ofstream(work_ + "/data/postgres/cluster/postgresql.auto.conf", std::ios::app)
      << "recovery_init_sync_method = syncfs\n";
  return true;
}

void Fleet::launch(Server& server) {
  server.process = std::make_unique<test::Process>(server.arguments, server.log);
  server.due.reset();
  server.is_stopped = server.was_ready = false;
  server.told = 0;
}

bool Fleet::is_ready(std::size_t server) {
  const std::optional<test::Reply> reply = caller_.ask(static_cast<int>(server), {"GET", "/-/health/ready"});
  return reply && reply->status == 200;
}

// All that were ever started.
bool Fleet::become_ready(std::chrono::seconds patience) {
  const auto give_up = Clock::now() + patience;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const auto is_well = [this, i] {
      if ((!servers_[i].process && !servers_[i].due) || (servers_[i].told == 0 && is_ready(i))) return true;
      tend();
      return false;
    };
    if (!test::wait_until(is_well, give_up - Clock::now(), 50ms)) return false;
  }
  return true;
}

void Fleet::disturb() {
  const int what = random(100);
  Server& server = servers_[static_cast<std::size_t>(random(2))];
  if (what < 25) {
    signal_backend(SIGTERM, "backend ended");
  } else if (what < 35) {
    signal_backend(SIGKILL, "backend killed");
  } else if (what < 45) {
    hang_backend();
  } else if (what < 55) {
    quit_cluster();
  } else if (what < 75) {
    end(server, SIGKILL, " killed");
  } else if (what < 85) {
    end(server, SIGTERM, " told to stop");
  } else {
    stop_for_a_while(server);
  }
}

void Fleet::end(Server& server, int signal, const std::string& what) {
  if (!server.process || server.told != 0) return;
  ++disturbances_[server.name + what];
  server.told = signal;
  if (server.is_stopped && signal != SIGKILL) server.process->signal(SIGCONT);
  server.is_stopped = false;
  server.process->signal(signal);
  server.due = Clock::now() + std::chrono::milliseconds(random(2000));
}

void Fleet::stop_for_a_while(Server& server) {
  if (!server.process || server.told != 0 || server.is_stopped) return;
  ++disturbances_[server.name + " held"];
  server.process->signal(SIGSTOP);
  server.is_stopped = true;
  server.due = Clock::now() + std::chrono::milliseconds(500 + random(6000));
}

void Fleet::tend() {
  for (Server& server : servers_) tend(server);
}

void Fleet::tend(Server& server) {
  if (server.process) {
    const std::size_t number = static_cast<std::size_t>(&server - servers_.data());
    if (!server.was_ready && !server.is_stopped && server.told == 0) server.was_ready = is_ready(number);
    if (const std::optional<int> status = server.process->ended()) {
      // A start may fail where the database is away; whoever keeps the servers running starts it again.
      const bool may_end = server.told != 0 ? *status == 0 || *status == 1 || *status == 128 + server.told
                                            : *status == 1 && !server.was_ready;
      if (!may_end) {
        findings_.add("server " + server.name + (server.told != 0 ? " ended" : " ended by itself") + " with status " +
                      std::to_string(*status) + ", see " + server.log);
      }
      if (server.told == 0) ++disturbances_[server.name + " could not start"];
      server.process.reset();
      server.is_stopped = false;
      if (!server.due) server.due = Clock::now() + 500ms;
    }
  }
  if (!server.due || Clock::now() < *server.due) return;
  if (server.process && server.is_stopped) {
    server.process->signal(SIGCONT);
    server.is_stopped = false;
    server.due.reset();
  } else if (!server.process) {
    launch(server);
  }
}

std::optional<int> Fleet::postmaster() const {
  int pid = 0;
  std::ifstream(work_ + "/data/postgres/cluster/postmaster.pid") >> pid;
  if (pid <= 1 || test::contents_of("/proc/" + std::to_string(pid) + "/cmdline").find(work_) == std::string::npos) {
    return std::nullopt;
  }
  return pid;
}

// The processes that serve a connection; the others of the cluster are not told apart from the whole.
std::vector<int> Fleet::backends() const {
  const std::optional<int> parent = postmaster();
  if (!parent) return {};
  const std::string folder = "/proc/" + std::to_string(*parent) + "/task/" + std::to_string(*parent);
  std::ifstream children(folder + "/children");
  std::vector<int> found;
  for (int child = 0; children >> child;) {
    if (test::contents_of("/proc/" + std::to_string(child) + "/cmdline").find("[local]") != std::string::npos) {
      found.push_back(child);
    }
  }
  return found;
}

void Fleet::signal_backend(int signal, const std::string& what) {
  const std::vector<int> all = backends();
  if (all.empty()) return;
  ++disturbances_[what];
  ::kill(all[static_cast<std::size_t>(random(static_cast<int>(all.size())))], signal);
}

// The shell that wakes it again outlives this program: a cluster with a hanging backend never ends.
void Fleet::hang_backend() {
  const std::vector<int> all = backends();
  if (all.empty()) return;
  ++disturbances_["backend held"];
  const std::string backend = std::to_string(all[static_cast<std::size_t>(random(static_cast<int>(all.size())))]);
  const std::string script =
      "(kill -STOP " + backend + "; sleep " + std::to_string(1 + random(4)) + "; kill -CONT " + backend + ") &";
  test::Process({"/bin/sh", "-c", script}, work_ + "/shells.log").wait();
}

void Fleet::quit_cluster() {
  const std::optional<int> pid = postmaster();
  if (!pid) return;
  ++disturbances_["cluster quit"];
  ::kill(*pid, SIGQUIT);
}

bool Fleet::calm() {
  for (Server& server : servers_) {
    if (server.due) server.due = Clock::now();
  }
  tend();
  if (become_ready(60s)) return true;
  findings_.add("a server is not ready a minute after the last disturbance");
  return false;
}

}  // namespace courant::chaos
