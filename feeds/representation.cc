#include "feeds/representation.h"

#include "http/negotiate.h"
#include "kernel/problem.h"
#include "xslt/page_files.h"

namespace courant::feeds {
namespace {

using Kind = Representation;

Offer html() {
  return {Kind::kHtml, "html", "text/html; charset=utf-8", {"text/html"}};
}

// "atom, html or json"
std::string listed(const std::vector<std::string_view>& words) {
  std::string list;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
    list += words[i];
  }
  return list;
}

}  // namespace

const std::vector<Offer>& offers_of_feeds() {
  static const std::vector<Offer> kOffers = {
      {Kind::kXml,
       "atom",
       "application/atom+xml;type=feed;charset=utf-8",
       {"application/atom+xml", "application/xml", "text/xml"}},
      html(),
      {Kind::kJson, "json", "application/feed+json", {"application/feed+json", "application/json"}},
      {Kind::kRss, "rss", "application/rss+xml;charset=utf-8", {"application/rss+xml"}},
      {Kind::kCloudEvents, "cloudevents", "application/cloudevents-batch+json", {"application/cloudevents-batch+json"}},
      {Kind::kEvents, "events", "text/event-stream", {"text/event-stream"}}};
  return kOffers;
}

const std::vector<Offer>& offers_of_entries() {
  static const std::vector<Offer> kOffers = {
      {Kind::kXml,
       "atom",
       "application/atom+xml;type=entry;charset=utf-8",
       {"application/atom+xml", "application/xml", "text/xml"}},
      html(),
      {Kind::kCloudEvents, "cloudevents", "application/cloudevents+json", {"application/cloudevents+json"}}};
  return kOffers;
}

const std::vector<Offer>& offers_of_services() {
  static const std::vector<Offer> kOffers = {
      {Kind::kXml, "atom", "application/atomsvc+xml", {"application/atomsvc+xml", "application/xml", "text/xml"}},
      html()};
  return kOffers;
}

const Offer* named_offer(const Parameters& query, const std::vector<Offer>& offers) {
  const std::string* const format = find_parameter(query, "format");
  if (format == nullptr) return nullptr;
  std::vector<std::string_view> words;
  for (const Offer& offer : offers) {
    if (*format == offer.format) return &offer;
    words.push_back(offer.format);
  }
  throw Problem(400, "format must be " + listed(words) + ", not " + *format);
}

const Offer& choose_representation(const http::Request& request, const Parameters& query,
                                   const std::vector<Offer>& offers) {
  if (const Offer* const named = named_offer(query, offers)) return *named;
  if (!request.header("accept")) return offers.front();
  std::vector<std::string_view> types;
  std::vector<const Offer*> meant;
  for (const Offer& offer : offers) {
    for (const std::string_view type : offer.media_types) {
      types.push_back(type);
      meant.push_back(&offer);
    }
  }
  const std::optional<std::size_t> chosen = http::choose_media_type(request.combined_header("accept"), types);
  if (chosen) return *meant[*chosen];
  std::vector<std::string_view> first;
  for (const Offer& offer : offers) first.push_back(offer.media_types.front());
  throw Problem(406, "This is served as " + listed(first));
}

std::string form_suffix(std::string_view format) {
  return format == "atom" ? "" : "format=" + std::string(format);
}

std::string tag_word(const Offer& offer) {
  std::string word(offer.format);
  if (offer.representation == Representation::kHtml) word += "-" + xslt::page_version();
  return word;
}

std::string link_suffix(const Parameters& query) {
  const std::string* const format = find_parameter(query, "format");
  return format != nullptr ? form_suffix(*format) : "";
}

std::string with_suffix(std::string href, std::string_view suffix) {
  if (suffix.empty()) return href;
  href += href.find('?') == std::string::npos ? '?' : '&';
  return href.append(suffix);
}

}  // namespace courant::feeds
