#include "server/admission/meter.h"

#include <algorithm>

#include "access/identity.h"
#include "access/signed_url.h"
#include "http/address.h"
#include "kernel/problem.h"

namespace courant::server {
namespace {

using access::RateLimiter;
using http::Request;
using http::Response;
using http::Use;

template <std::size_t... Index>
std::array<RateLimiter, http::kUses> limiters_of(const MeterOptions::Limits& limits, std::index_sequence<Index...>) {
  return {RateLimiter(limits[Index])...};
}

std::string_view name_of(Use use) {
  return http::kNamesOfUses[static_cast<std::size_t>(use)];
}

std::int64_t seconds_until(std::chrono::milliseconds duration) {
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count(), 1);
}

// The two fields of the draft: what holds, and what is left of it.
std::string policy_of(Use use, const RateLimiter& limiter) {
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(limiter.period()).count();
  return "\"" + std::string(name_of(use)) + "\";q=" + std::to_string(limiter.most()) + ";w=" + std::to_string(window);
}
std::string state_of(Use use, const RateLimiter::Taken& taken) {
  return "\"" + std::string(name_of(use)) + "\";r=" + std::to_string(taken.left) +
         ";t=" + std::to_string(seconds_until(taken.until));
}

constexpr auto kRequests = static_cast<std::size_t>(Use::kRequests);

// That was good: a token, or a signed URL.
bool has_credentials(const Request& request) {
  return request.identity && !request.identity->is_anonymous();
}

// Good or not.
bool shows_credentials(const Request& request) {
  return request.header("authorization") || access::is_signed(request.query);
}

bool says_what_is_left(const Response& response) {
  return std::any_of(response.headers.begin(), response.headers.end(),
                     [](const auto& field) { return field.first == "RateLimit"; });
}

// Whoever watches over the server must see it under a flood.
bool is_probe(const Request& request) {
  return request.segments.size() > 1 && request.segments[0] == "-" && request.segments[1] == "health";
}

}  // namespace

Meter::Meter(http::Handler& inner, MeterOptions options, Usage& usage, const Clock& clock, Metrics& metrics)
    : inner_(inner),
      options_(std::move(options)),
      usage_(usage),
      clock_(clock),
      by_address_(limiters_of(options_.per_address, std::make_index_sequence<http::kUses>())),
      by_token_(limiters_of(options_.per_token, std::make_index_sequence<http::kUses>())) {
  for (std::size_t use = 0; use < http::kUses; ++use) {
    refused_[use] = &metrics.counter("courant_limited_total", "Requests that were refused because too much was used",
                                     {{"of", std::string(http::kNamesOfUses[use])}});
  }
}

std::uint64_t Meter::admit(Request& request) {
  if (is_probe(request)) return inner_.admit(request);
  request.spending = this;
  if (!shows_credentials(request)) {
    spend(request, Use::kRequests, 1);
    return inner_.admit(request);
  }
  std::uint64_t most = 0;
  try {
    most = inner_.admit(request);
  } catch (...) {
    spend(request, Use::kRequests, 1);  // where that is too much it is what is answered
    throw;
  }
  spend(request, Use::kRequests, 1);
  return most;
}

void Meter::spend(const Request& request, Use use, std::int64_t amount) {
  Usage::Counts& counts = counts_of(request);
  take(request, use, amount, counts);
  counts.used[static_cast<std::size_t>(use)].fetch_add(amount, std::memory_order_relaxed);
}

void Meter::take(const Request& request, Use use, std::int64_t amount, Usage::Counts& counts) {
  const auto index = static_cast<std::size_t>(use);
  if (has_credentials(request)) {
    const char* const who = request.identity->is_signed_page() ? "this signed URL" : "this token";
    take(by_token_[index], request.identity->name(), who, use, amount, counts);
  } else if (by_address_[index].is_limited()) {
    take(by_address_[index], http::counted_address(request.client_address), "this address", use, amount, counts);
  }
}

void Meter::take(RateLimiter& limiter, std::string_view whom, const char* who, Use use, std::int64_t amount,
                 Usage::Counts& counts) {
  const RateLimiter::Taken taken = limiter.take(whom, amount, clock_.ticks());
  if (taken.is_granted) return;
  refused_[static_cast<std::size_t>(use)]->add();
  counts.refused.fetch_add(1, std::memory_order_relaxed);
  throw Problem(429, "Too many " + std::string(name_of(use)) + " came from " + who + ": " +
                         std::to_string(limiter.most()) + " are taken in a minute")
      .with("Retry-After", std::to_string(seconds_until(taken.until)))
      .with("RateLimit-Policy", policy_of(use, limiter))
      .with("RateLimit", state_of(use, taken));
}

Usage::Counts& Meter::counts_of(const Request& request) const {
  const bool is_known = !request.segments.empty() && options_.is_workspace(request.segments.front());
  return usage_.of(request.identity ? std::string_view(request.identity->name()) : "anonymous",
                   is_known ? std::string_view(request.segments.front()) : std::string_view());
}

Response Meter::finished(Response response, const Request& request) {
  response = inner_.finished(std::move(response), request);
  Usage::Counts& counts = counts_of(request);
  const auto bytes =
      static_cast<std::int64_t>(response.body && request.method != http::Method::kHead ? response.body->size() : 0);
  counts.sent.fetch_add(bytes, std::memory_order_relaxed);
  // The same bytes may come from an address that has used more, and the next answer to a token says something else.
  if (by_address_[kRequests].is_limited() || by_token_[kRequests].is_limited()) response.holds = nullptr;
  if (response.holds) {
    response.holds = [inner = std::move(response.holds), &counts, bytes] {
      if (!inner()) return false;
      counts.used[kRequests].fetch_add(1, std::memory_order_relaxed);
      counts.sent.fetch_add(bytes, std::memory_order_relaxed);
      return true;
    };
  }
  return response;
}

void Meter::stamp(Response& response, const Request& request) const {
  inner_.stamp(response, request);
  if (request.spending == nullptr) return;  // a probe, or what was refused before anybody could be asked
  const bool is_known = has_credentials(request);
  const RateLimiter& limiter = (is_known ? by_token_ : by_address_)[kRequests];
  if (!limiter.is_limited() || says_what_is_left(response)) return;
  const std::string whom = is_known ? request.identity->name() : http::counted_address(request.client_address);
  response.with("RateLimit-Policy", policy_of(Use::kRequests, limiter));
  response.with("RateLimit", state_of(Use::kRequests, limiter.look(whom, clock_.ticks())));
}

}  // namespace courant::server
