// Whatever claims to be a request's head: refused as a Problem, or read into views of these bytes and a path that leads
// nowhere else.
#include "http/request_head.h"

#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  bytes.remove_prefix(courant::http::skip_empty_lines(bytes));
  const auto length = courant::http::head_length(bytes);
  if (!length) return 0;
  const std::string_view head = bytes.substr(0, *length);
  const auto is_within = [head](std::string_view view) {
    return view.empty() || (view.data() >= head.data() && view.data() + view.size() <= head.data() + head.size());
  };
  try {
    const courant::http::RequestHead read = courant::http::read_head(head);
    for (const courant::http::HeaderView& field : read.request.headers) {
      if (field.name.empty() || !is_within(field.name) || !is_within(field.value)) std::abort();
    }
    for (const std::string& segment : read.request.segments) {
      if (segment.empty() || segment == "." || segment == "..") std::abort();
    }
    if (read.framing.is_chunked && read.framing.content_length) std::abort();
  } catch (const courant::Problem&) {
  }
  return 0;
}
