// The trace that a request belongs to, from its header fields.
// Specification: W3C Trace Context sections 3.2 and 3.3; kernel/trace_context.h.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>

#include "http/message.h"
#include "kernel/trace_context.h"

namespace courant::http {

// nullopt: it names none, or not as it must; then it is as if it had named none.
std::optional<TraceContext> trace_of(const Request& request);

// As an entry keeps it that the request publishes; empty: in none.
std::string trace_to_keep(const Request& request);

}  // namespace courant::http
