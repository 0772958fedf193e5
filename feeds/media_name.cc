#include "feeds/media_name.h"

#include <algorithm>

#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

constexpr std::size_t kLongestSlug = 1024;  // bytes, decoded
constexpr std::size_t kLongestFileName = 120;
constexpr std::size_t kLongestExtension = 8;
constexpr std::string_view kNameless = "media";

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Without what file systems and shells take for something else, and without dots at its ends.
std::string file_name(std::string_view title) {
  std::string name(trim(title));
  for (char& c : name) {
    const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    if (is_control || std::string_view("/\\:*?\"<>|%").find(c) != std::string_view::npos) c = '_';
  }
  if (name.size() > kLongestFileName) {
    std::size_t end = kLongestFileName;
    while (end > 0 && is_continuation(name[end])) --end;
    name.resize(end);
  }
  const std::size_t first = name.find_first_not_of(". ");
  if (first == std::string::npos) return std::string(kNameless);
  return name.substr(first, name.find_last_not_of(". ") + 1 - first);
}

}  // namespace

std::optional<std::string> decode_slug(std::string_view field) {
  const std::optional<std::string> decoded = percent_decode(field);
  if (!decoded || decoded->size() > kLongestSlug || !is_valid_utf8(*decoded)) return std::nullopt;
  std::string text(trim(*decoded));
  return text.empty() ? std::nullopt : std::optional(std::move(text));
}

std::string default_title(std::string_view media_type) {
  const std::string type = ascii_lower(trim(split(media_type, ';').front()));
  const std::string extension = type.substr(type.find('/') + 1);
  const bool is_plain = extension.size() <= kLongestExtension &&
                        extension.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789") == std::string::npos;
  return std::string(kNameless) + (is_plain ? "." + extension : "");
}

std::string attachment_field(std::string_view title) {
  const std::string name = file_name(title);
  std::string plain;
  for (const char c : name) {
    if (!is_continuation(c)) plain += is_ascii(c) ? c : '_';
  }
  std::string field = "attachment; filename=\"" + plain + "\"";
  if (plain != name) field += "; filename*=UTF-8''" + percent_encode(name);
  return field;
}

}  // namespace courant::feeds
