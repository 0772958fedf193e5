#include "feeds/forms.h"

#include "feeds/cloud_events.h"
#include "feeds/feed_view.h"
#include "feeds/json_feed.h"
#include "feeds/render.h"
#include "feeds/rss.h"

namespace courant::feeds {

std::string in_form(std::string document, Representation wanted, const std::string& feed_url, const std::string& suffix,
                    xslt::Reach reach) {
  switch (wanted) {
    case Representation::kHtml:
      return xslt::html_page(document, suffix, reach);
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

std::string in_offer(std::string document, const Offer& offer, const FeedFacts& feed, const std::string& feed_url,
                     const std::string& suffix, const FurtherForms* forms, xslt::Reach reach) {
  if (offer.further == nullptr) return in_form(std::move(document), offer.representation, feed_url, suffix, reach);
  return forms->make(*offer.further, {feed.workspace, feed.name, suffix}, document);
}

std::size_t range_begin_in(std::string_view document, Representation form) {
  constexpr std::string_view kInJson = "\"range\": {\n   \"previous\": ";  // no text in JSON holds quotes as they are
  switch (form) {
    case Representation::kXml:
    case Representation::kRss:
      return range_begin_in(document);
    case Representation::kJson:
      return document.find(kInJson) + kInJson.size();
    default:
      return std::string_view::npos;
  }
}

}  // namespace courant::feeds
