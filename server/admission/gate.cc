#include "server/admission/gate.h"

#include "access/credentials.h"
#include "access/signed_url.h"
#include "http/address.h"
#include "http/request_log.h"
#include "http/response_bytes.h"
#include "hub/self_service.h"
#include "kernel/log.h"
#include "server/admission/challenge.h"

namespace courant::server {
namespace {

using access::Identity;
using access::Scope;
using http::Need;
using http::Request;
using http::Response;
using http::Task;

// What a request needs. One that no route takes is refused by the router; who may not know that is told nothing.
Need need_of(const Request& request, const http::Route* route) {
  if (route != nullptr) return route->need;
  if (request.segments.empty()) return Need::kOwn;
  if (request.segments[0] == "hub" || request.segments[0] == "-") return Need::kNothing;
  return request.segments.size() == 1 ? Need::kList : Need::kRead;
}

Scope scope_of(Need need) {
  return need == Need::kPublish ? Scope::kPublish : need == Need::kEdit ? Scope::kEdit : Scope::kRead;
}

// Of a workspace or a feed, which the path begins with.
access::Verdict verdict_of(const access::Rules& rules, const Identity& identity, Need need,
                           const std::vector<std::string>& segments) {
  if (need == Need::kList) return rules.judge(identity, segments[0]);
  return rules.judge(identity, scope_of(need), segments[0], segments[1]);
}

Counter& refusals(Metrics& metrics, const char* reason) {
  return metrics.counter("courant_access_refused_total", "Requests that were refused for want of access",
                         {{"reason", reason}});
}

}  // namespace

Gate::Gate(http::Router& router, const access::CurrentRules& rules, const Clock& clock, Metrics& metrics,
           std::int64_t failures)
    : router_(router),
      rules_(rules),
      clock_(clock),
      failures_(failures),
      anonymous_(std::make_shared<const Identity>(Identity::anonymous())),
      wrong_(refusals(metrics, "wrong_credentials")),
      limited_(refusals(metrics, "too_many_failures")),
      strangers_(refusals(metrics, "no_credentials")),
      forbidden_(refusals(metrics, "not_allowed")) {}

std::uint64_t Gate::admit(Request& request) {
  const std::uint64_t revision = rules_.revision();  // before the rules: later ones are judged by again, needlessly
  const std::shared_ptr<const access::Rules> rules = rules_.load();
  if (rules->is_open()) return router_.admit(request);
  const http::Route* const route = router_.find(request);
  const Need need = need_of(request, route);
  if (need == Need::kNothing) return router_.admit(request);
  request.let_in_by = revision;
  identify(request, *rules);
  judge(request, *rules, need, route != nullptr && route->is_whole);
  return router_.admit(request);
}

std::optional<Response> Gate::answer_at_once(const Request& request) {
  if (request.identity) require_still(request);  // the body may have taken its time
  return router_.answer_at_once(request);
}

void Gate::identify(Request& request, const access::Rules& rules) {
  const std::optional<std::string_view> field = request.header("authorization");
  const Instant now = clock_.now();
  IdentityPtr identity;
  if (field) {
    if (request.combined_header("authorization") != *field) {
      throw Problem(400, "There is more than one Authorization field")
          .with("WWW-Authenticate", "Bearer realm=\"courant\", error=\"invalid_request\"");
    }
    const std::optional<std::string> token = access::token_in(*field);
    if (!token) refuse_credentials(request, "These credentials hold no token of this server");
    identity = rules.find(*token);
    if (!identity) {
      require_heard();  // it may have been made since
      refuse_credentials(request, "There is no such token, or it was revoked");
    }
    if (identity->has_expired(now)) refuse_credentials(request, "The token has expired");
  } else if (access::is_signed(request.query)) {
    std::optional<access::SignedPage> page = access::read_signed(request.path, request.query, rules.signing_keys());
    if (!page) refuse_credentials(request, "The signature of this URL is not good");
    identity = std::make_shared<const Identity>(Identity::of_signed_page(*std::move(page)));
    if (identity->has_expired(now)) refuse_credentials(request, "The time of this URL is over");
  } else {
    request.identity = anonymous_;
    return;
  }
  request.identity = std::move(identity);  // also where it is not let in now: it is counted as his
  require_heard();
}

void Gate::require_heard() const {
  if (rules_.is_trusted(clock_.ticks())) return;
  throw Problem(503, "The server does not hear at the moment which tokens are good").with("Retry-After", "2");
}

void Gate::judge(const Request& request, const access::Rules& rules, Need need, bool is_whole) {
  const Identity& identity = *request.identity;
  if (need == Need::kOwn) return;
  const access::Verdict verdict = verdict_of(rules, identity, need, request.segments);
  if (verdict != access::Verdict::kGranted) refuse(request, verdict, scope_of(need));
  if (is_whole && identity.is_filtered()) {
    forbidden_.add();
    throw Problem(403, "This token shows only entries that match " + identity.filter() +
                           ", and nothing can be taken out of what is here: read the pages of the feed");
  }
}

void Gate::judge_again(const Request& request, std::uint64_t revision) {
  if (request.let_in_by == revision) return;
  const http::Route* const route = router_.find(request);
  judge(request, *rules_.load(), need_of(request, route), route != nullptr && route->is_whole);
}

void Gate::refuse_credentials(const Request& request, const char* why) {
  wrong_.add();
  if (const std::optional<std::chrono::seconds> wait =
          failures_.failed(http::counted_address(request.client_address), clock_.ticks())) {
    limited_.add();
    throw Problem(429, "Too many wrong credentials came from this address")
        .with("Retry-After", std::to_string(wait->count()));
  }
  const std::string path = http::path_for_log(request.path, hub::kOwnersPages);
  log_warning("credentials were refused", {{"address", request.client_address}, {"path", path}, {"why", why}});
  throw unauthorized(why, "invalid_token");
}

void Gate::refuse(const Request& request, access::Verdict verdict, Scope scope) {
  const std::string path(request.path);
  if (verdict == access::Verdict::kStranger) {
    strangers_.add();
    throw who_are_you();
  }
  forbidden_.add();
  if (verdict == access::Verdict::kHidden) throw Problem(404, "There is nothing at " + path + " for this token");
  throw insufficient_scope(scope, path);
}

bool Gate::holds(const Identity& identity) const {
  return rules_.load()->holds(identity, clock_.now());
}

void Gate::require_still(const Request& request) {
  if (holds(*request.identity)) return;
  wrong_.add();
  throw lost_credentials();
}

Response Gate::finished(Response response, const Request& request) {
  response = router_.finished(std::move(response), request);
  if (!request.identity) return response;
  const Identity& identity = *request.identity;
  const std::uint64_t revision = rules_.revision();  // before the check: rules that come later are not those it was by
  require_still(request);                            // it may have waited
  judge_again(request, revision);
  const bool is_public = !request.segments.empty() && rules_.load()->is_public(request.segments[0]);
  if (identity.is_filtered() || (!identity.is_anonymous() && !is_public)) {
    http::make_private(response);
  } else if (request.segments.empty()) {
    http::vary_by_credentials(response);
  }
  // The chain is of all entries.
  if (identity.is_filtered())
    std::erase_if(response.headers, [](const auto& field) { return field.first == "Feed-Chain"; });
  if (response.holds) {
    response.holds = [this, inner = std::move(response.holds), revision, expires = identity.expires()] {
      return rules_.revision() == revision && (!expires || clock_.now() < *expires) && inner();
    };
  }
  if (response.more) {
    // Shared, not copied with the answer: it knows how far it has come.
    const auto rest = std::make_shared<const Pieces>(std::move(response.more));
    const http::Route* const route = router_.find(request);
    const auto claim =
        std::make_shared<const Claim>(Claim{request.identity, need_of(request, route), request.segments, revision});
    response.more = [this, claim, rest] { return piece_for(claim, rest); };
  }
  return response;
}

bool Gate::may_have_more(const Claim& claim) const {
  if (!holds(*claim.identity)) return false;
  const bool is_judged = claim.need != Need::kOwn && claim.need != Need::kNothing;
  if (rules_.revision() == claim.revision || !is_judged) return true;
  return verdict_of(*rules_.load(), *claim.identity, claim.need, claim.segments) == access::Verdict::kGranted;
}

Task<http::Bytes> Gate::piece_for(std::shared_ptr<const Claim> claim, std::shared_ptr<const Pieces> rest) const {
  http::Bytes piece = co_await (*rest)();
  if (!may_have_more(*claim)) co_return nullptr;
  co_return piece;
}

}  // namespace courant::server
