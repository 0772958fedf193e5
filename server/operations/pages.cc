#include "server/operations/pages.h"

#include "server/operations/hub_page.h"
#include "server/operations/status_page.h"

namespace courant::server {
namespace {

// Of a process that takes part in delivering.
OperatorsPage hub_page(Core& core, bool delivers) {
  if (core.hub() == nullptr || !delivers) return nullptr;
  return [&core](bool is_html) {
    const std::shared_ptr<const hub::Overview> overview = core.hub()->overview();
    return is_html ? hub_html(*overview) : hub_json(*overview);
  };
}

}  // namespace

void add_probes(http::Router& router, const Core& core) {
  const auto live = [](const http::Request&, const http::PathArguments&) {
    return std::optional(http::text_response(200, "text/plain", "ok\n"));
  };
  const auto ready = [&core](const http::Request&, const http::PathArguments&) {
    Health health = core.health();
    return std::optional(http::text_response(health.is_ready ? 200 : 503, "application/json", std::move(health.json)));
  };
  router.add({"/-/health/live", http::Method::kGet, nullptr, live, nullptr, http::Need::kNothing});
  router.add({"/-/health/ready", http::Method::kGet, nullptr, ready, nullptr, http::Need::kNothing});
}

OperatorsPages operators_pages(Core& core, bool delivers) {
  OperatorsPages pages;
  pages.health = [&core] { return core.health(); };
  pages.status = [&core, delivers] { return status_json(core, delivers); };
  pages.hub = hub_page(core, delivers);
  return pages;
}

}  // namespace courant::server
