// Whatever frames are sent to a connection of HTTP/2: answered, reset, or the connection ends; it always comes to an
// end.
#include <cstdint>

#include "tests/fuzz/connection.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string bytes(1, static_cast<char>(data[0]));
  bytes.append("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  bytes.append(reinterpret_cast<const char*>(data) + 1, size - 1);
  courant::fuzz::converse(bytes);
  return 0;
}
