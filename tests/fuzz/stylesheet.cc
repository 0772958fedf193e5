// Any stylesheet, applied to an entry: it is not compiled, or it ends within its bounds.
#include "xslt/stylesheet.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant::xslt;
  constexpr std::string_view kEntry =
      "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:1</id><title>t</title><category term='a' scheme='s'/>"
      "<content type='application/xml'><event xmlns='urn:example:event' tenant='7'><size>3</size></event></content>"
      "</entry>";
  constexpr Limits kLimits{.time = std::chrono::milliseconds(100), .depth = 100, .memory = 1 << 20, .output = 100'000};
  const auto compiled = Stylesheet::compile({reinterpret_cast<const char*>(data), size});
  if (!compiled) return 0;
  const Transformation ended = compiled->transform(kEntry, {{"feed", "f"}, {"time", "it's \"now\""}}, kLimits);
  if (ended.end == Transformation::End::kDone && ended.text.size() > kLimits.output) std::abort();
  return 0;
}
