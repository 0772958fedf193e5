// Whatever is sent to a connection of HTTP/1.1: answered, or the connection ends; whatever is said is HTTP/1.1.
#include <cstdint>
#include <cstdlib>

#include "tests/fuzz/connection.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string said = courant::fuzz::converse({reinterpret_cast<const char*>(data), size});
  const bool is_http2 = size > 1 && data[1] == 'P' && said.starts_with(std::string_view("\0\0", 2));
  if (!said.empty() && !is_http2 && !said.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
