// Whatever stands behind the '?' of a feed's URL: refused as a Problem, or read into bounds that hold; as a topic it
// has one spelling, which is read back as itself.
#include <cstdint>
#include <cstdlib>

#include "feeds/page.h"
#include "feeds/push.h"
#include "kernel/problem.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parameters = courant::parse_query({reinterpret_cast<const char*>(data), size});
  if (!parameters) return 0;
  try {
    const courant::feeds::PageQuery query = courant::feeds::parse_page_query(*parameters, 25);
    if (query.limit < 1 || query.limit > 1000) std::abort();
  } catch (const courant::Problem&) {
  }
  // The hub takes no longer ones.
  if (size > 2048) return 0;
  std::string canonical;
  try {
    canonical = courant::feeds::parse_push_view(*parameters, 25).canonical;
  } catch (const courant::Problem&) {
    return 0;
  }
  const auto again = courant::parse_query(std::string_view(canonical).substr(canonical.empty() ? 0 : 1));
  if (!again || courant::feeds::parse_push_view(*again, 25).canonical != canonical) std::abort();
  return 0;
}
