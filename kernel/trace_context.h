// Which distributed trace something belongs to: as a request says it, as it is kept, and as it goes on.
// Specification: W3C Trace Context (Recommendation of 23 November 2021) sections 3.2 to 3.5; version 00.
// Threads: pure functions; random bytes may be asked for from any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace courant {

struct TraceContext {
  // What is kept of a tracestate: whole list members, those longer than 128 characters dropped first, then the last
  // ones (section 3.3.1.5).
  static constexpr std::size_t kMostState = 512;

  std::string parent;  // a traceparent of version 00: "00-" trace-id "-" parent-id "-" trace-flags
  std::string state;   // a tracestate; empty: there is none

  std::string_view trace_id() const { return std::string_view(parent).substr(3, 32); }
  bool operator==(const TraceContext&) const = default;
};

// From the values of the two fields, each combined where it came more than once. nullopt: traceparent is not by the
// grammar, so that there is no trace, whatever tracestate says. A tracestate that is not by the grammar is left out.
// Higher versions are read as section 3.2.4 says; flags other than `sampled` are taken off.
std::optional<TraceContext> read_trace(std::string_view traceparent, std::string_view tracestate);

// Of what is done because of it: the same trace and state, under a new random parent-id.
TraceContext continued(const TraceContext& trace);

// As one text, for a column; nullopt: the text is none.
std::string to_text(const TraceContext& trace);
std::optional<TraceContext> trace_from_text(std::string_view text);

}  // namespace courant
