// The operator's own pages, by Pistache on loopback: the dashboard (/), which asks /status.json, /metrics for
// Prometheus, /health, and /hub where there is one. Read-only. Who comes by another Host name than localhost or an
// address is turned away, so that no web page can read them through a name of its own (DNS rebinding). Threads: one of
// Pistache's own; start and stop from one thread.
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

struct OperatorsPages {
  // Called on Pistache's thread; must not block.
  std::function<Health()> health;
  std::function<std::string()> status;  // JSON
  OperatorsPage hub;                    // null: there is none
};

class Operations {
 public:
  // metrics must outlive this.
  Operations(const Metrics& metrics, OperatorsPages pages);
  ~Operations();  // stops
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  // address: "127.0.0.1:9090". A fault where it is taken, or not on loopback, since these pages know no access control.
  // is_anywhere: the operator has said that it may be elsewhere, under any name.
  Result<bool> start(const std::string& address, bool is_anywhere = false);
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::server
