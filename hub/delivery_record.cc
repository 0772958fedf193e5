#include "hub/delivery_record.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace courant::hub {
namespace {

using nlohmann::json;

std::string error_of_status(int status) {
  if (status / 100 == 2) return {};
  const std::string error = "the callback answered " + std::to_string(status);
  if (status / 100 == 3) return error + ": redirects are not followed";
  return status == 410 ? error + ": it wants nothing more" : error;
}

json json_of(const Attempt& attempt) {
  json document = json::object();  // part by part: an initialiser list would copy each
  document["ended"] = format_rfc3339(attempt.ended);
  document["status"] = attempt.status;
  document["latency_ms"] = attempt.latency.count();
  document["error"] = attempt.error;
  document["bytes"] = attempt.bytes;
  document["from"] = attempt.from;
  document["to"] = attempt.to;
  return document;
}

std::optional<Attempt> attempt_in(const json& document) {
  try {
    const std::optional<Instant> ended = parse_rfc3339(document.at("ended").get<std::string>());
    if (!ended) return std::nullopt;
    return Attempt{*ended,
                   document.at("status").get<int>(),
                   std::chrono::milliseconds(document.at("latency_ms").get<std::int64_t>()),
                   document.at("error").get<std::string>(),
                   document.at("bytes").get<std::int64_t>(),
                   document.at("from").get<std::int64_t>(),
                   document.at("to").get<std::int64_t>()};
  } catch (const json::exception&) {
    return std::nullopt;
  }
}

}  // namespace

std::string error_of(const http::ClientReply& reply) {
  using Outcome = http::ClientReply::Outcome;
  switch (reply.outcome) {
    case Outcome::kAnswered:
      return error_of_status(reply.status);
    case Outcome::kForbidden:  // one sentence for both, else it would tell which names exist inside our network
    case Outcome::kResolve:
      return "the callback's host has no address that may be called";
    case Outcome::kConnect:
      return "no connection to the callback's host could be made";
    case Outcome::kTls:
      return "no trusted TLS connection to the callback's host could be made";
    case Outcome::kTimeout:
      return "no whole answer came in time";
    case Outcome::kBroken:
      return "the connection broke off, or what came was not HTTP";
    case Outcome::kHeldBack:
      return "too many connections to the callback's network are being opened";
    case Outcome::kStopped:
      return "the hub stopped";
  }
  return "the delivery failed";
}

void DeliveryRecord::add(Attempt attempt) {
  if (attempt.has_succeeded()) {
    last_success_ = std::move(attempt);
    return;
  }
  if (failures_.size() == kFailuresKept) failures_.erase(failures_.begin());
  failures_.push_back(std::move(attempt));
}

const Attempt* DeliveryRecord::last_failure() const {
  const auto delivers = [](const Attempt& one) { return one.to > one.from; };
  const auto last = std::find_if(failures_.rbegin(), failures_.rend(), delivers);
  if (last == failures_.rend()) return nullptr;
  return last_success_ && delivers(*last_success_) && last_success_->ended > last->ended ? nullptr : &*last;
}

std::string DeliveryRecord::to_json() const {
  json document = json::object();
  json& failures = document["failures"] = json::array();
  for (const Attempt& failure : failures_) failures.push_back(json_of(failure));
  if (last_success_) document["last_success"] = json_of(*last_success_);
  return document.dump();
}

DeliveryRecord DeliveryRecord::from_json(std::string_view text) {
  DeliveryRecord record;
  const json document = json::parse(text, nullptr, false);
  if (!document.is_object()) return record;
  std::vector<json> attempts;
  if (const auto success = document.find("last_success"); success != document.end()) attempts.push_back(*success);
  if (const auto failures = document.find("failures"); failures != document.end() && failures->is_array()) {
    attempts.insert(attempts.end(), failures->begin(), failures->end());
  }
  for (const json& one : attempts) {
    if (std::optional<Attempt> attempt = attempt_in(one)) record.add(*std::move(attempt));
  }
  return record;
}

}  // namespace courant::hub
