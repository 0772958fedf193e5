#include "feeds/routes.h"

#include "feeds/cloud_events.h"
#include "feeds/editing.h"
#include "feeds/entry_response.h"
#include "feeds/feed_view.h"
#include "feeds/json_feed.h"
#include "feeds/media.h"
#include "feeds/page.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "feeds/representation.h"
#include "feeds/rss.h"
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
  const Offer& offer = choose_representation(request, {}, offers_of_feeds());
  const std::string etag = page_etag(*feed, offer.format, "", feed->head());
  if (!http::if_none_match_matches(*known, etag)) return std::nullopt;
  return not_modified(etag, "no-cache", head_link_field(engine.feed_url(feed->facts()), engine.options().hub_url));
}

std::string link_field(const PageRequest& page, const PageLinks& places, std::string_view suffix) {
  const auto link = [&](const std::string& place, std::string_view rel) {
    return "<" + with_suffix(page.feed_url + place, suffix) + ">; rel=\"" + std::string(rel) + "\"";
  };
  std::string links = link(places.self, "self");
  if (!page.hub_url.empty()) links += ", <" + page.hub_url + ">; rel=\"hub\"";
  links += ", " + link(places.previous, "previous");
  if (!places.next.empty()) links += ", " + link(places.next, "next");
  return links;
}

// The Atom document in the form that is wanted.
std::string transformed(std::string document, Representation wanted, const std::string& feed_url,
                        const std::string& suffix) {
  switch (wanted) {
    case Representation::kHtml:
      return xslt::html_page(document, suffix);
    case Representation::kJson:
      return json_feed(view_of_feed(document), suffix);
    case Representation::kRss:
      return rss(view_of_feed(document), suffix);
    case Representation::kCloudEvents:
      return events_of(view_of_feed(document).entries, feed_url);
    default:
      return document;
  }
}

Task<Response> get_feed(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Offer& offer = choose_representation(request, parameters, offers_of_feeds());
  const std::string suffix = link_suffix(parameters);
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  PageRequest wanted;
  wanted.query = parse_page_query(parameters, feed->facts().page_size);
  wanted.feed_url = engine.feed_url(feed->facts());
  wanted.hub_url = engine.options().hub_url;
  wanted.max_bytes = engine.options().max_page_bytes;
  wanted.representation = offer.format;
  wanted.is_newest_only = offer.representation != Representation::kXml;
  const std::string known(request.header("if-none-match").value_or(""));
  const auto read = [feed, &wanted, &offer, &suffix, &known](sql::Session& session) {
    RenderedPage page = read_page(session, *feed, wanted);
    const bool is_wanted = known.empty() || !http::if_none_match_matches(known, page.etag);
    if (is_wanted) {
      page.document = transformed(std::move(page.document), offer.representation, wanted.feed_url, suffix);
    }
    return page;
  };
  RenderedPage page = co_await engine.executor().run(read);
  feed->advance(page.range.is_head ? page.range.upto : 0);

  const bool is_lasting = page.range.is_full && wanted.query.marker != "last" && !wanted.is_newest_only;
  const std::string cache_control = is_lasting ? lasting_cache_control(feed->state()->settings) : "no-cache";
  const std::string links = link_field(wanted, page.links, suffix);
  if (!known.empty() && http::if_none_match_matches(known, page.etag)) {
    co_return not_modified(page.etag, cache_control, links);
  }
  Response response;
  response.with("Content-Type", std::string(offer.content_type));
  response.with("ETag", page.etag).with("Cache-Control", cache_control);
  response.with("Feed-Position", std::to_string(page.range.upto)).with("Link", links);
  set_body(response, request, std::move(page.document));
  co_return response;
}

// An entry in another form than Atom: made of it, with an entity tag of its own.
Response other_entry_response(const Offer& offer, std::string document, std::int64_t position,
                              const std::string& etag) {
  Response response;
  response.with("Content-Type", std::string(offer.content_type)).with("ETag", etag).with("Cache-Control", "no-cache");
  response.with("Feed-Position", std::to_string(position)).with("Vary", "Accept, Accept-Encoding");
  response.body = http::make_bytes(std::move(document));
  return response;
}

Task<Response> get_entry(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Offer& offer = choose_representation(request, parameters, offers_of_entries());
  const std::string suffix = link_suffix(parameters);
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(feed->facts());
  const bool has_edits = feed->state()->settings.edits;
  struct Found {
    std::optional<StoredEntry> entry;
    std::string other;  // the document where it is not Atom
  };
  const auto find = [feed, id, feed_url, has_edits, &offer, suffix](sql::Session& session) {
    Found result;
    result.entry = read_entry_by_id(session, feed->facts().key, id);
    if (!result.entry || result.entry->is_tombstone || offer.representation == Representation::kXml) return result;
    const std::string document = render_entry(*result.entry, feed_url, has_edits);
    result.other = offer.representation == Representation::kHtml ? xslt::html_page(document, suffix)
                                                                 : event_of(view_of_entry(document), feed_url);
    return result;
  };
  const Found found = co_await engine.executor().run(find);
  if (!found.entry) throw Problem(404, "There is no entry with the id " + id + " in this feed");
  if (found.entry->is_tombstone) throw Problem(410, "The entry " + id + " was deleted");
  const std::string position = std::to_string(found.entry->position);
  const bool is_atom = offer.representation == Representation::kXml;
  const std::string etag = "\"" + position + (is_atom ? "" : "-" + std::string(offer.format)) + "\"";
  const std::optional<std::string_view> known = request.header("if-none-match");
  if (known && http::if_none_match_matches(*known, etag)) co_return not_modified(etag, "no-cache", "");
  if (is_atom) co_return entry_response(200, *found.entry, feed_url, has_edits, request);
  co_return other_entry_response(offer, found.other, found.entry->position, etag);
}

Task<Response> get_service(Engine& engine, const Request& request, const PathArguments& arguments) {
  const Parameters parameters = query_of(request);
  const Offer& offer = choose_representation(request, parameters, offers_of_services());
  const std::string suffix = link_suffix(parameters);
  const std::string only = arguments.empty() ? std::string() : arguments[0];
  if (!only.empty() && engine.workspace(only) == nullptr) throw Problem(404, "There is no workspace " + only);
  std::string document;
  if (offer.representation == Representation::kHtml) {
    const auto render = [&engine, only, suffix](sql::Session&) {
      return xslt::html_page(service_document(engine, only), suffix);
    };
    document = co_await engine.executor().run(render);
  } else {
    document = service_document(engine, only);
  }
  const std::string content_type(offer.content_type);
  co_return http::text_response(200, content_type, std::move(document)).with("Vary", "Accept");
}

Task<Response> get_categories(Engine& engine, const Request&, const PathArguments& arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const auto read = [feed](sql::Session& session) { return category_document(session, *feed); };
  std::string document = co_await engine.executor().run(read);
  co_return http::text_response(200, "application/atomcat+xml", std::move(document)).with("Cache-Control", "no-cache");
}

}  // namespace

std::vector<http::Route> routes(Engine& engine) {
  using http::Method;
  const auto post = [&engine](const Request& request, const PathArguments& arguments) {
    return post_to_feed(engine, request, arguments);
  };
  const auto admit = [&engine](const Request& request, const PathArguments& arguments) {
    return admit_post(engine, request, arguments);
  };
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
  const auto media = [&engine](const Request& request, const PathArguments& arguments) {
    return get_media(engine, request, arguments);
  };
  const auto replace = [&engine](const Request& request, const PathArguments& arguments) {
    return put_media(engine, request, arguments);
  };
  const auto admit_bytes = [&engine](const Request& request, const PathArguments& arguments) {
    return admit_media(engine, request, arguments);
  };
  const auto remove_media = [&engine](const Request& request, const PathArguments& arguments) {
    return delete_media(engine, request, arguments);
  };
  const auto service = [&engine](const Request& request, const PathArguments& arguments) {
    return get_service(engine, request, arguments);
  };
  const auto categories = [&engine](const Request& request, const PathArguments& arguments) {
    return get_categories(engine, request, arguments);
  };
  return {{"/", Method::kGet, service, nullptr, nullptr},
          {"/{workspace}", Method::kGet, service, nullptr, nullptr},
          {"/{workspace}/{feed}", Method::kGet, feed, at_once, nullptr},
          {"/{workspace}/{feed}", Method::kPost, post, nullptr, admit},
          {"/{workspace}/{feed}/categories", Method::kGet, categories, nullptr, nullptr},
          {"/{workspace}/{feed}/entries/{id}", Method::kGet, entry, nullptr, nullptr},
          {"/{workspace}/{feed}/entries/{id}", Method::kPut, put, nullptr, admit_edit},
          {"/{workspace}/{feed}/entries/{id}", Method::kDelete, remove, nullptr, nullptr},
          {"/{workspace}/{feed}/media/{id}", Method::kGet, media, nullptr, nullptr},
          {"/{workspace}/{feed}/media/{id}", Method::kPut, replace, nullptr, admit_bytes},
          {"/{workspace}/{feed}/media/{id}", Method::kDelete, remove_media, nullptr, nullptr}};
}

}  // namespace courant::feeds
