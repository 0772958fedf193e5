#include "hub/self_service.h"

#include "http/negotiate.h"
#include "hub/capability.h"
#include "hub/form.h"
#include "kernel/log.h"
#include "kernel/problem.h"
#include "kernel/text.h"
#include "xslt/page.h"

namespace courant::hub {
namespace {

using http::PathArguments;
using http::Request;
using http::Response;
using http::Task;

constexpr std::uint64_t kMaxChange = 16 * 1024;  // of a form: the longest filter of a topic, encoded, fits
constexpr std::int64_t kMostPerMinute = 100'000;
constexpr std::int64_t kLongestGather = 3'600;         // seconds
constexpr std::int64_t kLongestOverlap = 30 * 86'400;  // seconds
constexpr std::int64_t kOverlap = 86'400;              // unless something else is asked for

// Of a token that is unknown, old or none at all: nobody is told which.
Problem nothing_here() {
  return Problem(404, "There is no such page").with("Referrer-Policy", "no-referrer");
}

Sha256 require_capability(const std::string& token) {
  const std::optional<Sha256> capability = capability_of(token);
  if (!capability) throw nothing_here();
  return *capability;
}

// A number that must be given, and lie in a range; or may be left out, where there is something to take in its place.
std::int64_t number_in(const Parameters& form, std::string_view name, std::int64_t least, std::int64_t most,
                       std::optional<std::int64_t> otherwise = std::nullopt) {
  const std::string* const text = find_parameter(form, name);
  if ((text == nullptr || text->empty()) && otherwise) return *otherwise;
  const std::optional<std::uint64_t> number = text == nullptr ? std::nullopt : parse_unsigned(*text);
  if (!number || std::cmp_less(*number, least) || std::cmp_greater(*number, most)) {
    throw Problem(400, std::string(name) + " must be a whole number from " + std::to_string(least) + " to " +
                           std::to_string(most));
  }
  return static_cast<std::int64_t>(*number);
}

std::string filter_in(const Parameters& form) {
  const std::string* const search = find_parameter(form, "search");
  if (search == nullptr) throw Problem(400, "search is missing: it may be empty, for no filter");
  return *search;
}

bool wants_html(const Request& request) {
  const std::vector<std::string_view> offered = {"application/json", "text/html"};
  const std::optional<std::size_t> choice = http::choose_media_type(request.combined_header("accept"), offered);
  if (!choice) throw Problem(406, "This is had as application/json and text/html");
  return *choice == 1;
}

// With no-referrer a browser would send forms of the page with "Origin: null", which is refused (http/host_policy.h).
Response private_response(int status, bool is_html) {
  Response response;
  response.status = status;
  response.with("Cache-Control", "no-store").with("Vary", "Accept");
  response.with("Referrer-Policy", is_html ? "same-origin" : "no-referrer");
  return response;
}

Response page_response(bool is_html, std::string text) {
  Response response = private_response(200, is_html);
  response.with("Content-Type", is_html ? "text/html; charset=utf-8" : "application/json");
  response.body = http::make_bytes(std::move(text));
  return response;
}

std::string text_of(const OwnerView& view, bool is_html) {
  return is_html ? xslt::html_page(xml_of(view)) : json_of(view);
}

// A fault is not logged with the request's path, as others are: the path is the credential.
using Work = std::function<std::string(sql::Session&)>;
Task<std::string> run_in(sql::Executor& executor, Work work) {
  try {
    std::string text = co_await executor.run(work);
    co_return text;
  } catch (const Problem&) {
    throw;
  } catch (const std::exception& error) {
    log_error("the page of a subscription failed", {{"error", error.what()}});
  }
  throw Problem(500, "The server failed on this request");
}

std::uint64_t admit_form(const Request& request, const PathArguments& arguments) {
  require_capability(arguments[0]);
  const std::string field = request.combined_header("content-type");
  const std::string type = ascii_lower(trim(split(field, ';').front()));
  if (type != "application/x-www-form-urlencoded") {
    throw Problem(415,
                  "Changes are taken as application/x-www-form-urlencoded, not " + (type.empty() ? "nothing" : type));
  }
  return kMaxChange;
}

}  // namespace

OwnerView SelfService::view(sql::Session& session, const std::string& token) const {
  std::optional<OwnedSubscription> owned = store_.find(session, require_capability(token));
  if (!owned || !source_.still_allows(owned->subscription.topic, owned->subscription.identity)) throw nothing_here();
  OwnerView view;
  view.owned = *std::move(owned);
  view.backlog = insight_.backlog(session, view.owned.subscription.topic, view.owned.subscription.cursor);
  view.page = page_url(options_.hub_url, token);
  view.now = clock_.now();
  return view;
}

void SelfService::preview(sql::Session& session, const Parameters& query, OwnerView& view) const {
  const Backlog& backlog = view.backlog;
  const std::int64_t from = number_in(query, "from", 0, backlog.head, backlog.floor);
  const std::int64_t to = number_in(query, "to", from, backlog.head, backlog.head);
  view.preview_search = filter_in(query);
  view.preview = insight_.preview(session, view.owned.subscription.topic, view.preview_search,
                                  view.owned.subscription.identity, from, to);
}

void SelfService::change(sql::Session& session, const std::string& token, const Parameters& form,
                         std::int64_t shards) const {
  const Sha256 capability = require_capability(token);
  const OwnerView seen = view(session, token);
  const std::string* const action = find_parameter(form, "action");
  const std::string name = action == nullptr ? "" : *action;
  if (name == "pause" || name == "resume") {
    store_.set_paused(session, capability, name == "pause");
  } else if (name == "test") {
    const Subscription& subscription = seen.owned.subscription;
    insight_.empty_document(session, subscription.topic, subscription.self, subscription.told);  // whether there is one
    store_.ask(session, capability, ChangeKind::kTest);
  } else if (name == "replay") {
    replay(session, capability, seen, form);
  } else if (name == "pace") {
    set_pace(session, capability, form);
  } else if (name == "secret") {
    set_secret(session, capability, seen, form);
  } else if (name == "retire-secret") {
    store_.retire_secret(session, capability);
  } else if (name == "filter") {
    set_filter(session, capability, seen, form, shards);
  } else {
    throw Problem(400, "action must be pause, resume, test, replay, pace, secret, retire-secret or filter");
  }
}

void SelfService::replay(sql::Session& session, const Sha256& capability, const OwnerView& view,
                         const Parameters& form) const {
  const std::int64_t cursor = view.owned.subscription.cursor;
  store_.ask(session, capability, ChangeKind::kReplay,
             number_in(form, "position", std::min(view.backlog.floor, cursor), cursor));
}

void SelfService::set_pace(sql::Session& session, const Sha256& capability, const Parameters& form) const {
  const std::int64_t rate = number_in(form, "documents_per_minute", 0, kMostPerMinute);
  const std::int64_t gather = number_in(form, "gather_seconds", 0, kLongestGather);
  store_.set_pace(session, capability, rate, std::chrono::seconds(gather));
}

void SelfService::set_secret(sql::Session& session, const Sha256& capability, const OwnerView& view,
                             const Parameters& form) const {
  const std::string* const secret = find_parameter(form, "secret");
  if (secret == nullptr || secret->empty()) throw Problem(400, "secret is missing");
  require_secret("secret", *secret, parse_uri(view.owned.subscription.callback).value_or(Uri{}));
  const std::int64_t overlap = number_in(form, "overlap_seconds", 0, kLongestOverlap, kOverlap);
  std::optional<Instant> old_until;
  if (overlap > 0) old_until = clock_.now() + std::chrono::seconds(overlap);
  store_.set_secret(session, capability, *secret, old_until);
}

void SelfService::set_filter(sql::Session& session, const Sha256& capability, const OwnerView& view,
                             const Parameters& form, std::int64_t shards) const {
  const Subscription& subscription = view.owned.subscription;
  const NamedTopic named = insight_.through_filter(session, subscription.topic, filter_in(form), subscription.identity);
  const std::int64_t position = number_in(form, "position", 0, std::numeric_limits<std::int64_t>::max(), 0);
  if (named.topic.canonical == subscription.topic.canonical) throw Problem(400, "It has this filter already");
  if (store_.has_subscription(session, named.topic, subscription.callback, shards)) {
    throw Problem(409, "The callback is subscribed to " + named.self + " already");
  }
  store_.ask(session, capability, ChangeKind::kFilter, position > 0 ? std::optional(position) : std::nullopt, named);
}

std::vector<http::Route> SelfService::routes(const std::int64_t& shards) {
  const auto look = [this](const Request& request, PathArguments arguments) -> Task<Response> {
    const bool is_html = wants_html(request);
    const std::string token = arguments[0];
    const Work work = [this, token, is_html](sql::Session& session) { return text_of(view(session, token), is_html); };
    std::string text = co_await run_in(executor_, work);
    co_return page_response(is_html, std::move(text));
  };
  const auto look_ahead = [this](const Request& request, PathArguments arguments) -> Task<Response> {
    const bool is_html = wants_html(request);
    const std::string token = arguments[0];
    const Parameters query = query_of(request);
    const Work work = [this, token, is_html, query](sql::Session& session) {
      OwnerView seen = view(session, token);
      preview(session, query, seen);
      return text_of(seen, is_html);
    };
    std::string text = co_await run_in(executor_, work);
    co_return page_response(is_html, std::move(text));
  };
  const auto act = [this, &shards](const Request& request, PathArguments arguments) -> Task<Response> {
    const bool is_html = wants_html(request);
    const std::string token = arguments[0];
    const std::optional<Parameters> form = parse_query(request.body);
    if (!form) throw Problem(400, "The form holds a '%' that no two hexadecimal digits follow");
    const Work work = [this, token, is_html, form, &shards](sql::Session& session) {
      change(session, token, *form, shards);
      return is_html ? std::string() : text_of(view(session, token), false);
    };
    std::string text = co_await run_in(executor_, work);
    changed_();
    if (!is_html) co_return page_response(false, std::move(text));
    Response response = private_response(303, true);
    response.with("Location", page_url(options_.hub_url, token));
    co_return response;
  };
  const std::string page = std::string(kOwnersPages) + "{token}";
  return {{page, http::Method::kGet, look, nullptr, nullptr, http::Need::kNothing},
          {page, http::Method::kPost, act, nullptr, admit_form, http::Need::kNothing},
          {page + "/preview", http::Method::kGet, look_ahead, nullptr, nullptr, http::Need::kNothing}};
}

}  // namespace courant::hub
