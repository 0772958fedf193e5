// The real program with a plain and a TLS port and the operator's pages, under settings of a test's own, and every way
// to ask it something: HTTP/1.1 and HTTP/2, plain and over TLS.
// Threads: one.
#pragma once

#include <array>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernel/text.h"
#include "tests/support/courant_server.h"
#include "tests/support/http2_client.h"
#include "tests/support/metric.h"
#include "tests/support/raw_client.h"
#include "tests/support/tls_client.h"
#include "tests/support/wait_until.h"

namespace courant::test {

struct WireSettings {
  std::string server = {};     // lines of [server]
  std::string limits = {};     // lines of [limits]
  std::string workspace = {};  // lines of the workspace "demo"
};

class WireServer {
 public:
  explicit WireServer(const std::string& database, const WireSettings& settings = {})
      : tls_port_(static_cast<std::uint16_t>(free_port())), operations_(static_cast<std::uint16_t>(free_port())) {
    make_certificate(scratch(""));
    const std::string config = scratch("wire-" + std::to_string(tls_port_) + ".toml");
    std::ofstream(config) << "[server]\nlisten_tls = [\"127.0.0.1:" << tls_port_ << "\"]\n"
                          << settings.server << "[server.tls]\ncertificate = \"" << scratch("tls.crt") << "\"\nkey = \""
                          << scratch("tls.key") << "\"\n[limits]\n"
                          << settings.limits << "[[workspaces]]\nname = \"demo\"\nauto_create = true\n"
                          << settings.workspace << "[[workspaces]]\nname = \"media\"\nauto_create = true\n"
                          << "accept = [\"*/*\", \"application/atom+xml;type=entry\"]\n";
    program_ = std::make_unique<CourantServer>(std::vector<std::string>{
        "--database", database, "--config", config, "--operations", "127.0.0.1:" + std::to_string(operations_)});
  }

  std::uint16_t port() const { return static_cast<std::uint16_t>(program_->port()); }
  std::uint16_t tls_port() const { return tls_port_; }
  std::uint16_t operations() const { return operations_; }  // of the operator's pages
  CourantServer& program() { return *program_; }
  Process& process() { return program_->process(); }
  // The path of a link of ours.
  static std::string target_of(const std::string& url) { return url.substr(url.find('/', url.find("://") + 3)); }

  // What a metric says now: of one series, or of all of a name together; 0: there is none.
  double metric(const std::string& name) const { return metric_at(operations_, name); }

 private:
  const std::uint16_t tls_port_;
  const std::uint16_t operations_;
  std::unique_ptr<CourantServer> program_;
};

template <class Carrier>
Http2Client::Wire wire_on(Carrier& carrier) {
  return {[&carrier](std::string_view bytes) { carrier.send(bytes); }, [&carrier] { return carrier.read_piece(); }};
}

// A connection by prior knowledge (RFC 9113 section 3.3).
struct PlainHttp2 {
  explicit PlainHttp2(std::uint16_t port, std::vector<nghttp2_settings_entry> settings = {}, bool windows_stay = false)
      : carrier(port), http(wire_on(carrier), std::move(settings), windows_stay) {}
  RawClient carrier;
  Http2Client http;
};

// A connection by ALPN (RFC 9113 section 3.2).
struct TlsHttp2 {
  explicit TlsHttp2(std::uint16_t port) : carrier(port, {.protocols = "h2"}), http(wire_on(carrier)) {}
  TlsClient carrier;
  Http2Client http;
};

enum class Way { kPlain, kTls, kPlainHttp2, kTlsHttp2 };
inline constexpr std::array kWays = {Way::kPlain, Way::kTls, Way::kPlainHttp2, Way::kTlsHttp2};

inline std::ostream& operator<<(std::ostream& out, Way way) {
  constexpr std::array kNames = {"HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2", "HTTP/2 over TLS"};
  return out << kNames[static_cast<std::size_t>(way)];
}

// An answer of HTTP/1.1 in the form of HTTP/2, its names in lower case; what the connection does not bring stays 0.
inline Http2Answer read_answer(const std::string& bytes) {
  Http2Answer answer;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.status = std::stoi(bytes.substr(9, 3));
  for (const std::string_view line : split(std::string_view(bytes).substr(0, end), '\n')) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    answer.headers.emplace_back(ascii_lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  answer.body = bytes.substr(end + 4);
  answer.is_over = true;
  return answer;
}

// One request over a connection of its own. Names of fields in lower case.
inline Http2Answer ask(const WireServer& server, Way way, const std::string& method, const std::string& path,
                       const Http2Client::Fields& fields = {}, const std::optional<std::string>& body = std::nullopt) {
  if (way == Way::kPlainHttp2) {
    PlainHttp2 connection(server.port());
    return connection.http.wait(connection.http.request(method, path, fields, body));
  }
  if (way == Way::kTlsHttp2) {
    TlsHttp2 connection(server.tls_port());
    return connection.http.wait(connection.http.request(method, path, fields, body));
  }
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
  for (const auto& [name, value] : fields) request.append(name).append(": ").append(value).append("\r\n");
  if (body) request += "Content-Length: " + std::to_string(body->size()) + "\r\n";
  request.append("\r\n").append(body.value_or(""));
  const auto exchanged = [&request](auto&& client) {
    client.send(request);
    return read_answer(client.read_all());
  };
  if (way == Way::kTls) return exchanged(TlsClient(server.tls_port()));
  return exchanged(RawClient(server.port()));
}

}  // namespace courant::test
