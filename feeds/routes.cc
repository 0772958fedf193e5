#include "feeds/routes.h"

#include "feeds/editing.h"
#include "feeds/entry_response.h"
#include "feeds/page.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "feeds/representation.h"
#include "feeds/service_document.h"
#include "http/conditional.h"
#include "http/gzip.h"
#include "http/negotiate.h"
#include "http/response_bytes.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "xslt/page.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::size_t kGzipAbove = 1024;
constexpr const char* kForever = "public, max-age=31536000, immutable";

constexpr const char* kHtmlType = "text/html; charset=utf-8";
constexpr std::string_view kAtom = "application/atom+xml";

Parameters query_of(const Request& request) {
  std::optional<Parameters> parameters = parse_query(request.query);
  if (!parameters) throw Problem(400, "The query holds a '%' that no two hexadecimal digits follow");
  return *std::move(parameters);
}

// Sets the body, in gzip where the client likes it and it is worth it.
void set_body(Response& response, const Request& request, std::string document) {
  response.with("Vary", "Accept, Accept-Encoding");
  if (document.size() > kGzipAbove && http::accepts_gzip(request.combined_header("accept-encoding"))) {
    response.with("Content-Encoding", "gzip");
    document = http::gzip(document, 1);
  }
  response.body = http::make_bytes(std::move(document));
}

// link: as of the page, or empty.
Response not_modified(const std::string& etag, const std::string& cache_control, const std::string& link) {
  Response response;
  response.status = 304;
  std::vector<std::pair<std::string, std::string>> headers = {
      {"ETag", etag}, {"Cache-Control", cache_control}, {"Vary", "Accept, Accept-Encoding"}};
  if (!link.empty()) headers.emplace_back("Link", link);
  response.head = http::compose_head(304, headers);
  return response;
}

// Links that do not depend on where the feed stands: of answers from memory.
std::string head_link_field(const std::string& feed_url, const std::string& hub_url) {
  std::string links = "<" + feed_url + ">; rel=\"self\"";
  if (!hub_url.empty()) links += ", <" + hub_url + ">; rel=\"hub\"";
  return links;
}

// A conditional GET of a head that has not changed, from memory alone.
std::optional<Response> head_at_once(Engine& engine, const Request& request, const PathArguments& arguments) {
  if (!request.query.empty()) return std::nullopt;
  const std::optional<std::string_view> known = request.header("if-none-match");
  if (!known || !engine.follower().is_current()) return std::nullopt;
  const std::shared_ptr<LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
  if (!feed) return std::nullopt;
  const Representation representation = choose_representation(request, {}, kAtom);
  const std::string etag = page_etag(*feed, name_of(representation), "", feed->head());
  if (!http::if_none_match_matches(*known, etag)) return std::nullopt;
  return not_modified(etag, "no-cache", head_link_field(engine.feed_url(feed->facts()), engine.options().hub_url));
}

std::string link_field(const std::string& feed_url, const RenderedPage& page, const std::string& hub_url) {
  std::string links = "<" + feed_url + page.links.self + ">; rel=\"self\"";
  if (!hub_url.empty()) links += ", <" + hub_url + ">; rel=\"hub\"";
  links += ", <" + feed_url + page.links.previous + ">; rel=\"previous\"";
  if (!page.links.next.empty()) links += ", <" + feed_url + page.links.next + ">; rel=\"next\"";
  return links;
}

Task<Response> get_feed(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Representation representation = choose_representation(request, parameters, kAtom);
  const std::string suffix(link_suffix(parameters));
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const PageQuery query = parse_page_query(parameters, feed->facts().page_size);
  const std::string feed_url = engine.feed_url(feed->facts());
  const std::string hub_url = engine.options().hub_url;
  const std::string known(request.header("if-none-match").value_or(""));
  const std::int64_t max_bytes = engine.options().max_page_bytes;
  const auto read = [feed, query, feed_url, hub_url, max_bytes, representation, suffix, known](sql::Session& session) {
    RenderedPage page = read_page(session, *feed, query, feed_url, hub_url, max_bytes, name_of(representation));
    const bool is_wanted = known.empty() || !http::if_none_match_matches(known, page.etag);
    if (is_wanted && representation == Representation::kHtml) page.document = xslt::html_page(page.document, suffix);
    return page;
  };
  RenderedPage page = co_await engine.executor().run(read);
  feed->advance(page.range.is_head ? page.range.upto : 0);

  const std::string cache_control = page.range.is_full && query.marker != "last" ? kForever : "no-cache";
  const std::string links = link_field(feed_url, page, hub_url);
  if (!known.empty() && http::if_none_match_matches(known, page.etag)) {
    co_return not_modified(page.etag, cache_control, links);
  }
  Response response;
  response.with("Content-Type", representation == Representation::kHtml ? kHtmlType : kFeedType);
  response.with("ETag", page.etag).with("Cache-Control", cache_control);
  response.with("Feed-Position", std::to_string(page.range.upto)).with("Link", links);
  set_body(response, request, std::move(page.document));
  co_return response;
}

// An entry for people: made like its Atom form, with an entity tag of its own.
Response html_entry_response(const std::string& html, std::int64_t position, const std::string& etag) {
  Response response;
  response.with("Content-Type", kHtmlType).with("ETag", etag).with("Cache-Control", "no-cache");
  response.with("Feed-Position", std::to_string(position)).with("Vary", "Accept, Accept-Encoding");
  response.body = http::make_bytes(html);
  return response;
}

Task<Response> get_entry(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Representation representation = choose_representation(request, parameters, kAtom);
  const std::string suffix(link_suffix(parameters));
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(feed->facts());
  struct Found {
    std::optional<StoredEntry> entry;
    std::string html;
  };
  const auto find = [feed, id, feed_url, representation, suffix](sql::Session& session) {
    Found result;
    result.entry = read_entry_by_id(session, feed->facts().key, id);
    if (result.entry && !result.entry->is_tombstone && representation == Representation::kHtml) {
      result.html = xslt::html_page(render_entry(*result.entry, feed_url), suffix);
    }
    return result;
  };
  const Found found = co_await engine.executor().run(find);
  if (!found.entry) throw Problem(404, "There is no entry with the id " + id + " in this feed");
  if (found.entry->is_tombstone) throw Problem(410, "The entry " + id + " was deleted");
  const std::string position = std::to_string(found.entry->position);
  const bool is_html = representation == Representation::kHtml;
  const std::string etag = is_html ? "\"" + position + "-html\"" : "\"" + position + "\"";
  const std::optional<std::string_view> known = request.header("if-none-match");
  if (known && http::if_none_match_matches(*known, etag)) co_return not_modified(etag, "no-cache", "");
  if (is_html) co_return html_entry_response(found.html, found.entry->position, etag);
  co_return entry_response(200, *found.entry, feed_url, request);
}

Task<Response> get_service(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Representation representation = choose_representation(request, parameters, "application/atomsvc+xml");
  const std::string suffix(link_suffix(parameters));
  const std::string only = arguments.empty() ? std::string() : arguments[0];
  if (!only.empty() && engine.workspace(only) == nullptr) throw Problem(404, "There is no workspace " + only);
  if (representation == Representation::kHtml) {
    const auto render = [&engine, only, suffix](sql::Session&) {
      return xslt::html_page(service_document(engine, only), suffix);
    };
    std::string page = co_await engine.executor().run(render);
    co_return http::text_response(200, kHtmlType, std::move(page)).with("Vary", "Accept");
  }
  co_return http::text_response(200, "application/atomsvc+xml", service_document(engine, only)).with("Vary", "Accept");
}

}  // namespace

std::vector<http::Route> routes(Engine& engine) {
  using http::Method;
  const auto post = [&engine](const Request& request, const PathArguments& arguments) {
    return post_to_feed(engine, request, arguments);
  };
  const auto admit = [&engine](const Request& request, const PathArguments&) { return admit_post(engine, request); };
  const auto feed = [&engine](const Request& request, const PathArguments& arguments) {
    return get_feed(engine, request, arguments);
  };
  const auto at_once = [&engine](const Request& request, const PathArguments& arguments) {
    return head_at_once(engine, request, arguments);
  };
  const auto entry = [&engine](const Request& request, const PathArguments& arguments) {
    return get_entry(engine, request, arguments);
  };
  const auto put = [&engine](const Request& request, const PathArguments& arguments) {
    return put_entry(engine, request, arguments);
  };
  const auto admit_edit = [&engine](const Request& request, const PathArguments&) {
    return admit_put(engine, request);
  };
  const auto remove = [&engine](const Request& request, const PathArguments& arguments) {
    return delete_entry(engine, request, arguments);
  };
  const auto service = [&engine](const Request& request, const PathArguments& arguments) {
    return get_service(engine, request, arguments);
  };
  return {{"/", Method::kGet, service, nullptr, nullptr},
          {"/{workspace}", Method::kGet, service, nullptr, nullptr},
          {"/{workspace}/{feed}", Method::kGet, feed, at_once, nullptr},
          {"/{workspace}/{feed}", Method::kPost, post, nullptr, admit},
          {"/{workspace}/{feed}/entries/{id}", Method::kGet, entry, nullptr, nullptr},
          {"/{workspace}/{feed}/entries/{id}", Method::kPut, put, nullptr, admit_edit},
          {"/{workspace}/{feed}/entries/{id}", Method::kDelete, remove, nullptr, nullptr}};
}

}  // namespace courant::feeds
