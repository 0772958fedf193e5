// From a Response to the bytes of its head, with what every answer of ours carries.
// Specification: RFC 9112 section 4, RFC 9110 sections 6.6.1 and 8.6; Content-Security-Policy level 3.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace courant::http {

// Status line and fields as bytes, composed once for many answers (Response::head), with the security fields in it.
Bytes compose_head(int status, const std::vector<std::pair<std::string, std::string>>& headers);

struct ResponseContext {
  std::string_view date_line;  // "Date: ...\r\n"
  bool keep_alive = true;
  bool is_http10 = false;
  bool is_head = false;
};

// Appends the whole head with its empty line.
void append_head(std::string& out, const Response& response, const ResponseContext& context);

}  // namespace courant::http
