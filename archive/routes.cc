#include "archive/routes.h"

#include "archive/pages.h"
#include "http/conditional.h"
#include "http/gzip.h"
#include "http/negotiate.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::archive {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::uint64_t kMostPages = std::uint64_t{1} << 40;
constexpr std::uint64_t kLongestPage = std::uint64_t{1} << 32;

std::int64_t parse_page(const std::string& text) {
  const std::optional<std::uint64_t> page = parse_unsigned(text);
  if (!page || *page == 0 || *page > kMostPages) {
    throw Problem(404, "Archive pages are numbered from 1: there is none called " + text);
  }
  return static_cast<std::int64_t>(*page);
}

// Strong tag and digest are those of the bytes sent: the gzip form has its own.
Response page_response(const StoredPage& page, const Request& request, bool redactable) {
  const bool packed = http::accepts_gzip(request.combined_header("accept-encoding"));
  const std::string etag = "\"" + to_hex(page.sha256.substr(0, 12)) + (packed ? "-gzip\"" : "\"");
  Response response;
  response.with("ETag", etag).with("Vary", "Accept-Encoding");
  response.with("Cache-Control", redactable ? "public, max-age=31536000" : "public, max-age=31536000, immutable");
  const std::optional<std::string_view> known = request.header("if-none-match");
  if (known && http::if_none_match_matches(*known, etag)) {
    response.status = 304;
    return response;
  }
  response.with("Content-Type", "application/atom+xml;type=feed;charset=utf-8");
  response.with("Repr-Digest", "sha-256=:" + to_base64(packed ? page.gzip_sha256 : page.sha256) + ":");
  if (packed) {
    response.with("Content-Encoding", "gzip");
    response.body = http::make_bytes(page.gzip);
  } else {
    response.body = http::make_bytes(http::gunzip(page.gzip, kLongestPage).value());
  }
  return response;
}

Task<Response> get_page(feeds::Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::int64_t number = parse_page(arguments[2]);
  std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string feed_url = engine.feed_url(feed->facts());
  const auto find = [&engine, feed, number, feed_url](sql::Session& session) {
    return require_page(session, *feed, number, feed_url, engine.options().hub_url, engine.clock().now());
  };
  const std::optional<StoredPage> page = co_await engine.executor().run(find);
  if (page) co_return page_response(*page, request, feed->state()->settings.redactable);
  // The page is not complete: what it will hold is in the current feed.
  Response response;
  response.status = 303;
  response.with("Location", feed_url).with("Cache-Control", "no-cache");
  co_return response;
}

}  // namespace

std::vector<http::Route> routes(feeds::Engine& engine) {
  const auto page = [&engine](const Request& request, const PathArguments& arguments) {
    return get_page(engine, request, arguments);
  };
  return {{"/{workspace}/{feed}/archive/{page}", http::Method::kGet, page, nullptr, nullptr}};
}

}  // namespace courant::archive
