// Whatever stands in a configuration file: faults, or a configuration.
#include "server/settings/config.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  courant::server::read_config({reinterpret_cast<const char*>(data), size});
  return 0;
}
