#include "hub/foreign_fetcher.h"

#include <algorithm>

#include "http/gzip.h"
#include "hub/foreign_url.h"
#include "hub/retry_law.h"
#include "kernel/text.h"

namespace courant::hub {
namespace {

using End = Fetched::End;

constexpr int kMaxRedirects = 5;
constexpr std::size_t kMaxField = 500;  // of a field that is kept and sent on

Fetched ended(End end, std::string why) {
  Fetched fetched;
  fetched.end = end;
  fetched.why = std::move(why);
  return fetched;
}

// A field that may be kept and sent again: short, visible ASCII. Empty: there is none.
std::string field_of(const http::ClientReply& reply, std::string_view name) {
  const std::string field(reply.header(name).value_or(""));
  const bool is_clean = std::ranges::all_of(field, [](char c) { return c >= ' ' && c < 0x7F; });
  return is_clean && field.size() <= kMaxField ? field : std::string();
}

bool is_redirect(const http::ClientReply& reply) {
  constexpr int kRedirects[] = {301, 302, 303, 307, 308};
  return reply.outcome == http::ClientReply::Outcome::kAnswered && std::ranges::count(kRedirects, reply.status) > 0;
}

bool is_temporary(int status) {
  return status >= 500 || status == 408 || status == 425 || status == 429;
}

// What was modified in the second in which it was sent may be modified again in that second, and many servers make
// their entity tags of it as well (RFC 9110 section 8.8.2.2): nothing is kept then.
Validators validators_of(const http::ClientReply& reply, const std::string& place, Instant now) {
  Validators validators{place, field_of(reply, "ETag"), field_of(reply, "Last-Modified")};
  const std::optional<Instant> modified = parse_http_date(validators.last_modified, now);
  const std::optional<Instant> sent = parse_http_date(field_of(reply, "Date"), now);
  if (modified && sent.value_or(now) - *modified < std::chrono::seconds(1)) return {place, {}, {}};
  return validators;
}

Fetched unanswered(const http::ClientReply& reply) {
  using Outcome = http::ClientReply::Outcome;
  switch (reply.outcome) {
    case Outcome::kStopped:
      return ended(End::kStopped, "the hub is being stopped");
    case Outcome::kHeldBack:
      return ended(End::kHeldBack, "its network is asked too often");
    case Outcome::kForbidden:
      return ended(End::kRefused, "its address is not allowed");
    default:
      return ended(End::kFailed, "no answer (" + std::string(http::outcome_name(reply.outcome)) + ")");
  }
}

}  // namespace

ForeignFetcher::ForeignFetcher(const ForeignLimits& limits, Transport& transport,
                               std::shared_ptr<const http::AddressGuard> guard, const Clock& clock)
    : limits_(limits),
      transport_(transport),
      guard_(std::move(guard)),
      clock_(clock),
      hosts_(static_cast<double>(limits.per_host)),
      networks_(static_cast<double>(limits.per_network)) {}

void ForeignFetcher::set_share(double share) {
  hosts_.set_rate(static_cast<double>(limits_.per_host) * share);
  const std::lock_guard lock(mutex_);
  networks_.set_rate(static_cast<double>(limits_.per_network) * share);
}

bool ForeignFetcher::take_turn(const std::string& host) {
  const Ticks now = clock_.ticks();
  if (!hosts_.has_turn(host, now)) return false;
  hosts_.take(host, now);
  return true;
}

bool ForeignFetcher::admits(const http::Address& address) {
  const std::string network = http::neighbourhood(address).text();
  const Ticks now = clock_.ticks();
  const std::lock_guard lock(mutex_);
  if (!networks_.has_turn(network, now)) return false;
  networks_.take(network, now);
  return true;
}

http::Task<Fetched> ForeignFetcher::fetch(std::string url, Validators known) {
  const Ticks give_up = clock_.ticks() + limits_.timeout;
  bool was_secure = false;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    const Result<ForeignUrl> target = read_foreign_url(url);
    if (!target)
      co_return ended(End::kRefused, "it redirects to a URL that cannot be fetched: " + target.fault().detail);
    const bool is_secure = target->parts.scheme == "https";
    if (was_secure && !is_secure) co_return ended(End::kRefused, "it redirects from https to http");
    was_secure = is_secure;
    if (guard_->refusal_of_literal(target->parts)) co_return ended(End::kRefused, "its address is not allowed");
    if (redirects > 0 && !take_turn(target->host)) co_return ended(End::kHeldBack, "its host is asked too often");
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(give_up - clock_.ticks());
    if (left.count() <= 0) co_return ended(End::kFailed, "it took longer than " + format_duration(limits_.timeout));

    const Validators asked = target->text == known.place ? known : Validators();
    http::ClientRequest request;
    request.url = target->text;
    request.deadline = left;
    request.max_body = static_cast<std::size_t>(limits_.max_bytes);
    request.headers = {{"Accept-Encoding", "gzip"}};
    if (!asked.etag.empty()) request.headers.emplace_back("If-None-Match", asked.etag);
    if (!asked.last_modified.empty()) request.headers.emplace_back("If-Modified-Since", asked.last_modified);
    request.admits = [this](const http::Address& address) { return admits(address); };
    http::ClientReply reply = co_await send(transport_, std::move(request));
    if (!is_redirect(reply)) co_return judged(std::move(reply), target->text, asked);
    url = reply.redirect_url.substr(0, reply.redirect_url.find('#'));
    if (url.empty()) co_return ended(End::kRefused, "it redirects nowhere");
  }
  co_return ended(End::kRefused, "it redirects more than " + std::to_string(kMaxRedirects) + " times");
}

Fetched ForeignFetcher::judged(http::ClientReply reply, const std::string& place, const Validators& asked) const {
  if (reply.outcome != http::ClientReply::Outcome::kAnswered) return unanswered(reply);
  Fetched fetched;
  if (reply.status == 304 && !(asked.etag.empty() && asked.last_modified.empty())) {
    fetched.end = End::kUnchanged;
    fetched.validators = asked;
    return fetched;
  }
  if (reply.status != 200 && reply.status != 203) {
    fetched =
        ended(is_temporary(reply.status) ? End::kFailed : End::kRefused, "it answers " + std::to_string(reply.status));
    const std::optional<std::string_view> field = reply.header("Retry-After");
    if (field) fetched.pause = retry_after(*field, clock_.now());
    return fetched;
  }
  const auto max_bytes = static_cast<std::uint64_t>(limits_.max_bytes);
  const std::string too_long = "it is longer than " + std::to_string(max_bytes) + " bytes";
  if (reply.is_cut) return ended(End::kRefused, too_long);
  const std::string coding = ascii_lower(trim(reply.header("Content-Encoding").value_or("")));
  if (coding == "gzip" || coding == "x-gzip") {
    http::Unpacked unpacked = http::unpack(reply.body, max_bytes);
    if (unpacked.end == http::Unpacked::End::kTooLong) return ended(End::kRefused, too_long);
    if (unpacked.end == http::Unpacked::End::kBroken) return ended(End::kRefused, "its gzip is broken");
    reply.body = std::move(unpacked.bytes);
  } else if (!coding.empty() && coding != "identity") {
    return ended(End::kRefused, "it is in a content coding that was not asked for");
  }
  fetched.end = End::kBody;
  fetched.validators = validators_of(reply, place, clock_.now());
  fetched.content_type = field_of(reply, "Content-Type");
  if (fetched.content_type.empty()) fetched.content_type = "application/octet-stream";
  fetched.body = std::move(reply.body);
  return fetched;
}

}  // namespace courant::hub
