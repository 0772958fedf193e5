// The one place where a Problem becomes a response.
// Specification: RFC 9457 (application/problem+json); the Atom Hopper error element for clients that accept XML and
// not JSON; a small page for browsers.
// Threads: pure functions.
#pragma once

#include "http/message.h"
#include "kernel/problem.h"

namespace courant::http {

Response reply_to(const Problem& problem, const Request& request);

}  // namespace courant::http
