#include "http/response_bytes.h"

#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

constexpr std::string_view kHtmlPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

// Control characters in a value would start a field of the publisher's choice.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 && c != '\t' ? ' ' : c;
  out += "\r\n";
}

void append_fields(std::string& out, int status, const std::vector<std::pair<std::string, std::string>>& headers) {
  bool is_html = false;
  bool has_policy = false;
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason_phrase(status)).append("\r\n");
  for (const auto& [name, value] : headers) {
    if (equal_ignoring_case(name, "content-type")) is_html = value.starts_with("text/html");
    if (equal_ignoring_case(name, "content-security-policy")) has_policy = true;
    append_field(out, name, value);
  }
  out += "X-Content-Type-Options: nosniff\r\n";
  // What a publisher sent can never run in our origin.
  if (!has_policy) append_field(out, "Content-Security-Policy", is_html ? kHtmlPolicy : "default-src 'none'; sandbox");
}

}  // namespace

Bytes compose_head(int status, const std::vector<std::pair<std::string, std::string>>& headers) {
  std::string head;
  append_fields(head, status, headers);
  return make_bytes(std::move(head));
}

void append_head_before_date(std::string& out, const Response& response) {
  if (response.head) {
    out += *response.head;
    for (const auto& [name, value] : response.headers) append_field(out, name, value);
  } else {
    append_fields(out, response.status, response.headers);
  }
}

void append_head_after_date(std::string& out, const Response& response, const ResponseContext& context) {
  const bool may_have_body = response.status >= 200 && response.status != 204 && response.status != 304;
  if (is_stream(response)) {
    if (!context.is_http10) out += "Transfer-Encoding: chunked\r\n";
  } else if (may_have_body) {
    const std::uint64_t length = response.content_length.value_or(response.body ? response.body->size() : 0);
    out.append("Content-Length: ").append(std::to_string(length)).append("\r\n");
  }
  if (!context.keep_alive) {
    out += "Connection: close\r\n";
  } else if (context.is_http10) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
}

void append_head(std::string& out, const Response& response, std::string_view date_line,
                 const ResponseContext& context) {
  append_head_before_date(out, response);
  out += date_line;
  append_head_after_date(out, response, context);
}

}  // namespace courant::http
