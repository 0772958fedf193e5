#include "feeds/accepting.h"

#include <algorithm>

#include "http/field_characters.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

// "Image/PNG; q=1" -> "image/png"
std::string bare(std::string_view content_type) {
  return ascii_lower(trim(split(content_type, ';').front()));
}

// Whether a media range of app:accept ("image/*") covers a type.
bool covers(std::string_view range, std::string_view type) {
  const std::string wanted = bare(range);
  if (wanted == "*/*") return true;
  if (wanted.ends_with("/*")) return type.starts_with(std::string_view(wanted).substr(0, wanted.size() - 1));
  return wanted == type;
}

// Takes a token (RFC 9110 section 5.6.2) from the front; false: there is none.
bool take_token(std::string_view& text) {
  std::size_t length = 0;
  const auto may_stand = [](char c) { return c != '*' && http::is_token_character(c); };
  while (length < text.size() && may_stand(text[length])) ++length;
  text.remove_prefix(length);
  return length > 0;
}

// Takes a quoted string of ASCII (section 5.6.4); false: there is none.
bool take_quoted(std::string_view& text) {
  if (!text.starts_with('"')) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] < 0x20 || text[i] > 0x7E) return false;
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') ++i;
  }
  return false;
}

// RFC 9110 section 8.3.1; without '*', which no type of a body has.
bool is_media_type(std::string_view text) {
  constexpr std::size_t kLongest = 255;
  text = trim(text);
  if (text.size() > kLongest || !take_token(text) || !text.starts_with('/')) return false;
  text.remove_prefix(1);
  if (!take_token(text)) return false;
  while (!(text = trim(text)).empty()) {
    if (!text.starts_with(';')) return false;
    text = trim(text.substr(1));
    if (!take_token(text)) continue;  // an empty parameter
    if (!text.starts_with('=')) return false;
    text.remove_prefix(1);
    if (!take_quoted(text) && !take_token(text)) return false;
  }
  return true;
}

}  // namespace

BodyKind body_kind(std::string_view content_type) {
  const std::string type = bare(content_type);
  if (type == kEventTypes[0]) return BodyKind::kEvent;
  if (type == kEventTypes[1]) return BodyKind::kEvents;
  const bool is_xml = type.empty() || type == "application/atom+xml" || type == "application/xml" || type == "text/xml";
  return is_xml ? BodyKind::kAtom : BodyKind::kMedia;
}

bool says_one_entry(std::string_view content_type) {
  if (body_kind(content_type) == BodyKind::kEvent) return true;
  if (bare(content_type) != "application/atom+xml") return false;
  for (const std::string_view parameter : split(content_type, ';')) {
    const std::string text = ascii_lower(trim(parameter));
    if (text == "type=entry" || text == "type=\"entry\"") return true;
  }
  return false;
}

bool takes_entries(const FeedSettings& settings) {
  return std::any_of(settings.accept.begin(), settings.accept.end(),
                     [](const std::string& range) { return covers(range, "application/atom+xml"); });
}

void require_accepted(const FeedSettings& settings, std::string_view content_type) {
  const std::string type = bare(content_type);
  const bool is_taken = body_kind(content_type) == BodyKind::kMedia
                            ? std::any_of(settings.accept.begin(), settings.accept.end(),
                                          [&type](const std::string& range) { return covers(range, type); })
                            : takes_entries(settings);
  if (is_taken && body_kind(content_type) == BodyKind::kMedia && !is_media_type(content_type)) {
    throw Problem(400, "Content-Type must be one media type, such as image/png, not " + std::string(content_type));
  }
  if (is_taken) return;
  std::string list;
  for (const std::string& range : settings.accept) list += (list.empty() ? "" : ", ") + range;
  if (list.empty()) throw Problem(415, "Nothing can be posted to this feed");
  throw Problem(415, "This feed takes " + list + ", not " + (type.empty() ? "application/atom+xml" : type));
}

void require_media_type(const FeedSettings& settings, std::string_view content_type) {
  if (body_kind(content_type) != BodyKind::kMedia) {
    throw Problem(415,
                  "A media resource is sent with its media type, such as image/png; entries are put under their own");
  }
  require_accepted(settings, content_type);
}

}  // namespace courant::feeds
