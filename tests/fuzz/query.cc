// Whatever stands behind the '?' of a feed's URL: refused as a Problem, or read into bounds that hold.
#include <cstdint>
#include <cstdlib>

#include "feeds/page.h"
#include "kernel/problem.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parameters = courant::parse_query({reinterpret_cast<const char*>(data), size});
  if (!parameters) return 0;
  try {
    const courant::feeds::PageQuery query = courant::feeds::parse_page_query(*parameters, 25);
    if (query.limit < 1 || query.limit > 1000) std::abort();
  } catch (const courant::Problem&) {
  }
  return 0;
}
