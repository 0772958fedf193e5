// Whatever is sent as a Slug, or is the title of a media link entry: the header field that is made of it is one field,
// with one file name in it that is no path.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "feeds/media_name.h"
#include "kernel/text.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void try_title(std::string_view title) {
  using namespace std::string_view_literals;
  constexpr std::string_view kBegin = "attachment; filename=\"";
  const std::string field = courant::feeds::attachment_field(title);
  require(field.starts_with(kBegin));
  require(std::all_of(field.begin(), field.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  const std::size_t end = field.find('"', kBegin.size());
  require(end != std::string::npos && end > kBegin.size());
  const std::string_view name = std::string_view(field).substr(kBegin.size(), end - kBegin.size());
  require(name.find_first_of("/\\:") == std::string_view::npos && !name.starts_with('.'));
  const std::string_view rest = std::string_view(field).substr(end + 1);
  require(rest.empty() || rest.starts_with("; filename*=UTF-8''"sv));
  require(rest.find_first_of("/\\\" ", 2) == std::string_view::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const std::optional<std::string> slug = feeds::decode_slug(text)) {
    require(is_valid_utf8(*slug) && !slug->empty());
    try_title(*slug);
  }
  if (is_valid_utf8(text)) try_title(text);
  const std::string title = feeds::default_title(text);
  require(title == "media" || (title.starts_with("media.") && title.size() <= 14));
  return 0;
}
