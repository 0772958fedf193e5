#include "server/operations.h"

#include <algorithm>

#include <pistache/endpoint.h>
#include <pistache/http.h>

#include "http/address_guard.h"
#include "kernel/text.h"

namespace courant::server {
namespace {

namespace Http = Pistache::Http;

Http::Mime::MediaType media_type(const char* text) {
  return Http::Mime::MediaType::fromString(std::string(text));
}

// Whether the client is a browser.
bool wants_html(const Http::Request& request) {
  const auto accept = request.headers().tryGet<Http::Header::Accept>();
  if (!accept) return false;
  const auto media = accept->media();
  return std::any_of(media.begin(), media.end(), [](const Http::Mime::MediaType& type) {
    return type.top() == Http::Mime::Type::Text && type.sub() == Http::Mime::Subtype::Html;
  });
}

// Answers on Pistache's thread.
class Pages : public Http::Handler {
 public:
  HTTP_PROTOTYPE(Pages)

  Pages(const Metrics& metrics, const std::function<Health()>& health, const OperatorsPage& hub)
      : metrics_(&metrics), health_(&health), hub_(&hub) {}

  void onRequest(const Http::Request& request, Http::ResponseWriter response) override {
    if (request.method() != Http::Method::Get) {
      response.headers().add<Http::Header::Allow>(Http::Method::Get);
      response.send(Http::Code::Method_Not_Allowed, "Only GET is served here\n");
      return;
    }
    if (request.resource() == "/metrics") {
      response.send(Http::Code::Ok, metrics_->text(), media_type("text/plain; version=0.0.4; charset=utf-8"));
    } else if (request.resource() == "/health") {
      const Health health = (*health_)();
      response.send(health.is_ready ? Http::Code::Ok : Http::Code::Service_Unavailable, health.json,
                    media_type("application/json"));
    } else if (request.resource() == "/hub" && *hub_) {
      const bool is_html = wants_html(request);
      response.headers().addRaw(Http::Header::Raw("Vary", "Accept"));
      response.send(Http::Code::Ok, (*hub_)(is_html),
                    media_type(is_html ? "text/html; charset=utf-8" : "application/json"));
    } else {
      response.send(Http::Code::Not_Found, "Served here: /metrics, /health and /hub\n");
    }
  }

 private:
  const Metrics* metrics_;
  const std::function<Health()>* health_;
  const OperatorsPage* hub_;
};

// Pistache's option type for the endpoint is a fluent builder.
Http::Endpoint::Options endpoint_options() {
  return Http::Endpoint::options()
      .threads(1)
      .maxRequestSize(8 * 1024)
      .flags(Pistache::Tcp::Options::ReuseAddr)
      .headerTimeout(std::chrono::seconds(5))
      .bodyTimeout(std::chrono::seconds(5));
}

}  // namespace

struct Operations::State {
  const Metrics& metrics;
  std::function<Health()> health;
  OperatorsPage hub;
  std::unique_ptr<Http::Endpoint> endpoint;
};

Operations::Operations(const Metrics& metrics, std::function<Health()> health, OperatorsPage hub)
    : state_(std::make_unique<State>(State{metrics, std::move(health), std::move(hub), nullptr})) {}

Operations::~Operations() {
  stop();
}

Result<bool> Operations::start(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::optional<http::Address> parsed = http::Address::parse(host);
  const bool is_loopback = parsed && (parsed->is_v4 ? parsed->bytes[0] == 127 : parsed->text() == "::1");
  const std::optional<std::uint64_t> port =
      colon == std::string::npos ? std::nullopt : parse_unsigned(address.substr(colon + 1));
  if (!is_loopback || !port || *port == 0 || *port > 65535) {
    return Fault{"server.operations must be a loopback address with a port, such as 127.0.0.1:9090, not " + address};
  }
  try {
    state_->endpoint = std::make_unique<Http::Endpoint>(Pistache::Address(address));
    state_->endpoint->init(endpoint_options());
    state_->endpoint->setHandler(Http::make_handler<Pages>(state_->metrics, state_->health, state_->hub));
    state_->endpoint->serveThreaded();
  } catch (const std::exception& error) {
    state_->endpoint.reset();
    return Fault{"the operator's pages cannot listen on " + address + " (" + error.what() +
                 "): choose another address with --operations, or turn them off with --operations \"\""};
  }
  return true;
}

void Operations::stop() {
  if (!state_->endpoint) return;
  state_->endpoint->shutdown();
  state_->endpoint.reset();
}

}  // namespace courant::server
