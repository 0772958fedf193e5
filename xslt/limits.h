// How much one transformation may take. What takes more is stopped.
// Threads: a plain value.
#pragma once

#include <chrono>
#include <cstddef>

namespace courant::xslt {

struct Limits {
  std::chrono::milliseconds time{1000};  // of the processor
  int depth = 500;                       // of templates and instructions within each other: endless recursion
  std::size_t memory = 64 << 20;         // bytes of the nodes and texts that it makes
  std::size_t output = 16 << 20;         // bytes of what comes out
};

}  // namespace courant::xslt
