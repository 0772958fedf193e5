#include "hub/routes.h"

#include "access/identity.h"
#include "hub/acceptance.h"
#include "hub/form.h"
#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::hub {
namespace {

// For people who look at the hub's URL.
constexpr const char* kExplanation =
    "This is a WebSub (PubSubHubbub) hub. Subscribe a callback to a feed of this server by POST:\n\n"
    "  curl THIS-URL -d hub.mode=subscribe -d hub.topic=FEED-URL -d hub.callback=YOUR-URL -d hub.secret=SECRET\n\n"
    "The callback is asked by GET whether it wants this: it answers 200 with the value of hub.challenge.\n"
    "From then on it gets new entries by POST, in order, until it answers 2xx.\n";

}  // namespace

std::vector<http::Route> routes(Hub& hub) {
  constexpr std::uint64_t kMaxForm = 256 * 1024;
  const auto post = [&hub](const http::Request& request, const http::PathArguments&) -> http::Task<http::Response> {
    std::string body = request.body;
    std::string identity = (request.identity ? *request.identity : access::Identity::anonymous()).name();
    std::string client(request.client_address);
    if (asks_to_subscribe(body)) request.spend(http::Use::kSubscriptions, 1);
    const int status = co_await hub.take(std::move(body), std::move(identity), std::move(client));
    if (status == Acceptance::kIsTold) {
      http::Response done;
      done.status = status;
      co_return done;
    }
    co_return http::text_response(status, "text/plain",
                                  "Accepted. The callback will be asked whether it wants this.\n");
  };
  const auto admit = [](const http::Request& request, const http::PathArguments&) -> std::uint64_t {
    const std::string field = request.combined_header("content-type");
    const std::string type = ascii_lower(trim(split(field, ';').front()));
    if (type != "application/x-www-form-urlencoded") {
      throw Problem(415, "The hub takes application/x-www-form-urlencoded, not " + (type.empty() ? "nothing" : type));
    }
    return kMaxForm;
  };
  const auto explain = [](const http::Request&, const http::PathArguments&) {
    return std::optional(http::text_response(200, "text/plain; charset=utf-8", kExplanation));
  };
  std::vector<http::Route> all = hub.self_service();
  all.push_back({"/hub", http::Method::kPost, post, nullptr, admit, http::Need::kOwn});
  all.push_back({"/hub", http::Method::kGet, nullptr, explain, nullptr, http::Need::kNothing});
  return all;
}

}  // namespace courant::hub
