// The gate: stands before all routes, finds out who asks, and lets through what he may do. What is let through is
// marked as his, so that no cache and no memory gives it to somebody else, and ends when he loses what he had.
// Specification: RFC 9110 section 11 (authentication), RFC 6750, RFC 7617; docs/SECURITY.md.
// Threads: io threads. Takes no lock unless the rules have changed, or credentials were wrong.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "access/failure_limit.h"
#include "access/rules.h"
#include "http/router.h"
#include "kernel/metrics.h"
#include "kernel/problem.h"
#include "kernel/time.h"

namespace courant::server {

class Gate final : public http::Handler {
 public:
  // All must outlive the gate; the router's routes say what they need. failures: of one address in a minute, beyond
  // which it is told to wait.
  Gate(http::Router& router, const access::CurrentRules& rules, const Clock& clock, Metrics& metrics,
       std::int64_t failures);

  std::uint64_t admit(http::Request& request) override;
  std::string_view route_of(const http::Request& request) const override { return router_.route_of(request); }
  std::optional<http::Response> answer_at_once(const http::Request& request) override;
  http::Task<http::Response> answer(const http::Request& request) override { return router_.answer(request); }
  http::Response finished(http::Response response, const http::Request& request) override;

 private:
  using IdentityPtr = std::shared_ptr<const access::Identity>;

  // What somebody was let through for, which is judged again where the rules have changed since.
  struct Claim {
    IdentityPtr identity;
    http::Need need;
    std::vector<std::string> segments;
    std::uint64_t revision;
  };
  using Pieces = std::function<http::Task<http::Bytes>()>;

  // Says in the request who asks. Throws Problem where he shows credentials that are not good; then it says nothing.
  void identify(http::Request& request, const access::Rules& rules);
  // Throws Problem 503 where it is not known at the moment which tokens are good.
  void require_heard() const;
  void judge(const http::Request& request, const access::Rules& rules, http::Need need, bool is_whole);
  // Where it was let through by the rules of another revision.
  void judge_again(const http::Request& request, std::uint64_t revision);
  [[noreturn]] void refuse_credentials(const http::Request& request, const char* why);
  [[noreturn]] void refuse(const http::Request& request, access::Verdict verdict, access::Scope scope);
  void require_still(const http::Request& request);
  bool holds(const access::Identity& identity) const;
  bool may_have_more(const Claim& claim) const;
  http::Task<http::Bytes> piece_for(std::shared_ptr<const Claim> claim, std::shared_ptr<const Pieces> rest) const;

  http::Router& router_;
  const access::CurrentRules& rules_;
  const Clock& clock_;
  access::FailureLimit failures_;
  const IdentityPtr anonymous_;
  Counter& wrong_;
  Counter& limited_;
  Counter& strangers_;
  Counter& forbidden_;
};

}  // namespace courant::server
