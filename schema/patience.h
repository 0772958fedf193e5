// How long it may take to judge one document, and what becomes of one that takes longer. Grammars are ambiguous,
// patterns even more so, and libxml2 tries all ways.
// Threads: plain values.
#pragma once

#include <chrono>
#include <exception>

namespace courant::schema {

struct Patience {
  std::chrono::milliseconds time{1000};  // of the processor, for a grammar
  unsigned long steps = 1'000'000;       // of XPath, for an assertion
  // Where it ends, OutOfPatience is thrown and nothing is said of the document: it is judged again elsewhere, with
  // more. Otherwise the document is refused.
  bool is_first_try = false;
};

// What a thread may do between two other things: an entry of common length takes a tenth of it.
inline constexpr Patience kFirstTry{std::chrono::milliseconds(1), 1000, true};

struct OutOfPatience : std::exception {
  const char* what() const noexcept override { return "a first try has taken too long"; }
};

}  // namespace courant::schema
