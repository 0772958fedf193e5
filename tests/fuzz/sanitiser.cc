// Whatever a publisher sends as HTML: what is written of it is markup by the rules of tests/support/safe_markup.h, and
// the sanitiser leaves what it has written as it is.
#include "xslt/sanitiser.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "kernel/text.h"
#include "tests/support/safe_markup.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant;
  const std::string_view html(reinterpret_cast<const char*>(data), size);
  if (!is_valid_utf8(html)) return 0;  // the door takes no other
  const std::string safe = xslt::sanitised_html(html);
  if (const std::optional<std::string> fault = test::SafeMarkup::fault_of(safe)) {
    std::fprintf(stderr, "%s in: %s\n", fault->c_str(), safe.c_str());
    std::abort();
  }
  if (!is_valid_utf8(safe)) std::abort();
  (void)xslt::text_of_html(html);
  return 0;
}
