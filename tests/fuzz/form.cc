// Whatever is posted to the hub: refused as a Problem, or read.
#include "hub/form.h"

#include <cstdint>

#include "kernel/problem.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    courant::hub::parse_form({reinterpret_cast<const char*>(data), size}, true);
  } catch (const courant::Problem&) {
  }
  return 0;
}
