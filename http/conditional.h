// Conditional requests.
// Specification: RFC 9110 sections 8.8.3 (entity tags) and 13.
// Threads: pure functions.
#pragma once

#include <string_view>

#include "http/message.h"
#include "kernel/time.h"

namespace courant::http {

// Whether an If-None-Match header lists `etag` by weak comparison, or is "*". Malformed members match nothing.
bool if_none_match_matches(std::string_view header, std::string_view etag);

// The same of a request's, which may have several lines of it: they are one list (section 5.2), and "*" stands alone.
// False: it has none.
bool if_none_match_matches(const Request& request, std::string_view etag);

// The entity tag of an answer, wherever its fields stand; empty: it has none. The view lives in the response.
std::string_view etag_of(const Response& response);

// Whether an If-Match header lists `etag` by strong comparison, or is "*". A weak tag never matches.
bool if_match_matches(std::string_view header, std::string_view etag);

// Whether the client has what was last modified at that second, by its If-Modified-Since. Where there is an
// If-None-Match, another method than GET and HEAD, more than one date, or none that is valid, the field says nothing.
bool if_modified_since_matches(const Request& request, Instant last_modified);

}  // namespace courant::http
