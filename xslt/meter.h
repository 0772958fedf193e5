// What a transformation uses while it runs. libxml2 and libxslt get their memory through functions of ours, which count
// for the thread that asks; there the clock is looked at as well, since nothing goes on for long without memory.
// Where a bound is passed, the transformation is told to stop: every instruction and every step of an expression looks
// at what it is told.
// Threads: a Meter belongs to the thread that made it, one at a time.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include <libxslt/xsltInternals.h>

#include "kernel/watched_heap.h"
#include "xslt/limits.h"

namespace courant::xslt {

class Meter final : private HeapWatch {
 public:
  // Counts from here on. context: outlives this.
  Meter(const Limits& limits, xsltTransformContext* context);
  ~Meter();
  Meter(const Meter&) = delete;
  Meter& operator=(const Meter&) = delete;

  // Which bound was passed: "it took more than 1s of the processor"; empty: none.
  const std::string& breach() const { return breach_; }

 private:
  bool grants(std::size_t bytes) override;
  void took(void* block, std::size_t bytes) override;
  void gave(void*, std::size_t bytes) override { held_ -= static_cast<std::int64_t>(bytes); }

  void look_at_clock();
  void stop(std::string why);

  const Limits limits_;
  xsltTransformContext* const context_;
  const std::chrono::nanoseconds begun_;
  std::int64_t held_ = 0;  // bytes; what was there before is freed on this account, too
  unsigned asked_ = 0;
  std::string breach_;
};

}  // namespace courant::xslt
