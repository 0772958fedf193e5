#include "feeds/judging.h"

#include "feeds/posting.h"
#include "feeds/visibility.h"
#include "kernel/problem.h"

namespace courant::feeds {

PostRules judging_rules(const Engine& engine, const FeedSettings& settings, const http::Request& request,
                        const http::PathArguments& arguments) {
  PostRules rules = post_rules(engine, settings, engine.feed_url(arguments[0], arguments[1]));
  rules.around.workspace = arguments[0];
  rules.around.feed = arguments[1];
  rules.around.identity = asker_of(request).name();
  rules.around.request = request.id.text();
  rules.around.time = engine.clock().now();
  return rules;
}

std::shared_ptr<const EntryDoor> door_to_pass(const Engine& engine, const FeedSettings& settings) {
  Result<std::shared_ptr<const EntryDoor>> door = engine.doors()->of(settings.door);
  if (door) return *std::move(door);
  throw Problem(503, "This server cannot use the schema or the stylesheet of the feed; its log says why")
      .with("Retry-After", "60");
}

}  // namespace courant::feeds
