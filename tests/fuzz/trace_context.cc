// Whatever comes as traceparent (up to the first line's end) and tracestate (behind it): what is kept can stand in a
// field, is by the grammar of version 00, and is read back as it is, from a column as from a request.
#include "kernel/trace_context.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void require_kept(const courant::TraceContext& trace) {
  using namespace courant;
  require(trace.parent.size() == 55 && trace.parent.starts_with("00-") && trace.trace_id().size() == 32);
  require(trace.parent.ends_with("-00") || trace.parent.ends_with("-01"));
  require(trace.state.size() <= TraceContext::kMostState);
  require(std::all_of(trace.state.begin(), trace.state.end(), [](char c) { return c >= 0x20 && c < 0x7F; }));
  require(read_trace(trace.parent, trace.state) == trace);
  require(trace_from_text(to_text(trace)) == trace);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)trace_from_text(text);
  const std::string_view parent = text.substr(0, text.find('\n'));
  const std::optional<TraceContext> trace = read_trace(parent, text.substr(std::min(parent.size() + 1, size)));
  if (!trace) return 0;
  require_kept(*trace);
  const TraceContext next = continued(*trace);
  require_kept(next);
  require(next.trace_id() == trace->trace_id() && next.state == trace->state);
  return 0;
}
