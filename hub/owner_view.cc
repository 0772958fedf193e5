#include "hub/owner_view.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "kernel/text.h"

namespace courant::hub {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t lag_of(const OwnerView& view) {
  return std::max<std::int64_t>(0, view.backlog.head - view.owned.subscription.cursor);
}

std::int64_t lag_seconds_of(const OwnerView& view) {
  if (!view.backlog.oldest || lag_of(view) == 0) return 0;
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(view.now - *view.backlog.oldest);
  return std::max<std::int64_t>(0, age.count());
}

// The next attempt is known also where nothing has failed yet: while others cannot reach the same host.
bool is_failing(const OwnerView& view) {
  const Subscription& subscription = view.owned.subscription;
  return subscription.failures > 0 || (subscription.next_attempt && lag_of(view) > 0);
}

std::optional<Instant> next_attempt_of(const OwnerView& view) {
  const bool is_known = is_failing(view) && !view.owned.subscription.wishes.is_paused;
  return is_known ? view.owned.subscription.next_attempt : std::nullopt;
}

Json json_of_instant(const std::optional<Instant>& instant) {
  return instant ? Json(format_rfc3339(*instant)) : Json();
}

Json json_of_attempt(const Attempt& attempt) {
  Json document = {{"ended", format_rfc3339(attempt.ended)}, {"status", attempt.status}};
  if (!attempt.error.empty()) document["error"] = attempt.error;
  document["latency_ms"] = attempt.latency.count();
  document["bytes"] = attempt.bytes;
  document["from"] = attempt.from;
  document["to"] = attempt.to;
  return document;
}

Json json_of_preview(const OwnerView& view) {
  const Preview& preview = *view.preview;
  return {{"search", view.preview_search},
          {"from", preview.from},
          {"to", preview.to},
          {"entries", preview.entries},
          {"first", preview.first}};
}

void add_element(std::string& xml, const std::string& name, const std::string& text) {
  xml += "<" + name + ">" + xml_text(text) + "</" + name + ">";
}

void add_attempt(std::string& xml, const std::string& name, const Attempt& attempt) {
  xml += "<" + name + " ended=\"" + format_rfc3339(attempt.ended) + "\" status=\"" + std::to_string(attempt.status) +
         "\" latency=\"" + std::to_string(attempt.latency.count()) + "\" from=\"" + std::to_string(attempt.from) +
         "\" to=\"" + std::to_string(attempt.to) + "\">" + xml_text(attempt.error) + "</" + name + ">";
}

std::string failure_in_words(const OwnerView& view) {
  const std::int64_t failures = view.owned.subscription.failures;
  const Attempt* const last = view.owned.subscription.record.last_failure();
  std::string words = failures > 1 ? "The last " + std::to_string(failures) + " deliveries failed"
                                   : std::string("The last delivery failed");
  words = last != nullptr ? words + ": " + last->error : "The callback's host cannot be reached";
  const std::optional<Instant> next = next_attempt_of(view);
  const bool is_ahead = next && *next > view.now;
  words += ". The next document is tried again " + (is_ahead ? "at " + format_rfc3339(*next) : std::string("soon"));
  return words + ", and nothing else is sent before the callback has taken it.";
}

std::string pace_in_words(const Wishes& wishes) {
  std::string words;
  if (wishes.gather.count() > 0) {
    words += " What is new is gathered for " + std::to_string(wishes.gather.count()) + " seconds.";
  }
  if (wishes.documents_per_minute > 0) {
    words += " At most " + std::to_string(wishes.documents_per_minute) + " documents a minute are sent.";
  }
  return words;
}

}  // namespace

std::string state_of(const OwnerView& view) {
  const Subscription& subscription = view.owned.subscription;
  if (lacks_secret(subscription, view.now)) return "no secret";
  if (subscription.wishes.is_paused) return "paused";
  if (is_failing(view)) return "failing";
  return lag_of(view) > 0 ? "behind" : "current";
}

std::string explanation_of(const OwnerView& view) {
  const Subscription& subscription = view.owned.subscription;
  const std::string state = state_of(view);
  if (state == "no secret") {
    return "The hub cannot read the secret any more and sends nothing unsigned: set a new one, with no time for the "
           "old "
           "one. If its operator finds the key again, what has waited is sent.";
  }
  if (state == "paused") return "Nothing is sent until it is resumed.";
  if (state == "failing") return failure_in_words(view);
  if (state == "behind") return "What is new is on its way." + pace_in_words(subscription.wishes);
  return "Everything has been delivered: nothing new has been published, or nothing that the filter lets through.";
}

std::string json_of(const OwnerView& view) {
  const Subscription& subscription = view.owned.subscription;
  const Wishes& wishes = subscription.wishes;
  const bool signs_twice = old_secret_of(subscription, view.now).has_value();
  Json document = {{"state", state_of(view)},
                   {"explanation", explanation_of(view)},
                   {"topic", subscription.self},
                   {"callback", subscription.callback},
                   {"verified", format_rfc3339(subscription.verified)},
                   {"lease_until", format_rfc3339(subscription.lease_until)},
                   {"position", subscription.told},
                   {"cursor", subscription.cursor},
                   {"head", view.backlog.head},
                   {"kept_after", view.backlog.floor},
                   {"lag_entries", lag_of(view)},
                   {"lag_seconds", lag_seconds_of(view)},
                   {"failures", subscription.failures},
                   {"next_attempt", json_of_instant(next_attempt_of(view))},
                   {"documents_per_minute", wishes.documents_per_minute},
                   {"gather_seconds", wishes.gather.count()},
                   {"is_signed", subscription.secret.has_value()},
                   {"old_secret_until", json_of_instant(signs_twice ? wishes.old_secret_until : std::nullopt)},
                   {"waiting", view.owned.waiting},
                   {"last_success", Json()},
                   {"last_failures", Json::array()}};
  if (const std::optional<Attempt>& success = subscription.record.last_success()) {
    document["last_success"] = json_of_attempt(*success);
  }
  for (const Attempt& failure : subscription.record.failures()) {
    document["last_failures"].push_back(json_of_attempt(failure));
  }
  if (view.preview) document["preview"] = json_of_preview(view);
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string xml_of(const OwnerView& view) {
  const Subscription& subscription = view.owned.subscription;
  const Wishes& wishes = subscription.wishes;
  std::string xml = "<subscription xmlns=\"urn:courant:subscription:1\">";
  add_element(xml, "page", view.page);
  add_element(xml, "state", state_of(view));
  add_element(xml, "explanation", explanation_of(view));
  for (const std::string& kind : view.owned.waiting) add_element(xml, "waiting", kind);
  add_element(xml, "topic", subscription.self);
  add_element(xml, "callback", subscription.callback);
  add_element(xml, "verified", format_rfc3339(subscription.verified));
  add_element(xml, "lease", format_rfc3339(subscription.lease_until));
  add_element(xml, "position", std::to_string(subscription.told));
  add_element(xml, "cursor", std::to_string(subscription.cursor));
  add_element(xml, "head", std::to_string(view.backlog.head));
  add_element(xml, "floor", std::to_string(view.backlog.floor));
  add_element(xml, "lag", std::to_string(lag_of(view)));
  add_element(xml, "lag-seconds", std::to_string(lag_seconds_of(view)));
  if (const auto next = next_attempt_of(view)) add_element(xml, "next-attempt", format_rfc3339(*next));
  add_element(xml, "rate", std::to_string(wishes.documents_per_minute));
  add_element(xml, "gather", std::to_string(wishes.gather.count()));
  if (subscription.secret) add_element(xml, "signed", "");
  if (old_secret_of(subscription, view.now)) add_element(xml, "old-secret", format_rfc3339(*wishes.old_secret_until));
  if (const std::optional<Attempt>& success = subscription.record.last_success()) {
    add_attempt(xml, "success", *success);
  }
  for (const Attempt& failure : subscription.record.failures()) add_attempt(xml, "failure", failure);
  if (view.preview) {
    const Preview& preview = *view.preview;
    xml += "<preview from=\"" + std::to_string(preview.from) + "\" to=\"" + std::to_string(preview.to) +
           "\" entries=\"" + std::to_string(preview.entries) + "\">";
    add_element(xml, "search", view.preview_search);
    for (const std::string& id : preview.first) add_element(xml, "id", id);
    xml += "</preview>";
  }
  return xml + "</subscription>";
}

}  // namespace courant::hub
