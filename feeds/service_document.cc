#include "feeds/service_document.h"

#include <algorithm>

#include "feeds/accepting.h"
#include "feeds/chronicler.h"
#include "feeds/queries.h"
#include "feeds/visibility.h"
#include "kernel/text.h"

namespace courant::feeds {
namespace {

constexpr std::int64_t kMostTerms = 1000;

std::string title_element(std::string_view title) {
  return "<atom:title>" + xml_text(title) + "</atom:title>";
}

}  // namespace

std::string service_document(Engine& engine, const std::string& only_workspace, const http::Request& request) {
  std::vector<std::shared_ptr<LiveFeed>> feeds = engine.directory().all();
  std::sort(feeds.begin(), feeds.end(), [](const auto& a, const auto& b) { return a->facts().name < b->facts().name; });
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<service xmlns=\"http://www.w3.org/2007/app\" "
      "xmlns:atom=\"http://www.w3.org/2005/Atom\">\n";
  for (const auto& [name, settings] : engine.options().workspaces) {
    // The server's own feeds are shown to who asks for them.
    if (only_workspace.empty() ? name == kOwnWorkspace : name != only_workspace) continue;
    if (!is_listed(request, name, settings)) continue;
    out += "<workspace>" + title_element(settings.title.empty() ? name : settings.title) + "\n";
    for (const std::shared_ptr<LiveFeed>& feed : feeds) {
      if (feed->facts().workspace != name || !is_listed(request, name, settings, feed->facts().name)) continue;
      const std::shared_ptr<const FeedState> state = feed->state();
      out += "<collection href=\"" + xml_attribute(engine.feed_url(feed->facts())) + "\">" +
             title_element(state->settings.title);
      for (const std::string& type : state->settings.accept) out += "<accept>" + xml_text(type) + "</accept>";
      if (takes_entries(state->settings)) {
        for (const char* const type : kEventTypes) out += "<accept>" + std::string(type) + "</accept>";
      }
      if (state->settings.accept.empty()) out += "<accept/>";
      out += "<categories href=\"" + xml_attribute(engine.feed_url(feed->facts())) + "/categories\"/></collection>\n";
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
