// Heads between the two versions of HTTP: a request's fields as HTTP/1.1 bytes, and an answer's HTTP/1.1 bytes as
// fields. Specification: RFC 9113 section 8. Threads: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nghttp2/nghttp2.h>

namespace courant::http {

// Puts a request's head together from its fields in the order they came.
class Http2RequestHead {
 public:
  void add(std::string_view name, std::string_view value);
  std::size_t size() const { return fields_.size() + method_.size() + path_.size() + authority_.size(); }

  // "GET /path HTTP/1.1\r\nhost: ...\r\n...\r\n\r\n"; nothing may be added after it.
  std::string take();

 private:
  std::string method_;
  std::string path_;
  std::string authority_;
  std::string fields_;
};

// The fields of an answer's head. What only HTTP/1.1 says (Connection, Transfer-Encoding) is left out.
class Http2ResponseHead {
 public:
  // head: with its status line and empty line.
  explicit Http2ResponseHead(std::string_view head);

  const std::vector<nghttp2_nv>& fields() const { return fields_; }  // live as long as this

 private:
  std::string bytes_;
  std::vector<nghttp2_nv> fields_;
};

}  // namespace courant::http
