// How long a state is waited for that comes in moments unless something is broken: as long as a loaded machine may
// take, and longer for a program under a sanitizer. Threads: a constant.
#pragma once

#include <chrono>

#include "tests/support/sanitized.h"

namespace courant::test {

inline const std::chrono::seconds kPatience{is_sanitized() ? 180 : 60};

}  // namespace courant::test
