// The meter: stands before all others, counts what everybody uses, and refuses what is too much (429). Who shows a good
// token or signed URL is counted as that, and never as his address, which he may share with many; who shows none as his
// address, before anything is done for him; who shows a wrong one, too, as soon as that is known, so that a flood of
// those is one of requests. Specification: RFC 6585 section 4 (429), RFC 9110 section 10.2.3 (Retry-After),
// draft-ietf-httpapi-ratelimit-headers-10 (RateLimit, RateLimit-Policy); docs/API.md ("Limits"). Threads: io threads,
// without locks.
#pragma once

#include <array>
#include <functional>
#include <string>

#include "access/rate_limiter.h"
#include "http/handler.h"
#include "http/spending.h"
#include "kernel/metrics.h"
#include "server/admission/usage.h"

namespace courant::server {

struct MeterOptions {
  using Limits = std::array<std::int64_t, http::kUses>;  // in a minute, by http::Use; 0: none
  Limits per_address{};
  Limits per_token{};
  // Whether there is such a workspace: names of others are not counted by.
  std::function<bool(std::string_view workspace)> is_workspace;
};

class Meter final : public http::Handler, private http::Spending {
 public:
  // All must outlive it.
  Meter(http::Handler& inner, MeterOptions options, Usage& usage, const Clock& clock, Metrics& metrics);

  std::uint64_t admit(http::Request& request) override;
  std::string_view route_of(const http::Request& request) const override { return inner_.route_of(request); }
  std::optional<http::Response> answer_at_once(const http::Request& request) override {
    return inner_.answer_at_once(request);
  }
  http::Task<http::Response> answer(const http::Request& request) override { return inner_.answer(request); }
  http::Response finished(http::Response response, const http::Request& request) override;
  // Whatever it is, the answer says what is left of the bucket from which the request was taken.
  void stamp(http::Response& response, const http::Request& request) const override;
  std::uint64_t revision() const override { return inner_.revision(); }

 private:
  using Limiters = std::array<access::RateLimiter, http::kUses>;

  void spend(const http::Request& request, http::Use use, std::int64_t amount) override;
  void take(const http::Request& request, http::Use use, std::int64_t amount, Usage::Counts& counts);
  void take(access::RateLimiter& limiter, std::string_view whom, const char* who, http::Use use, std::int64_t amount,
            Usage::Counts& counts);
  Usage::Counts& counts_of(const http::Request& request) const;

  http::Handler& inner_;
  const MeterOptions options_;
  Usage& usage_;
  const Clock& clock_;
  Limiters by_address_;
  Limiters by_token_;
  std::array<Counter*, http::kUses> refused_{};
};

}  // namespace courant::server
