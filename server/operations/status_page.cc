#include "server/operations/status_page.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "server/operations/hub_page.h"

namespace courant::server {
namespace {

using nlohmann::json;

constexpr std::size_t kFeeds = 12;

// By name, each a list of its series: {"route": "/{workspace}/{feed}", "value": 7}.
json metrics_in(const Metrics& metrics) {
  json all = json::object();
  for (const MetricSample& sample : metrics.samples()) {
    json series = sample.labels;
    series["value"] = sample.value;
    all[sample.name].push_back(std::move(series));
  }
  return all;
}

// Those that move most often first.
json busiest_feeds(feeds::Engine& engine) {
  struct Seen {
    std::chrono::seconds interval;
    std::int64_t head;
    std::shared_ptr<feeds::LiveFeed> feed;
  };
  std::vector<Seen> seen;
  const Ticks now = engine.clock().ticks();
  for (const std::shared_ptr<feeds::LiveFeed>& feed : engine.directory().all()) {
    seen.push_back({feed->rhythm().poll_interval(now, std::chrono::hours(24)), feed->head(), feed});
  }
  const auto is_busier = [](const Seen& a, const Seen& b) {
    return std::tie(a.interval, b.head, a.feed->facts().name) < std::tie(b.interval, a.head, b.feed->facts().name);
  };
  const std::size_t shown = std::min(kFeeds, seen.size());
  std::partial_sort(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(shown), seen.end(), is_busier);
  json list = json::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const feeds::FeedFacts& facts = seen[i].feed->facts();
    list.push_back({{"name", feeds::full_name(facts.workspace, facts.name)}, {"head", seen[i].head}});
  }
  return list;
}

}  // namespace

std::string status_json(Core& core, bool delivers) {
  const auto now = std::chrono::duration<double>(core.clock().now().time_since_epoch()).count();
  json document = {{"time", now},
                   {"ready", core.health().is_ready},
                   {"version", COURANT_VERSION},
                   {"metrics", metrics_in(core.metrics())},
                   {"feeds", busiest_feeds(core.engine())},
                   {"hub", nullptr}};
  document["started"] = document["metrics"]["process_start_time_seconds"][0]["value"];
  if (core.hub() != nullptr && delivers) document["hub"] = json::parse(hub_json(*core.hub()->overview()));
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace courant::server
