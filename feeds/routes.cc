#include "feeds/routes.h"

#include <utility>

#include "feeds/cloud_events.h"
#include "feeds/editing.h"
#include "feeds/entry_response.h"
#include "feeds/feed_pages.h"
#include "feeds/feed_view.h"
#include "feeds/media.h"
#include "feeds/page_files.h"
#include "feeds/posting.h"
#include "feeds/reader.h"
#include "feeds/render.h"
#include "feeds/representation.h"
#include "feeds/service_document.h"
#include "feeds/visibility.h"
#include "http/conditional.h"
#include "kernel/digest.h"
#include "kernel/problem.h"
#include "xslt/page.h"

namespace courant::feeds {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

// An entry in another form than Atom: made of it, with an entity tag of its own.
Response other_entry_response(const Offer& offer, std::string document, std::int64_t position,
                              const std::string& etag) {
  Response response;
  response.with("Content-Type", std::string(offer.content_type)).with("ETag", etag).with("Cache-Control", "no-cache");
  response.with("Feed-Position", std::to_string(position)).with("Vary", kEntryVary);
  response.body = http::make_bytes(std::move(document));
  return response;
}

Task<Response> get_entry(Engine& engine, const Request& request, PathArguments arguments) {
  const Parameters parameters = query_of(request);
  const Offer& offer = choose_representation(request, parameters, offers_of_entries());
  const std::string suffix = link_suffix(parameters);
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string id = arguments[2];
  const std::string feed_url = engine.feed_url(feed->facts());
  const bool has_edits = feed->state()->settings.edits;
  struct Found {
    std::optional<StoredEntry> entry;
    std::optional<LastModified> last_modified;
    std::string other;  // the document where it is not Atom
  };
  const auto find = [&engine, &request, feed, id, feed_url, has_edits, &offer, suffix](sql::Session& session) {
    Found result;
    std::optional<FoundEntry> found = read_entry_by_id(session, feed->facts().key, id);
    if (!found || !sees(asker_of(request), found->entry)) return result;
    result.entry = std::move(found->entry);
    if (found->modified) result.last_modified.emplace(*found->modified, engine.clock().ticks());
    if (result.entry->is_tombstone || offer.representation == Representation::kXml) return result;
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
  const std::string etag = "\"" + position + (is_atom ? "" : "-" + tag_word(offer)) + "\"";
  if (http::if_none_match_matches(request, etag)) co_return entry_not_modified(etag);
  const Ticks now = engine.clock().ticks();
  const bool is_known = found.last_modified && found.last_modified->is_known(request, now);
  Response response = is_known  ? entry_not_modified(etag)
                      : is_atom ? entry_response(200, *found.entry, feed_url, has_edits, request)
                                : other_entry_response(offer, found.other, found.entry->position, etag);
  if (is_atom && !is_known) response.with("Vary", kEntryVary);
  if (found.last_modified) found.last_modified->tell(response, now);
  co_return response;
}

Task<Response> get_service(Engine& engine, const Request& request, PathArguments arguments) {
  const Parameters parameters = query_of(request);
  const Offer& offer = choose_representation(request, parameters, offers_of_services());
  const std::string suffix = link_suffix(parameters);
  const std::string only = arguments.empty() ? std::string() : arguments[0];
  if (!only.empty() && engine.workspace(only) == nullptr) throw Problem(404, "There is no workspace " + only);
  // Of all feeds that there are: no work for an io thread, and none that needs the database.
  const auto make = [&engine, &request, &offer, only, suffix] {
    const bool is_html = offer.representation == Representation::kHtml;
    std::string document =
        service_document(engine, only, request, is_html ? ServiceFor::kPeople : ServiceFor::kPrograms);
    if (is_html) document = xslt::html_page(document, suffix);
    std::string etag = "\"" + to_hex(bytes_of(sha256(document))).substr(0, 32) + "\"";
    return std::pair(std::move(document), std::move(etag));
  };
  auto [document, etag] = co_await engine.workshop().run(make);
  Response response;
  if (http::if_none_match_matches(request, etag)) {
    response.status = 304;
  } else {
    response = http::text_response(200, std::string(offer.content_type), std::move(document));
  }
  co_return std::move(response.with("ETag", etag).with("Cache-Control", "no-cache").with("Vary", "Accept"));
}

Task<Response> get_categories(Engine& engine, const Request&, PathArguments arguments) {
  std::shared_ptr<LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const auto read = [feed](sql::Session& session) { return category_document(session, *feed); };
  std::string document = co_await engine.executor().run(read);
  co_return http::text_response(200, "application/atomcat+xml", std::move(document)).with("Cache-Control", "no-cache");
}

}  // namespace

std::vector<http::Route> routes(Engine& engine) {
  using http::Method;
  const auto post = [&engine](const Request& request, PathArguments arguments) {
    return post_to_feed(engine, request, std::move(arguments));
  };
  const auto admit = [&engine](const Request& request, const PathArguments& arguments) {
    return admit_post(engine, request, arguments);
  };
  const auto feed = [&engine](const Request& request, PathArguments arguments) {
    return get_feed(engine, request, std::move(arguments));
  };
  const auto at_once = [&engine](const Request& request, const PathArguments& arguments) {
    return feed_at_once(engine, request, arguments);
  };
  const auto entry = [&engine](const Request& request, PathArguments arguments) {
    return get_entry(engine, request, std::move(arguments));
  };
  const auto put = [&engine](const Request& request, PathArguments arguments) {
    return put_entry(engine, request, std::move(arguments));
  };
  const auto admit_edit = [&engine](const Request& request, const PathArguments&) {
    return admit_put(engine, request);
  };
  const auto remove = [&engine](const Request& request, PathArguments arguments) {
    return delete_entry(engine, request, std::move(arguments));
  };
  const auto media = [&engine](const Request& request, PathArguments arguments) {
    return get_media(engine, request, std::move(arguments));
  };
  const auto replace = [&engine](const Request& request, PathArguments arguments) {
    return put_media(engine, request, std::move(arguments));
  };
  const auto admit_bytes = [&engine](const Request& request, const PathArguments& arguments) {
    return admit_media(engine, request, arguments);
  };
  const auto remove_media = [&engine](const Request& request, PathArguments arguments) {
    return delete_media(engine, request, std::move(arguments));
  };
  const auto service = [&engine](const Request& request, PathArguments arguments) {
    return get_service(engine, request, std::move(arguments));
  };
  const auto categories = [&engine](const Request& request, PathArguments arguments) {
    return get_categories(engine, request, std::move(arguments));
  };
  using http::Need;
  std::vector<http::Route> all = page_file_routes();
  const std::vector<http::Route> ours = {
      {"/", Method::kGet, service, nullptr, nullptr, Need::kOwn},
      {"/{workspace}", Method::kGet, service, nullptr, nullptr, Need::kList},
      {"/{workspace}/{feed}", Method::kGet, feed, at_once, nullptr, Need::kRead},
      {"/{workspace}/{feed}", Method::kPost, post, nullptr, admit, Need::kPublish},
      {"/{workspace}/{feed}/categories", Method::kGet, categories, nullptr, nullptr, Need::kRead, true},
      {"/{workspace}/{feed}/entries/{id}", Method::kGet, entry, nullptr, nullptr, Need::kRead},
      {"/{workspace}/{feed}/entries/{id}", Method::kPut, put, nullptr, admit_edit, Need::kEdit},
      {"/{workspace}/{feed}/entries/{id}", Method::kDelete, remove, nullptr, nullptr, Need::kEdit},
      {"/{workspace}/{feed}/media/{id}", Method::kGet, media, nullptr, nullptr, Need::kRead},
      {"/{workspace}/{feed}/media/{id}", Method::kPut, replace, nullptr, admit_bytes, Need::kEdit},
      {"/{workspace}/{feed}/media/{id}", Method::kDelete, remove_media, nullptr, nullptr, Need::kEdit}};
  all.insert(all.end(), ours.begin(), ours.end());
  return all;
}

}  // namespace courant::feeds
