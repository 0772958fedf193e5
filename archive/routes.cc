#include "archive/routes.h"

#include "archive/index.h"
#include "archive/pages.h"
#include "feeds/page_cache.h"
#include "feeds/ready_page.h"
#include "http/conditional.h"
#include "http/gzip.h"
#include "http/negotiate.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::archive {
namespace {

using feeds::Engine;
using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::uint64_t kLongestPage = std::uint64_t{1} << 32;

PageName require_page_name(const std::string& text) {
  const std::optional<PageName> name = parse_page_name(text);
  if (!name) throw Problem(404, "Archive pages are numbered from 1: there is none called " + text);
  return *name;
}

// Strong tag and digest are those of the bytes sent: the gzip form has its own.
feeds::ReadyPage ready(StoredPage page, bool packed, const feeds::FeedSettings& settings, std::uint64_t version) {
  feeds::ReadyPage::Headers headers = {
      {"ETag", "\"" + to_hex(page.sha256.substr(0, 12)) + (packed ? "-gzip\"" : "\"")},
      {"Vary", "Accept-Encoding"},
      {"Cache-Control", feeds::lasting_cache_control(settings)},
      {"Content-Type", "application/atom+xml;type=feed;charset=utf-8"},
      {"Repr-Digest", "sha-256=:" + to_base64(packed ? page.gzip_sha256 : page.sha256) + ":"}};
  if (packed) headers.emplace_back("Content-Encoding", "gzip");
  std::string bytes = packed ? std::move(page.gzip) : http::gunzip(page.gzip, kLongestPage).value();
  return feeds::ReadyPage(std::move(headers), http::make_bytes(std::move(bytes)), version, std::nullopt);
}

Problem other_generation(const std::string& feed_url) {
  return Problem(410, "This page is of another generation of the log: begin again at the current feed")
      .with("Link", "<" + feed_url + ">; rel=\"current\"");
}

// Thrown where the page is not complete: what it will hold is in the current feed.
struct NotComplete {};

struct Wanted {
  PageName name;
  bool packed = false;
  std::string key;  // of the page in memory
};

Wanted wanted_of(const Request& request, const PathArguments& arguments, const feeds::LiveFeed& feed) {
  Wanted wanted{require_page_name(arguments[2]), http::accepts_gzip(request.combined_header("accept-encoding")), {}};
  wanted.key = feeds::page_key(feed.facts().key) + "archive\n" + std::to_string(wanted.name.generation) + "-" +
               std::to_string(wanted.name.page) + (wanted.packed ? "\ngzip" : "");
  return wanted;
}

// A page that is in memory and was not changed since (by a redaction, say).
std::optional<Response> page_at_once(Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::shared_ptr<feeds::LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
  if (!feed || !engine.follower().is_current()) return std::nullopt;
  const feeds::PageCache::Page page = engine.pages().find(wanted_of(request, arguments, *feed).key, *feed);
  if (!page) return std::nullopt;
  return answer_with(*page, request, feed, engine.follower());
}

Task<Response> get_page(Engine& engine, const Request& request, const PathArguments& arguments) {
  require_page_name(arguments[2]);
  std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  if (!engine.follower().is_current()) co_await engine.ask_database(feed);
  const Wanted wanted = wanted_of(request, arguments, *feed);
  const std::string feed_url = engine.feed_url(feed->facts());
  if (wanted.name.generation != feed->state()->generation) throw other_generation(feed_url);
  const feeds::PageCache::Make make = [&engine, feed, wanted, feed_url,
                                       version = feed->version()](sql::Session& session) {
    std::optional<StoredPage> page =
        require_page(session, *feed, wanted.name.page, feed_url, engine.options().hub_url, engine.clock().now());
    if (!page) throw NotComplete{};
    // A generation may have begun meanwhile, or unheard of.
    if (page->generation != wanted.name.generation) throw other_generation(feed_url);
    return ready(*std::move(page), wanted.packed, feed->state()->settings, version);
  };
  bool is_complete = true;
  feeds::PageCache::Page page;
  try {
    page = co_await engine.pages().get(wanted.key, feed, false, make);
  } catch (const NotComplete&) {
    is_complete = false;
  }
  if (is_complete) co_return answer_with(*page, request, feed, engine.follower());
  Response response;
  response.status = 303;
  response.with("Location", feed_url).with("Cache-Control", "no-cache");
  co_return response;
}

// ?from= and ?limit= of the index.
std::int64_t number_in(const Parameters& parameters, std::string_view name, std::int64_t fallback, std::int64_t most) {
  const std::string* const text = find_parameter(parameters, name);
  if (text == nullptr) return fallback;
  const std::optional<std::uint64_t> number = parse_unsigned(*text);
  if (!number || *number == 0 || *number > static_cast<std::uint64_t>(most)) {
    throw Problem(400, std::string(name) + " must be a number from 1 to " + std::to_string(most));
  }
  return static_cast<std::int64_t>(*number);
}

Task<Response> get_index(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const IndexQuery query{number_in(parameters, "from", 0, std::int64_t{1} << 40),
                         number_in(parameters, "limit", 100, 1000)};
  std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string feed_url = engine.feed_url(feed->facts());
  const auto read = [&engine, feed, query, feed_url](sql::Session& session) {
    return read_index(session, *feed, query, feed_url, engine.options().hub_url, engine.clock().now());
  };
  std::string document = co_await engine.executor().run(read);
  const std::string etag = "\"" + to_hex(bytes_of(sha256(document)).substr(0, 12)) + "\"";
  const std::optional<std::string_view> known = request.header("if-none-match");
  Response response;
  response.with("ETag", etag).with("Cache-Control", "no-cache");
  if (known && http::if_none_match_matches(*known, etag)) {
    response.status = 304;
    co_return response;
  }
  response.with("Content-Type", "application/json");
  response.body = http::make_bytes(std::move(document));
  co_return response;
}

}  // namespace

std::vector<http::Route> routes(feeds::Engine& engine) {
  const auto page = [&engine](const Request& request, const PathArguments& arguments) {
    return get_page(engine, request, arguments);
  };
  const auto at_once = [&engine](const Request& request, const PathArguments& arguments) {
    return page_at_once(engine, request, arguments);
  };
  const auto index = [&engine](const Request& request, const PathArguments& arguments) {
    return get_index(engine, request, arguments);
  };
  return {{"/{workspace}/{feed}/archive", http::Method::kGet, index, nullptr, nullptr},
          {"/{workspace}/{feed}/archive/{page}", http::Method::kGet, page, at_once, nullptr}};
}

}  // namespace courant::archive
