#include "server/admission/meter.h"

#include "access/identity.h"
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

bool has_token(const Request& request) {
  return request.identity && !request.identity->is_anonymous();
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
  constexpr auto kRequests = static_cast<std::size_t>(Use::kRequests);
  if (by_address_[kRequests].is_limited()) take(request, Use::kRequests, 1, usage_.of("anonymous", {}));
  const std::uint64_t most = inner_.admit(request);
  Usage::Counts& counts = counts_of(request);
  if (has_token(request)) take(request, Use::kRequests, 1, counts);
  counts.used[kRequests].fetch_add(1, std::memory_order_relaxed);
  return most;
}

void Meter::spend(const Request& request, Use use, std::int64_t amount) {
  Usage::Counts& counts = counts_of(request);
  take(request, use, amount, counts);
  counts.used[static_cast<std::size_t>(use)].fetch_add(amount, std::memory_order_relaxed);
}

// Of a token's bucket where it is known who asks, and of his address's else.
void Meter::take(const Request& request, Use use, std::int64_t amount, Usage::Counts& counts) {
  const auto index = static_cast<std::size_t>(use);
  if (has_token(request)) {
    take(by_token_[index], request.identity->name(), "this token", use, amount, counts);
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
  constexpr auto kRequests = static_cast<std::size_t>(Use::kRequests);
  const bool is_by_token = has_token(request);
  if (RateLimiter& limiter = (is_by_token ? by_token_ : by_address_)[kRequests]; limiter.is_limited()) {
    const std::string whom = is_by_token ? request.identity->name() : http::counted_address(request.client_address);
    response.with("RateLimit-Policy", policy_of(Use::kRequests, limiter));
    response.with("RateLimit", state_of(Use::kRequests, limiter.take(whom, 0, clock_.ticks())));
  }
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

}  // namespace courant::server
