#include "http/message.h"

#include <array>
#include <cstdio>

#include "kernel/digest.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {

std::string_view name_of(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kOther:
      break;
  }
  return "other";
}

std::string RequestId::text() const {
  static const std::string kProcess = to_hex(random_bytes(4));
  std::array<char, 48> rest{};
  const int length = std::snprintf(rest.data(), rest.size(), "-%llx-%llx", static_cast<unsigned long long>(connection),
                                   static_cast<unsigned long long>(number));
  return kProcess + std::string(rest.data(), static_cast<std::size_t>(length));
}

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const HeaderView& field : headers) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::string Request::combined_header(std::string_view name) const {
  std::string combined;
  for (const HeaderView& field : headers) {
    if (!equal_ignoring_case(field.name, name)) continue;
    if (!combined.empty()) combined += ", ";
    combined += field.value;
  }
  return combined;
}

Parameters query_of(const Request& request) {
  std::optional<Parameters> parameters = parse_query(request.query);
  if (!parameters) throw Problem(400, "The query holds a '%' that no two hexadecimal digits follow");
  return *std::move(parameters);
}

Bytes make_bytes(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

Response& Response::with(std::string name, std::string value) {
  headers.emplace_back(std::move(name), std::move(value));
  return *this;
}

Response text_response(int status, std::string content_type, std::string body) {
  Response response;
  response.status = status;
  response.headers.emplace_back("Content-Type", std::move(content_type));
  response.body = make_bytes(std::move(body));
  return response;
}

}  // namespace courant::http
