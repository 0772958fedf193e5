// The operator's own pages, by Pistache on loopback: /metrics for Prometheus, /health, and /hub where there is one.
// Read-only.
// Threads: one of Pistache's own; start and stop from one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "kernel/metrics.h"
#include "kernel/result.h"

namespace courant::server {

struct Health {
  bool is_ready = false;
  std::string json;  // a document that says what is well and what is not
};

// A page that is JSON, or HTML for browsers.
using OperatorsPage = std::function<std::string(bool is_html)>;

class Operations {
 public:
  // health, hub: called on Pistache's thread; must not block. hub: null where there is none. metrics must outlive this.
  Operations(const Metrics& metrics, std::function<Health()> health, OperatorsPage hub);
  ~Operations();  // stops
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // address: "127.0.0.1:9090". A fault where it is not on loopback (these pages know no access control) or taken.
  Result<bool> start(const std::string& address);
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::server
