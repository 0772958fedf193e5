#include "archive/page_html.h"

#include "feeds/page_cache.h"
#include "feeds/page_files.h"
#include "feeds/ready_page.h"
#include "feeds/representation.h"
#include "http/gzip.h"
#include "kernel/digest.h"
#include "xslt/page.h"
#include "xslt/page_files.h"

namespace courant::archive {
namespace {

using http::Response;

const std::vector<feeds::Offer>& offers_of_pages() {
  static const std::vector<feeds::Offer> kOffers = {feeds::offers_of_feeds()[0], feeds::offers_of_feeds()[1]};
  return kOffers;
}

feeds::ReadyPage ready(const StoredPage& page, std::uint64_t version, Ticks now) {
  const std::string document = http::gunzip(page.gzip, kLongestPage).value();
  std::string html = xslt::html_page(document, feeds::form_suffix("html"));
  feeds::ReadyPage::Headers headers = {
      {"ETag", "W/\"" + to_hex(page.sha256.substr(0, 12)) + "-" + xslt::page_version() + "\""},
      {"Cache-Control", "no-cache"},
      {"Content-Type", std::string(offers_of_pages()[1].content_type)},
      {"Content-Security-Policy", feeds::live_page_policy()}};
  return feeds::ReadyPage(std::move(headers), http::make_bytes(std::move(html)), version, std::nullopt, {},
                          feeds::LastModified(page.modified, now));
}

}  // namespace

bool wants_html_page(const http::Request& request) {
  if (request.query.empty()) return false;
  const feeds::Offer* const named = feeds::named_offer(query_of(request), offers_of_pages());
  return named != nullptr && named->representation == feeds::Representation::kHtml;
}

http::Task<Response> get_page_html(feeds::Engine& engine, const http::Request& request,
                                   std::shared_ptr<feeds::LiveFeed> feed, PageName name) {
  const std::string feed_url = engine.feed_url(feed->facts());
  struct NotComplete {};
  const auto make = [&engine, feed, name, feed_url, version = feed->version()](sql::Session& session) {
    const std::optional<StoredPage> page =
        require_page(session, *feed, name.page, feed_url, engine.options().hub_url, engine.clock().now());
    if (!page) throw NotComplete{};
    if (page->generation != name.generation) throw other_generation(feed_url);
    return ready(*page, version, engine.clock().ticks());
  };
  const std::string key = feeds::page_key(feed->facts().key) + "archive-html\n" + std::to_string(name.generation) +
                          "-" + std::to_string(name.page);
  Response response;
  try {
    const feeds::PageCache::Page page = co_await engine.pages().get(key, feed, false, make);
    response = feeds::answer_with(*page, request, feed, engine.follower(), engine.clock());
  } catch (const NotComplete&) {
    response.status = 303;
    response.with("Location", feed_url).with("Cache-Control", "no-cache");
  }
  co_return response;
}

}  // namespace courant::archive
