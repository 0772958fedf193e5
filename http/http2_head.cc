#include "http/http2_head.h"

#include "kernel/text.h"

namespace courant::http {
namespace {

nghttp2_nv field(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace

void Http2RequestHead::add(std::string_view name, std::string_view value) {
  if (name == ":method") {
    method_ = value;
  } else if (name == ":path") {
    path_ = value;
  } else if (name == ":authority") {
    authority_ = value;
  } else if (name.starts_with(':')) {
    return;  // :scheme tells nothing that we would act on
  } else if (name != "host" || value != authority_) {
    // A Host that contradicts :authority stays, and makes two of them: 400 (RFC 9113 section 8.3.1).
    fields_.append(name).append(": ").append(value).append("\r\n");
  }
}

std::string Http2RequestHead::take() {
  std::string head = std::move(method_);
  head.reserve(head.size() + path_.size() + authority_.size() + fields_.size() + 32);
  head.append(" ").append(path_).append(" HTTP/1.1\r\n");
  if (!authority_.empty()) head.append("host: ").append(authority_).append("\r\n");
  return std::move(head.append(fields_).append("\r\n"));
}

Http2ResponseHead::Http2ResponseHead(std::string_view head) : bytes_(head) {
  fields_.reserve(16);
  std::string_view rest = bytes_;
  // "HTTP/1.1 200 OK"
  fields_.push_back(field(":status", rest.substr(9, 3)));
  rest.remove_prefix(rest.find('\n') + 1);
  while (!rest.starts_with("\r\n")) {
    const std::size_t end = rest.find('\r');
    const std::size_t colon = rest.find(':');
    const std::string_view name = rest.substr(0, colon);
    char* const letters = bytes_.data() + (name.data() - bytes_.data());
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (letters[i] >= 'A' && letters[i] <= 'Z') letters[i] = static_cast<char>(letters[i] | 0x20);
    }
    if (name != "connection" && name != "transfer-encoding") {
      fields_.push_back(field(name, trim(rest.substr(colon + 1, end - colon - 1))));
    }
    rest.remove_prefix(end + 2);
  }
}

}  // namespace courant::http
