// What a client publishes to a feed that asks for more than Atom's rules is judged: what is small here and now, as far
// as that takes no time to speak of; all else, and what takes longer, on the workshop's threads.
// docs/decisions/0016-schemas-and-stylesheets.md ("Where it runs").
// Threads: io threads.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "feeds/batch.h"
#include "feeds/engine.h"
#include "http/let_others.h"
#include "http/router.h"
#include "schema/patience.h"

namespace courant::feeds {

inline constexpr std::size_t kJudgedAtOnce = 16 << 10;  // bytes of a body, at most

// What the feed asks of what is posted to it, but for its door.
PostRules judging_rules(const Engine& engine, const FeedSettings& settings, const http::Request& request,
                        const http::PathArguments& arguments);

// The feed's door. Reads files where it is new, so not on io threads; throws Problem 503 where it cannot be used.
std::shared_ptr<const EntryDoor> door_to_pass(const Engine& engine, const FeedSettings& settings);

// judge: of const PostRules&, what the entries are. It may be called twice, and throws what is wrong with them. The
// caller keeps what is referred to.
template <class Judge>
http::Task<std::invoke_result_t<Judge, const PostRules&>> judged(Engine& engine, const FeedSettings& settings,
                                                                 const http::Request& request,
                                                                 const http::PathArguments& arguments, Judge judge) {
  PostRules rules = judging_rules(engine, settings, request, arguments);
  if (request.body.size() <= kJudgedAtOnce) rules.door = engine.doors()->find(settings.door);
  if (rules.door) {
    const std::chrono::milliseconds most = std::exchange(rules.max_batch_time, schema::kFirstTry.time);
    rules.around.patience = schema::kFirstTry;
    std::optional<std::invoke_result_t<Judge, const PostRules&>> made;
    try {
      made.emplace(judge(rules));
    } catch (const schema::OutOfPatience&) {
    }
    if (made) {
      // Entries that are here as well are judged before this one is handed over: they are written together.
      co_await http::let_others_go_first();
      co_return *std::move(made);
    }
    rules.around.patience = {};
    rules.max_batch_time = most;
  }
  const auto judge_patiently = [&] {
    rules.door = door_to_pass(engine, settings);
    return judge(rules);
  };
  co_return co_await engine.workshop().run(judge_patiently);
}

}  // namespace courant::feeds
