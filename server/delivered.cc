#include "server/delivered.h"

#include <nlohmann/json.hpp>

#include "http/prefer.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::server {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

// Throws Problem 400.
std::int64_t asked_position(const Parameters& parameters) {
  const std::string* const text = find_parameter(parameters, "position");
  if (text == nullptr) throw Problem(400, "Say which position: ?position=7, as Feed-Position has it");
  const std::optional<std::uint64_t> position = parse_unsigned(*text);
  if (!position || *position >> 62 != 0) throw Problem(400, "position must be a position, not '" + *text + "'");
  return static_cast<std::int64_t>(*position);
}

// As for readers' markers.
Problem beyond_head(const feeds::Engine& engine, const feeds::LiveFeed& feed, std::int64_t position) {
  std::string detail = "Position " + std::to_string(position) + " is beyond the newest entry, which has position " +
                       std::to_string(feed.head());
  const bool may_be_lost = feed.state()->generation > 1;
  if (may_be_lost) detail += ": it is of a time before the log was restored";
  return Problem(may_be_lost ? 410 : 400, std::move(detail))
      .with("Link", "<" + engine.feed_url(feed.facts()) + ">; rel=\"current\"");
}

Response response_of(std::int64_t position, const hub::Confirmed& count, std::optional<std::chrono::seconds> wait) {
  const nlohmann::ordered_json document = {
      {"position", position}, {"subscriptions", count.subscriptions}, {"confirmed", count.confirmed}};
  Response response = http::text_response(200, "application/json", document.dump() + "\n");
  response.with("Cache-Control", "no-store");
  if (wait) response.with("Preference-Applied", "wait=" + std::to_string(wait->count()));
  return response;
}

Task<Response> get_delivered(feeds::Engine& engine, hub::Hub& hub, const Request& request, PathArguments arguments) {
  const Ticks asked = engine.clock().ticks();
  const std::int64_t position = asked_position(query_of(request));
  const std::optional<std::chrono::seconds> wait = http::wait_preference(request, engine.options().wait_cap);
  const std::shared_ptr<feeds::LiveFeed> feed = co_await engine.require_feed(arguments[0], arguments[1]);
  if (position > feed->head()) co_await engine.ask_database(feed);
  if (position > feed->head()) throw beyond_head(engine, *feed, position);
  const feeds::FeedKey key = feed->facts().key;
  const Ticks until = asked + wait.value_or(std::chrono::seconds(0));
  if (wait && wait->count() > 0) request.spend(http::Use::kWaits, 1);
  const hub::Confirmed count = co_await hub.confirmed({key.lane, key.feed, position}, until, request.presence);
  co_return response_of(position, count, wait);
}

}  // namespace

http::Route delivered_route(feeds::Engine& engine, hub::Hub& hub) {
  const auto answer = [&engine, &hub](const Request& request, PathArguments arguments) {
    return get_delivered(engine, hub, request, std::move(arguments));
  };
  return {"/{workspace}/{feed}/delivered", http::Method::kGet, answer, nullptr, nullptr, http::Need::kRead, true};
}

}  // namespace courant::server
