// Whatever stands in a file that is said to be Atom Hopper's configuration: a fault, or TOML with settings that there
// are. A value that we do not take may stand in it: the command says so.
#include "server/commands/import_config.h"

#include <cstdint>
#include <cstdlib>

#include "server/settings/config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant::server;
  const auto converted = convert_atom_hopper_config({reinterpret_cast<const char*>(data), size});
  if (!converted) return 0;
  for (const courant::Fault& fault : read_config(converted->toml).faults) {
    if (fault.detail.starts_with("this is not TOML") || fault.detail.starts_with("there is no ")) std::abort();
  }
  return 0;
}
