// Choosing a representation and a content coding.
// Specification: RFC 9110 section 12 (Accept, Accept-Encoding with q-values).
// Threads: pure functions.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace courant::http {

// The index of the best of `offered` (media types without parameters, in the server's order of preference) for an
// Accept header; an empty header accepts everything. nullopt: none is acceptable.
std::optional<std::size_t> choose_media_type(std::string_view accept, const std::vector<std::string_view>& offered);

// Whether an Accept-Encoding header prefers gzip to identity ("gzip", "x-gzip" and "*" with q > 0).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace courant::http
