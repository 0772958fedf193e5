// Reading a request's head: a guard against everything that parsers disagree on, then Beast's parser, then the target.
// Specification: RFC 9112 sections 2.2, 3, 5, 6; RFC 9110 section 4.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "http/message.h"
#include "kernel/problem.h"

namespace courant::http {

// The length of the head in `bytes` with its empty line; nullopt: not complete yet. Empty lines before the request
// line are no part of it (see skip_empty_lines).
std::optional<std::size_t> head_length(std::string_view bytes);

// Judges a line of a header or trailer section, which has no CR, no LF and is not empty. Throws Problem 400: it is
// folded, its name is no token, its value holds a control character.
void judge_field_line(std::string_view line);

// How many bytes of CR LF stand before a request line (RFC 9112 section 2.2: SHOULD be ignored).
std::size_t skip_empty_lines(std::string_view bytes);

// What the head says of the message itself, beside the Request.
struct Framing {
  std::optional<std::uint64_t> content_length;
  bool is_chunked = false;
  bool expects_continue = false;
  bool keep_alive = true;
  bool is_http10 = false;
};

struct RequestHead {
  Request request;  // its views point into the head's bytes
  Framing framing;
  std::string authority;  // of an absolute-form target, else the Host field; may be empty in HTTP/1.0
};

// Judges a complete head. Throws Problem 400, 414, 417, 501 or 505; the connection is to be closed after it.
RequestHead read_head(std::string_view head);

}  // namespace courant::http
