#include "http/request_head.h"

#include <array>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "http/field_characters.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t kMaxTarget = 8 * 1024;

[[noreturn]] void refuse(std::string detail) {
  throw Problem(400, std::move(detail));
}

// Shapes that one parser takes and another refuses are how requests are smuggled: they end here.
void guard(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\0') refuse("The header block holds a NUL");
    if (c == '\r' && (i + 1 == head.size() || head[i + 1] != '\n')) refuse("The header block holds a bare CR");
    if (c == '\n' && (i == 0 || head[i - 1] != '\r')) refuse("The header block holds a bare LF");
  }
  head.remove_prefix(head.find('\n') + 1);
  while (!head.starts_with("\r\n")) {
    const std::string_view line = head.substr(0, head.find('\r'));
    judge_field_line(line);
    head.remove_prefix(line.size() + 2);
  }
}

Method method_of(std::string_view text) {
  if (text == "GET") return Method::kGet;
  if (text == "HEAD") return Method::kHead;
  if (text == "POST") return Method::kPost;
  if (text == "PUT") return Method::kPut;
  if (text == "DELETE") return Method::kDelete;
  if (text == "OPTIONS") return Method::kOptions;
  return Method::kOther;
}

// "GET /path HTTP/1.1": exactly two single spaces.
struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

RequestLine split_request_line(std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0) refuse("The request line is malformed");
  RequestLine parts{line.substr(0, first), line.substr(first + 1, last - first - 1), line.substr(last + 1)};
  for (const char c : parts.method) {
    if (!is_token_character(c)) refuse("The request method is no token");
  }
  if (parts.target.empty() || parts.target.find(' ') != std::string_view::npos)
    refuse("The request target is malformed");
  if (parts.target.size() > kMaxTarget) throw Problem(414, "The request target is longer than 8192 bytes");
  if (parts.version != "HTTP/1.1" && parts.version != "HTTP/1.0") {
    if (parts.version.starts_with("HTTP/")) throw Problem(505, "This server speaks HTTP/1.1");
    refuse("The request line ends with no HTTP version");
  }
  return parts;
}

// Cuts the target into path and query; an absolute form gives its authority as well.
void read_target(std::string_view target, RequestHead& out) {
  if (target == "*" && out.request.method == Method::kOptions) target = "/";
  if (!target.starts_with('/')) {
    const std::size_t scheme = target.find("://");
    const std::string_view name = target.substr(0, scheme == std::string_view::npos ? 0 : scheme);
    if (!equal_ignoring_case(name, "http") && !equal_ignoring_case(name, "https"))
      refuse("The request target is malformed");
    target.remove_prefix(scheme + 3);
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    out.authority = target.substr(0, end);
    if (out.authority.empty()) refuse("The request target has no host");
    target.remove_prefix(end);
    if (target.empty()) target = "/";
  }
  const std::size_t mark = target.find('?');
  out.request.path = target.substr(0, mark);
  if (mark != std::string_view::npos) out.request.query = target.substr(mark + 1);
  if (out.request.path.empty()) out.request.path = "/";
}

void read_segments(Request& request) {
  for (const char c : request.path) {
    if (c == '#' || static_cast<unsigned char>(c) <= 0x20 || c == 0x7F)
      refuse("The path holds a character that no path may have");
  }
  for (const std::string_view piece : split(request.path.substr(1), '/')) {
    std::optional<std::string> segment = percent_decode(piece);
    if (!segment) refuse("The path holds a '%' that no two hexadecimal digits follow");
    if (*segment == "." || *segment == "..") refuse("The path holds a '.' or '..' segment");
    if (segment->find('\0') != std::string::npos || !is_valid_utf8(*segment))
      refuse("The path is not UTF-8, or holds NUL");
    request.segments.push_back(*std::move(segment));
  }
  // A trailing slash is the same resource.
  if (!request.segments.empty() && request.segments.back().empty()) request.segments.pop_back();
  for (const std::string& segment : request.segments) {
    if (segment.empty()) refuse("The path holds an empty segment");
  }
}

void read_framing(const Request& request, Framing& framing) {
  int lengths = 0;
  int codings = 0;
  for (const HeaderView& field : request.headers) {
    if (equal_ignoring_case(field.name, "content-length")) {
      const std::optional<std::uint64_t> length = parse_unsigned(field.value);
      if (!length || ++lengths > 1) refuse("Content-Length is malformed or repeated");
      framing.content_length = length;
    } else if (equal_ignoring_case(field.name, "transfer-encoding")) {
      if (!equal_ignoring_case(field.value, "chunked") || ++codings > 1) {
        refuse("Transfer-Encoding may only be 'chunked', once");
      }
      framing.is_chunked = true;
    } else if (equal_ignoring_case(field.name, "expect")) {
      if (!equal_ignoring_case(field.value, "100-continue")) throw Problem(417, "Only 100-continue can be expected");
      framing.expects_continue = !framing.is_http10;
    }
  }
  if (lengths > 0 && codings > 0) refuse("Content-Length and Transfer-Encoding cannot be used together");
  if (framing.is_http10 && codings > 0) refuse("Transfer-Encoding cannot be used in HTTP/1.0");
  bool says_close = false;
  bool says_keep = false;
  const std::string connection = request.combined_header("connection");
  for (const std::string_view piece : split(connection, ',')) {
    says_close = says_close || equal_ignoring_case(trim(piece), "close");
    says_keep = says_keep || equal_ignoring_case(trim(piece), "keep-alive");
  }
  framing.keep_alive = !says_close && (!framing.is_http10 || says_keep);
}

// uri-host [ ":" port ], as RFC 9110 section 7.2 has it. What is more than that, somebody else reads differently.
bool is_authority(const std::string& text) {
  return text.find_first_of("@/?#") == std::string::npos && parse_uri("http://" + text).has_value();
}

void read_host(RequestHead& out) {
  int hosts = 0;
  for (const HeaderView& field : out.request.headers) {
    if (!equal_ignoring_case(field.name, "host")) continue;
    ++hosts;
    // The authority of an absolute target wins over Host (RFC 9112 section 3.2.2).
    if (out.authority.empty()) out.authority = field.value;
  }
  if (hosts > 1) refuse("Host is given more than once");
  if (hosts == 0 && !out.framing.is_http10) refuse("Host is missing");
  if (!is_authority(out.authority)) refuse("Host, or the host of the request target, is malformed");
}

// The fields by Beast's parser, then as views into the head itself, which the caller keeps.
void read_fields(std::string_view head, Request& request) {
  beast_http::request_parser<beast_http::empty_body> parser;
  parser.header_limit(static_cast<std::uint32_t>(head.size()) + 1);
  parser.body_limit(boost::none);
  parser.skip(true);
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(head.data(), head.size()), error);
  if (error && error != beast_http::error::need_more) refuse("The header block is malformed: " + error.message());
  if (!parser.is_header_done()) refuse("The header block is malformed");
  const char* const begin = head.data();
  request.headers.reserve(8);
  std::string_view rest = head.substr(head.find('\n') + 1);
  for ([[maybe_unused]] const auto& field : parser.get()) {
    const std::string_view line = rest.substr(0, rest.find('\r'));
    const std::size_t colon = line.find(':');
    request.headers.push_back({line.substr(0, colon), trim(line.substr(colon + 1))});
    rest.remove_prefix(line.size() + 2);
  }
  if (rest.data() < begin) refuse("The header block is malformed");
}

}  // namespace

void judge_field_line(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') refuse("A header field is folded over lines");
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) refuse("A header line has no field name");
  for (const char c : line.substr(0, colon)) {
    if (!is_token_character(c)) refuse("A header field's name holds a character that no name may have");
  }
  for (const char c : line.substr(colon + 1)) {
    if (!is_value_character(c)) refuse("A header field's value holds a control character");
  }
}

std::size_t skip_empty_lines(std::string_view bytes) {
  std::size_t skipped = 0;
  while (bytes.substr(skipped).starts_with("\r\n")) skipped += 2;
  return skipped;
}

std::optional<std::size_t> head_length(std::string_view bytes) {
  // Where a bare LF stands in place of CR LF, the head counts as complete too: the guard refuses it, nobody waits.
  const std::size_t end = bytes.find("\n\r\n");
  const std::size_t bare = bytes.substr(0, end).find("\n\n");
  if (bare != std::string_view::npos) return bare + 2;
  if (end == std::string_view::npos) return std::nullopt;
  return end + 3;
}

RequestHead read_head(std::string_view head) {
  guard(head);
  RequestHead out;
  const RequestLine line = split_request_line(head);
  out.framing.is_http10 = line.version == "HTTP/1.0";
  out.request.method_text = line.method;
  out.request.method = method_of(line.method);
  read_target(line.target, out);
  read_segments(out.request);
  read_fields(head, out.request);
  read_framing(out.request, out.framing);
  read_host(out);
  return out;
}

}  // namespace courant::http
