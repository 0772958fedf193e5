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
  bool keep_alive = true;
  bool is_http10 = false;
};

// Whether its length is not known: it is sent in chunks, to HTTP/1.0 until the connection closes.
inline bool is_stream(const Response& response) {
  return response.more && !response.content_length;
}

// The head in two parts with its empty line, between which the Date field goes.
void append_head_before_date(std::string& out, const Response& response);
void append_head_after_date(std::string& out, const Response& response, const ResponseContext& context);

// The whole of it. date_line: with its end.
void append_head(std::string& out, const Response& response, std::string_view date_line,
                 const ResponseContext& context);

// The answer is for whoever sent these credentials, and no cache may give it to another (RFC 9111 sections 3.5, 4.1,
// 5.2.2.7): `private` and what Cache-Control said before, but `public`; and Vary says Authorization.
void make_private(Response& response);

// The same URL may be answered otherwise to others: Vary says Authorization.
void vary_by_credentials(Response& response);
// The same of pages of other origins: Vary says Origin.
void vary_by_origin(Response& response);

}  // namespace courant::http
