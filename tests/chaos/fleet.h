// The two servers of a chaos run and what is done to them. Server A has the private cluster and takes it along when it
// dies; server B works on the same database from outside.
// What is random is chosen from the seed; when it happens is not repeatable.
// Threads: one, which must live as long as the servers: their death signal is bound to it.
#pragma once

#include <array>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/chaos/caller.h"
#include "tests/chaos/findings.h"
#include "tests/support/process.h"

namespace courant::chaos {

class Fleet {
 public:
  // work: a folder that PostgreSQL's account may enter; data and logs go there.
  Fleet(std::string work, std::uint32_t seed, Findings& findings);
  ~Fleet();  // stops both, and kills what does not stop within 20 seconds

  Ports ports() const { return ports_; }
  // Starts both. False: they are not ready after two minutes.
  bool start();
  // Does one random thing to a server, a backend or the cluster.
  void disturb();
  // Starts again what was killed and lets go on what was stopped, where its time has come; notes who ended by itself.
  void tend();
  // The chaos is over: false, and said in the findings, where not both are ready after a minute.
  bool calm();
  // How often each thing was done: "A killed" -> 3.
  const std::map<std::string, int>& disturbances() const { return disturbances_; }

 private:
  using Clock = std::chrono::steady_clock;

  struct Server {
    std::string name;
    std::vector<std::string> arguments;
    std::string log;
    std::unique_ptr<test::Process> process = nullptr;     // null: it does not run
    std::optional<Clock::time_point> due = std::nullopt;  // to be started, or to go on where it is stopped
    bool is_stopped = false;
    int told = 0;            // the signal that it ends of; 0: it is to run
    bool was_ready = false;  // since it was started
  };

  int random(int end) { return std::uniform_int_distribution<int>(0, end - 1)(random_); }
  bool is_ready(std::size_t server);
  void launch(Server& server);
  void end(Server& server, int signal, const std::string& what);
  void stop_for_a_while(Server& server);
  void tend(Server& server);
  void signal_backend(int signal, const std::string& what);
  void hang_backend();
  void quit_cluster();
  std::optional<int> postmaster() const;
  std::vector<int> backends() const;
  bool become_ready(std::chrono::seconds patience);

  const std::string work_;
  Findings& findings_;
  std::mt19937 random_;
  const Ports ports_;
  Caller caller_;
  std::array<Server, 2> servers_;
  std::map<std::string, int> disturbances_;
};

}  // namespace courant::chaos
