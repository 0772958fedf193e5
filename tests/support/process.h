// A program under test: started with arguments, its output kept in a file, killed with everything it started.
// Threads: one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace courant::test {

class Process {
 public:
  // output: a file that standard output and error are appended to.
  Process(const std::vector<std::string>& arguments, const std::string& output);
  ~Process();  // SIGKILL, where it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number);
  pid_t id() const { return child_; }
  int wait();                  // the exit status, or 128 + the signal's number
  std::optional<int> ended();  // the same where it has ended already; nullopt: it runs

 private:
  pid_t child_;
};

// The processes that a process has started and that still run.
std::vector<pid_t> children_of(pid_t process);

// A TCP port on loopback that nobody uses at this moment, and that no other test is given as long as this process
// lives.
int free_port();

}  // namespace courant::test
