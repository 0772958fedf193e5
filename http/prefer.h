// The Prefer header field.
// Specification: RFC 7240 section 2.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace courant::http {

// The value of a preference in a (combined) Prefer field, unquoted; "" where it has none: of
// `respond-async, return=minimal; x=1` the value of "return" is "minimal". Of a repeated one the first counts; its
// name is compared without case. nullopt: it is not there, or stands behind what is malformed.
std::optional<std::string> preference(std::string_view field, std::string_view name);

}  // namespace courant::http
