// The real program on a database and a free port, ready when the constructor returns.
// Threads: one.
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <signal.h>

#include "tests/support/contents.h"
#include "tests/support/http_client.h"
#include "tests/support/patience.h"
#include "tests/support/process.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"

namespace courant::test {

class CourantServer {
 public:
  // source: {"--database", URL} or {"--data", FOLDER}, and further flags. program: another one than that under test.
  explicit CourantServer(std::vector<std::string> source, int port = free_port(),
                         std::string program = courant_program())
      : source_(std::move(source)), port_(port), program_(std::move(program)) {
    start();
  }

  int port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  Process& process() { return *process_; }
  // What it has logged since it was started last, as any other of this ctest entry.
  static std::string log() { return contents_of(scratch("courant-under-test.log")); }

  void start() {
    std::vector<std::string> arguments = {program_, "serve", "--listen", "127.0.0.1:" + std::to_string(port_)};
    const auto add_unless_given = [&](const std::string& flag, const std::string& value) {
      if (std::find(source_.begin(), source_.end(), flag) != source_.end()) return;
      arguments.insert(arguments.end(), {flag, value});
    };
    add_unless_given("--operations", "");
    add_unless_given("--access", "open");  // on loopback: what is tested is mostly something else
    add_unless_given("--config", COURANT_SOURCE_DIR "/tests/data/test.toml");
    add_unless_given("--data", scratch("courant-under-test"));
    arguments.insert(arguments.end(), source_.begin(), source_.end());
    process_ = std::make_unique<Process>(arguments, scratch("courant-under-test.log"));
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (HttpClient(port_).get("/-/health/live").status != 200) {
      if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error("courant does not start");
    }
  }

  void kill_and_restart() {
    process_->signal(SIGKILL);
    process_->wait();
    start();
  }

 private:
  const std::vector<std::string> source_;
  const int port_;
  const std::string program_;
  std::unique_ptr<Process> process_;
};

}  // namespace courant::test
