// The Prefer header field, and what it asks for in more places than one.
// Specification: RFC 7240 sections 2 and 4.3.
// Threads: pure functions.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"

namespace courant::http {

// The value of a preference in a (combined) Prefer field, unquoted; "" where it has none: of
// `respond-async, return=minimal; x=1` the value of "return" is "minimal". Of a repeated one the first counts; its
// name is compared without case. nullopt: it is not there, or stands behind what is malformed.
std::optional<std::string> preference(std::string_view field, std::string_view name);

// How long the client wants to wait, by ?wait= or else by the Prefer field (RFC 7240 section 4.3), at most `cap`;
// nullopt: not at all. Throws Problem 400.
std::optional<std::chrono::seconds> wait_preference(const Request& request, std::chrono::seconds cap);

}  // namespace courant::http
