#include "feeds/page_files.h"

#include "http/conditional.h"
#include "kernel/uri.h"
#include "xslt/page_files.h"

namespace courant::feeds {
namespace {

using http::Request;
using http::Response;

http::Route route_of(std::string pattern, std::string type, std::string_view text) {
  const auto answer = [type = std::move(type), body = http::make_bytes(std::string(text))](
                          const Request& request, const http::PathArguments&) -> std::optional<Response> {
    const Parameters query = query_of(request);
    const std::string* const version = find_parameter(query, "v");
    const std::string etag = "\"" + xslt::page_version() + "\"";
    Response response;
    response.status = http::if_none_match_matches(request, etag) ? 304 : 200;
    const bool is_of_version = version != nullptr && *version == xslt::page_version();
    response.with("ETag", etag);
    response.with("Cache-Control", is_of_version ? "public, max-age=31536000, immutable" : "no-cache");
    if (response.status == 304) return response;
    response.with("Content-Type", type);
    response.body = body;
    return response;
  };
  return {std::move(pattern), http::Method::kGet, nullptr, answer, nullptr, http::Need::kNothing};
}

}  // namespace

std::vector<http::Route> page_file_routes() {
  return {route_of("/-/style.css", "text/css; charset=utf-8", xslt::page_style()),
          route_of("/-/live.js", "text/javascript; charset=utf-8", xslt::live_script())};
}

const std::string& live_page_policy() {
  static const std::string kPolicy = "default-src 'none'; style-src 'self'; script-src '" +
                                     xslt::live_script_integrity() +
                                     "'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'; "
                                     "form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
  return kPolicy;
}

}  // namespace courant::feeds
