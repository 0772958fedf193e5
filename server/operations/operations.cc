#include "server/operations/operations.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <pistache/endpoint.h>
#include <pistache/http.h>

#include "http/address_guard.h"
#include "kernel/text.h"
#include "server/operations/dashboard_texts.h"

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

// Pistache sends header fields that are of a type; raw ones it drops.
#define COURANT_FIXED_FIELD(Type, field, text)                      \
  struct Type : Http::Header::Header {                              \
    NAME(field)                                                     \
    void parse(const std::string&) override {}                      \
    void write(std::ostream& out) const override { out << (text); } \
  }
// Nothing but what the page brings itself, and its own JSON.
COURANT_FIXED_FIELD(ContentSecurityPolicy, "Content-Security-Policy",
                    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
                    "form-action 'none'; frame-ancestors 'none'");
COURANT_FIXED_FIELD(NoStore, "Cache-Control", "no-store");
COURANT_FIXED_FIELD(NoSniff, "X-Content-Type-Options", "nosniff");
COURANT_FIXED_FIELD(NoReferrer, "Referrer-Policy", "no-referrer");
COURANT_FIXED_FIELD(VaryAccept, "Vary", "Accept");
#undef COURANT_FIXED_FIELD

struct Page {
  std::string body;
  const char* type;
  Http::Code code = Http::Code::Ok;
};

// Answers on Pistache's thread.
class Handler : public Http::Handler {
 public:
  HTTP_PROTOTYPE(Handler)

  Handler(const Metrics& metrics, const OperatorsPages& pages, const bool& is_anywhere)
      : metrics_(&metrics), pages_(&pages), is_anywhere_(&is_anywhere) {}

  void onRequest(const Http::Request& request, Http::ResponseWriter response) override {
    if (request.method() != Http::Method::Get) {
      response.headers().add<Http::Header::Allow>(Http::Method::Get);
      response.send(Http::Code::Method_Not_Allowed, "Only GET is served here\n");
      return;
    }
    if (!is_for_us(request)) {
      response.send(Http::Code::Misdirected_Request, "These pages are asked for by an address, or as localhost\n");
      return;
    }
    const std::optional<Page> page = find(request);
    if (!page) {
      response.send(Http::Code::Not_Found, "Served here: /, /status.json, /metrics, /health and /hub\n");
      return;
    }
    response.headers().add<ContentSecurityPolicy>().add<NoStore>().add<NoSniff>().add<NoReferrer>().add<VaryAccept>();
    response.send(page->code, page->body, media_type(page->type));
  }

 private:
  bool is_for_us(const Http::Request& request) const {
    const auto host = request.headers().tryGet<Http::Header::Host>();
    if (*is_anywhere_ || !host) return true;
    std::string name = host->host();
    if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
    return equal_ignoring_case(name, "localhost") || http::Address::parse(name).has_value();
  }

  std::optional<Page> find(const Http::Request& request) const {
    const std::string& path = request.resource();
    if (path == "/") return Page{std::string(dashboard_texts::page), "text/html; charset=utf-8"};
    if (path == "/dashboard.css") return Page{std::string(dashboard_texts::style), "text/css; charset=utf-8"};
    if (path == "/dashboard.js") return Page{std::string(dashboard_texts::script), "text/javascript; charset=utf-8"};
    if (path == "/status.json") return Page{pages_->status(), "application/json"};
    if (path == "/metrics") return Page{metrics_->text(), "text/plain; version=0.0.4; charset=utf-8"};
    if (path == "/health") {
      Health health = pages_->health();
      const Http::Code code = health.is_ready ? Http::Code::Ok : Http::Code::Service_Unavailable;
      return Page{std::move(health.json), "application/json", code};
    }
    if (path == "/hub" && pages_->hub) {
      const bool is_html = wants_html(request);
      return Page{pages_->hub(is_html), is_html ? "text/html; charset=utf-8" : "application/json"};
    }
    return std::nullopt;
  }

  const Metrics* metrics_;
  const OperatorsPages* pages_;
  const bool* is_anywhere_;
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
  OperatorsPages pages;
  bool is_anywhere = false;
  std::unique_ptr<Http::Endpoint> endpoint;
};

Operations::Operations(const Metrics& metrics, OperatorsPages pages)
    : state_(std::make_unique<State>(State{metrics, std::move(pages), false, nullptr})) {}

Operations::~Operations() {
  stop();
}

Result<bool> Operations::start(const std::string& address, bool is_anywhere) {
  state_->is_anywhere = is_anywhere;
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::optional<http::Address> parsed = http::Address::parse(host);
  const bool is_loopback = parsed && (parsed->is_v4 ? parsed->bytes[0] == 127 : parsed->text() == "::1");
  const std::optional<std::uint64_t> port =
      colon == std::string::npos ? std::nullopt : parse_unsigned(address.substr(colon + 1));
  if (!(is_loopback || (parsed && is_anywhere)) || !port || *port == 0 || *port > 65535) {
    return Fault{"server.operations must be a loopback address with a port, such as 127.0.0.1:9090, not " + address +
                 (is_anywhere ? "" : "; say server.operations_anywhere = true where a network keeps strangers away")};
  }
  try {
    state_->endpoint = std::make_unique<Http::Endpoint>(Pistache::Address(address));
    state_->endpoint->init(endpoint_options());
    state_->endpoint->setHandler(Http::make_handler<Handler>(state_->metrics, state_->pages, state_->is_anywhere));
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
