// What a media resource is called: the title of its entry, which its publisher suggests by the Slug field, and the name
// of the file that a browser stores.
// Specification: RFC 5023 section 9.7 (Slug); RFC 6266 (Content-Disposition), RFC 8187 (filename*).
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace courant::feeds {

// A Slug field's text: percent-encoded UTF-8. nullopt: it is none, empty or too long; a server may ignore it.
std::optional<std::string> decode_slug(std::string_view field);

// The title where no Slug says one: "media.png" for image/png.
std::string default_title(std::string_view media_type);

// "attachment; filename=...": no path, no characters that mean something to a file system or a header.
std::string attachment_field(std::string_view title);

}  // namespace courant::feeds
