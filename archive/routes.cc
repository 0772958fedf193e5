#include "archive/routes.h"

#include "archive/index.h"
#include "archive/page_html.h"
#include "archive/pages.h"
#include "feeds/coded_page.h"
#include "feeds/page_cache.h"
#include "feeds/ready_page.h"
#include "feeds/representation.h"
#include "http/coding.h"
#include "http/conditional.h"
#include "http/gzip.h"
#include "http/negotiate.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "xslt/page.h"

namespace courant::archive {
namespace {

using feeds::Engine;
using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

PageName require_page_name(const std::string& text) {
  const std::optional<PageName> name = parse_page_name(text);
  if (!name) throw Problem(404, "Archive pages are numbered from 1: there is none called " + text);
  return *name;
}

std::string tag_in(std::string_view base, http::Coding coding) {
  return "\"" + std::string(base) + std::string(http::tag_suffix(coding)) + "\"";
}

// Strong tag and digest are those of the bytes sent: each coding has its own.
feeds::ReadyPage ready(StoredPage page, http::Coding coding, const feeds::FeedSettings& settings, std::uint64_t version,
                       Ticks now) {
  const feeds::LastModified last_modified(page.modified, now);
  std::string bytes;
  std::string digest;
  if (coding == http::Coding::kGzip) {
    bytes = std::move(page.gzip);
    digest = std::move(page.gzip_sha256);
  } else {
    bytes = http::gunzip(page.gzip, kLongestPage).value();
    bytes = http::compress(coding, bytes, http::Effort::kThorough);
    digest = bytes_of(sha256(bytes));
  }
  feeds::ReadyPage::Headers headers = {{"ETag", tag_in(to_hex(page.sha256.substr(0, 12)), coding)},
                                       {"Vary", "Accept-Encoding"},
                                       {"Content-Type", "application/atom+xml;type=feed;charset=utf-8"},
                                       {"Repr-Digest", "sha-256=:" + to_base64(digest) + ":"}};
  const feeds::ReadyPage::Headers lasting = feeds::lasting_fields(settings, page.last_recorded);
  headers.insert(headers.end(), lasting.begin(), lasting.end());
  if (coding != http::Coding::kIdentity) headers.emplace_back("Content-Encoding", http::coding_name(coding));
  return feeds::ReadyPage(std::move(headers), http::make_bytes(std::move(bytes)), version, std::nullopt, {},
                          last_modified);
}

// Thrown where the page is not complete: what it will hold is in the current feed.
struct NotComplete {};

struct Wanted {
  PageName name;
  http::CodingChoice coding;
  std::string key;  // of the page in memory
};

// Throws Problem 404 and 406.
Wanted wanted_of(const Request& request, const PathArguments& arguments, const feeds::LiveFeed& feed) {
  Wanted wanted{require_page_name(arguments[2]), http::choose_coding(request.combined_header("accept-encoding")), {}};
  wanted.key = feeds::page_key(feed.facts().key) + "archive\n" + std::to_string(wanted.name.generation) + "-" +
               std::to_string(wanted.name.page);
  return wanted;
}

// What makes the page in a coding: gzip as it is stored, the others of that.
feeds::PageCache::Make make_in(http::Coding coding, Engine& engine, const std::shared_ptr<feeds::LiveFeed>& feed,
                               PageName name) {
  return [coding, &engine, feed, name, version = feed->version()](sql::Session& session) {
    const std::string feed_url = engine.feed_url(feed->facts());
    std::optional<StoredPage> page =
        require_page(session, *feed, name.page, feed_url, engine.options().hub_url, engine.clock().now());
    if (!page) throw NotComplete{};
    // A generation may have begun meanwhile, or unheard of.
    if (page->generation != name.generation) throw other_generation(feed_url);
    return ready(*std::move(page), coding, feed->state()->settings, version, engine.clock().ticks());
  };
}

feeds::CodedPage find_coded(Engine& engine, const Wanted& wanted, const std::shared_ptr<feeds::LiveFeed>& feed) {
  return feeds::find_coded(engine.pages(), wanted.key, wanted.coding, feed,
                           [&](http::Coding coding) { return make_in(coding, engine, feed, wanted.name); });
}

// The tag of the page in another coding, where the reader has it so and can read it: then it has it (RFC 9110 section
// 13.1.2), and is to be told which (RFC 9111 section 4.3.4).
std::optional<std::string> tag_in_other_coding(const Request& request, const Wanted& wanted,
                                               const feeds::ReadyPage& page) {
  const std::string known = request.combined_header("if-none-match");
  if (known.empty()) return std::nullopt;
  std::string_view base = page.etag();
  base = http::without_tag_suffix(base.substr(1, base.size() - 2));
  for (const http::Coding coding : http::kCodings) {
    std::string tag = tag_in(base, coding);
    if (wanted.coding.takes(coding) && http::if_none_match_matches(known, tag)) return tag;
  }
  return std::nullopt;
}

// 200 or 304. The better form of a page that is still to be made is found by asking again.
Response answer_with(const feeds::CodedPage& coded, const Request& request, const Wanted& wanted,
                     const std::shared_ptr<feeds::LiveFeed>& feed, const Engine& engine) {
  const feeds::ReadyPage& page = *coded.page;
  Response response = feeds::answer_with(page, request, feed, engine.follower(), engine.clock());
  if (response.status == 304) return response;
  if (const std::optional<std::string> tag = tag_in_other_coding(request, wanted, page)) {
    response.status = 304;
    response.head = page.compose_not_modified(*tag);
    response.headers.clear();
    response.body = nullptr;
  } else if (!coded.is_best) {
    response.holds = nullptr;
  }
  return response;
}

// A page that is in memory and was not changed since (by a redaction, say).
std::optional<Response> page_at_once(Engine& engine, const Request& request, const PathArguments& arguments) {
  const std::shared_ptr<feeds::LiveFeed> feed = engine.directory().find(arguments[0], arguments[1]);
  if (!feed || !engine.follower().is_current() || wants_html_page(request)) return std::nullopt;
  const Wanted wanted = wanted_of(request, arguments, *feed);
  const feeds::CodedPage coded = find_coded(engine, wanted, feed);
  if (!coded.page) return std::nullopt;
  return answer_with(coded, request, wanted, feed, engine);
}

Task<Response> get_page(Engine& engine, const Request& request, PathArguments arguments) {
  require_page_name(arguments[2]);
  std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  if (!engine.follower().is_current()) co_await engine.ask_database(feed);
  const Wanted wanted = wanted_of(request, arguments, *feed);
  const std::string feed_url = engine.feed_url(feed->facts());
  if (wanted.name.generation != feed->state()->generation) throw other_generation(feed_url);
  if (wants_html_page(request)) {
    Response html = co_await get_page_html(engine, request, feed, wanted.name);
    co_return html;
  }
  feeds::CodedPage coded = find_coded(engine, wanted, feed);
  bool is_complete = true;
  try {
    if (!coded.page) {
      const http::Coding first = wanted.coding.first;
      const feeds::PageCache::Make make = make_in(first, engine, feed, wanted.name);
      coded.page = co_await engine.pages().get(feeds::coded_key(wanted.key, first), feed, false, make);
    }
  } catch (const NotComplete&) {
    is_complete = false;
  }
  if (is_complete) co_return answer_with(coded, request, wanted, feed, engine);
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

const std::vector<feeds::Offer>& offers_of_indexes() {
  using Kind = feeds::Representation;
  static const std::vector<feeds::Offer> kOffers = {{Kind::kJson, "json", "application/json", {"application/json"}},
                                                    feeds::offers_of_entries()[1]};
  return kOffers;
}

Task<Response> get_index(Engine& engine, const Request& request, PathArguments arguments) {
  const Parameters parameters = query_of(request);
  const feeds::Offer& offer = feeds::choose_representation(request, parameters, offers_of_indexes());
  const bool is_html = offer.representation == feeds::Representation::kHtml;
  IndexQuery query{number_in(parameters, "from", 0, std::int64_t{1} << 40),
                   number_in(parameters, "limit", is_html ? 50 : 100, 1000)};
  query.is_newest = is_html && query.from == 0;
  std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  const std::string feed_url = engine.feed_url(feed->facts());
  const std::string suffix = feeds::link_suffix(parameters);
  const auto read = [&engine, feed, query, feed_url, is_html, suffix](sql::Session& session) {
    const ArchiveIndex index =
        read_index(session, *feed, query, feed_url, engine.options().hub_url, engine.clock().now());
    return is_html ? xslt::html_page(xml_of(index, read_dates(session, *feed, index.pages), *feed), suffix)
                   : json_of(index);
  };
  std::string document = co_await engine.executor().run(read);
  const std::string etag = "\"" + to_hex(bytes_of(sha256(document)).substr(0, 12)) + "\"";
  Response response;
  response.with("ETag", etag).with("Cache-Control", "no-cache").with("Vary", "Accept");
  if (http::if_none_match_matches(request, etag)) {
    response.status = 304;
    co_return response;
  }
  response.with("Content-Type", std::string(offer.content_type));
  response.body = http::make_bytes(std::move(document));
  co_return response;
}

}  // namespace

std::vector<http::Route> routes(feeds::Engine& engine) {
  const auto page = [&engine](const Request& request, PathArguments arguments) {
    return get_page(engine, request, std::move(arguments));
  };
  const auto at_once = [&engine](const Request& request, const PathArguments& arguments) {
    return page_at_once(engine, request, arguments);
  };
  const auto index = [&engine](const Request& request, PathArguments arguments) {
    return get_index(engine, request, std::move(arguments));
  };
  return {{"/{workspace}/{feed}/archive", http::Method::kGet, index, nullptr, nullptr, http::Need::kRead, true},
          {"/{workspace}/{feed}/archive/{page}", http::Method::kGet, page, at_once, nullptr, http::Need::kRead, true}};
}

}  // namespace courant::archive
