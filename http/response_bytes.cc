#include "http/response_bytes.h"

#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

constexpr std::string_view kHtmlPolicy =
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

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
  // What a publisher sent can never run in our origin. A 304 changes the fields of what a browser has stored (RFC 9111
  // section 3.2), which has the right policy already.
  if (!has_policy && status != 304)
    append_field(out, "Content-Security-Policy", is_html ? kHtmlPolicy : "default-src 'none'; sandbox");
}

constexpr std::string_view kCacheControl = "Cache-Control";
constexpr std::string_view kVary = "Vary";

// "public, max-age=9, immutable" becomes "private, max-age=9, immutable".
std::string private_directives(std::string_view directives) {
  std::string out = "private";
  for (const std::string_view piece : split(directives, ',')) {
    const std::string_view directive = trim(piece);
    if (directive.empty() || directive == "public" || directive == "private") continue;
    out.append(", ").append(directive);
  }
  return out;
}

// A value of Vary with one name more.
std::string vary_with(std::string_view name, std::string_view names) {
  for (const std::string_view piece : split(names, ',')) {
    if (trim(piece) == "*" || equal_ignoring_case(trim(piece), name)) return std::string(names);
  }
  return std::string(names) + (names.empty() ? "" : ", ") + std::string(name);
}

// Puts what `change` makes of a field's value in its place, in a composed head; false: there is no such field.
template <class Change>
bool change_composed(std::string& head, std::string_view name, Change change) {
  const std::string begin = "\r\n" + std::string(name) + ": ";
  const std::size_t field = head.find(begin);
  if (field == std::string::npos) return false;
  const std::size_t value = field + begin.size();
  const std::size_t end = head.find("\r\n", value);
  head.replace(value, end - value, change(std::string_view(head).substr(value, end - value)));
  return true;
}

// The same for what is not composed yet.
template <class Change>
bool change_field(Response& response, std::string_view name, Change change) {
  for (auto& [its_name, value] : response.headers) {
    if (!equal_ignoring_case(its_name, name)) continue;
    value = change(std::string_view(value));
    return true;
  }
  return false;
}

// The field as `change` makes it of what it says, wherever that stands; of nothing where it is not there.
template <class Change>
void change_head(Response& response, std::string_view name, Change change) {
  if (response.head) {
    std::string head = *response.head;
    if (change_composed(head, name, change)) {
      response.head = make_bytes(std::move(head));
      return;
    }
  }
  if (!change_field(response, name, change)) response.with(std::string(name), change(std::string_view()));
}

}  // namespace

void vary_by_credentials(Response& response) {
  change_head(response, kVary, [](std::string_view names) { return vary_with("Authorization", names); });
}

void vary_by_origin(Response& response) {
  change_head(response, kVary, [](std::string_view names) { return vary_with("Origin", names); });
}

void make_private(Response& response) {
  change_head(response, kCacheControl, private_directives);
  vary_by_credentials(response);
}

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
