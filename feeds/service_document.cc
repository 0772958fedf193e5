#include "feeds/service_document.h"

#include <algorithm>
#include <tuple>

#include "feeds/accepting.h"
#include "feeds/chronicler.h"
#include "feeds/queries.h"
#include "feeds/visibility.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kMostTerms = 1000;

std::string title_element(std::string_view title) {
  return "<atom:title>" + xml_text(title) + "</atom:title>";
}

void append_collection(std::string& out, const Engine& engine, const LiveFeed& feed, const http::Request& request,
                       bool has_position) {
  const std::shared_ptr<const FeedState> state = feed.state();
  const std::string url = xml_attribute(engine.feed_url(feed.facts()));
  out += "<collection href=\"" + url + "\">" + title_element(state->settings.title);
  for (const std::string& type : state->settings.accept) out += "<accept>" + xml_text(type) + "</accept>";
  if (takes_entries(state->settings)) {
    for (const char* const type : kEventTypes) out += "<accept>" + std::string(type) + "</accept>";
  }
  if (state->settings.accept.empty()) out += "<accept/>";
  // The categories are those of all entries.
  if (!asker_of(request).is_filtered()) out += "<categories href=\"" + url + "/categories\"/>";
  if (has_position) {
    out += "<c:log xmlns:c=\"urn:courant:log:1\" position=\"" + std::to_string(feed.head()) + "\"/>";
  }
  out += "</collection>\n";
}

}  // namespace

std::string service_document(Engine& engine, const std::string& only_workspace, const http::Request& request,
                             ServiceFor reader) {
  const bool is_for_people = reader == ServiceFor::kPeople;
  const Parameters query = is_for_people ? query_of(request) : Parameters();
  const std::string* const after = find_parameter(query, "after");  // the last feed of the page before
  const std::string begin = after == nullptr ? "" : *after;
  const std::string begin_workspace = begin.substr(0, begin.find('/'));
  std::vector<std::shared_ptr<LiveFeed>> feeds = engine.directory().all();
  std::ranges::sort(feeds, {}, [](const auto& feed) { return std::tie(feed->facts().workspace, feed->facts().name); });
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<service xmlns=\"http://www.w3.org/2007/app\" "
      "xmlns:atom=\"http://www.w3.org/2005/Atom\">\n";
  std::size_t shown = 0;
  std::string last;
  for (const auto& [name, settings] : engine.options().workspaces) {
    // The server's own feeds are shown to who asks for them.
    if (only_workspace.empty() ? name == kOwnWorkspace : name != only_workspace) continue;
    if (!is_listed(request, name, settings) || name < begin_workspace) continue;
    out += "<workspace>" + title_element(settings.title.empty() ? name : settings.title) + "\n";
    const auto its = std::ranges::equal_range(
        feeds, std::string_view(name), {}, [](const auto& feed) { return std::string_view(feed->facts().workspace); });
    for (const std::shared_ptr<LiveFeed>& feed : its) {
      if (!is_listed(request, name, settings, feed->facts().name)) continue;
      const std::string full = full_name(name, feed->facts().name);
      if (name == begin_workspace && full <= begin) continue;
      if (is_for_people && shown == kFeedsOnPage) {
        const std::string place = only_workspace.empty() ? "/" : "/" + only_workspace;
        const std::string next = place + "?after=" + percent_encode(last, "/");
        return out + "</workspace>\n<atom:link rel=\"next\" href=\"" + xml_attribute(next) + "\"/></service>\n";
      }
      append_collection(out, engine, *feed, request, is_for_people);
      last = full;
      ++shown;
    }
    out += "</workspace>\n";
  }
  return out + "</service>\n";
}

std::string category_document(sql::Session& session, const LiveFeed& feed) {
  const FeedKey key = feed.facts().key;
  const sql::Rows rows =
      session.run(queries::list_terms, sql::Parameters().add(key.lane).add(key.feed).add(kMostTerms));
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<app:categories xmlns:app=\"http://www.w3.org/2007/app\" "
      "xmlns=\"http://www.w3.org/2005/Atom\" fixed=\"no\">\n";
  for (int i = 0; i < rows.size(); ++i) out += "<category term=\"" + xml_attribute(rows[i].text(0)) + "\"/>\n";
  return out + "</app:categories>\n";
}

}  // namespace courant::feeds
