#include "feeds/accepting.h"

#include <algorithm>

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

}  // namespace

BodyKind body_kind(std::string_view content_type) {
  const std::string type = bare(content_type);
  if (type == kEventTypes[0]) return BodyKind::kEvent;
  if (type == kEventTypes[1]) return BodyKind::kEvents;
  const bool is_xml = type.empty() || type == "application/atom+xml" || type == "application/xml" || type == "text/xml";
  return is_xml ? BodyKind::kAtom : BodyKind::kMedia;
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
  if (is_taken) return;
  std::string list;
  for (const std::string& range : settings.accept) list += (list.empty() ? "" : ", ") + range;
  if (list.empty()) throw Problem(415, "Nothing can be posted to this feed");
  throw Problem(415, "This feed takes " + list + ", not " + (type.empty() ? "application/atom+xml" : type));
}

}  // namespace courant::feeds
