#include "http/trace.h"

namespace courant::http {

std::optional<TraceContext> trace_of(const Request& request) {
  if (!request.header("traceparent")) return std::nullopt;
  // More than one traceparent, joined, is none.
  return read_trace(request.combined_header("traceparent"), request.combined_header("tracestate"));
}

std::string trace_to_keep(const Request& request) {
  const std::optional<TraceContext> trace = trace_of(request);
  return trace ? to_text(*trace) : std::string();
}

}  // namespace courant::http
