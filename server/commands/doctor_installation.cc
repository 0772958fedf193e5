#include <chrono>
#include <cstring>

#include <sys/stat.h>

#include "http/certificate.h"
#include "http/host_policy.h"
#include "http/tls.h"
#include "kernel/uri.h"
#include "server/commands/doctor.h"
#include "server/secrets.h"

namespace courant::server {
namespace {

using std::chrono::days;
using std::chrono::floor;

constexpr auto kRenewal = days(14);

std::string host_without_brackets(const std::string& host) {
  return host.starts_with('[') && host.ends_with(']') ? host.substr(1, host.size() - 2) : host;
}

Findings look_at_certificate(const Config& config) {
  if (config.server.listen_tls.empty()) return {};
  const SystemClock clock;
  const auto used = http::TlsContext::make({config.tls.certificate, config.tls.key, ""}, clock);
  if (!used) {
    return {problem("certificate", used.fault().detail,
                    "name a certificate and its key in [server.tls]; the server's user must be able to read them "
                    "(chgrp courant FILE, chmod 640 FILE)")};
  }
  const Result<http::Certificate> certificate = http::Certificate::read(config.tls.certificate);
  if (!certificate) return {problem("certificate", certificate.fault().detail, "name one in [server.tls]")};
  const std::string& path = config.tls.certificate;
  const Instant now = clock.now();
  const std::string ends = format_rfc3339(certificate->ends());
  Findings findings;
  if (now < certificate->begins()) {
    findings.push_back(problem("certificate", path + " holds from " + format_rfc3339(certificate->begins()) + " on",
                               "wait, or look at the clock"));
  } else if (now >= certificate->ends()) {
    findings.push_back(problem("certificate", path + " has expired, " + ends, "renew it, then kill -HUP"));
  } else if (certificate->ends() - now < kRenewal) {
    findings.push_back(
        warning("certificate", path + " expires in less than two weeks, " + ends, "renew it, then kill -HUP"));
  } else {
    findings.push_back(ok("certificate", path + " holds until " + ends + " and its key belongs to it"));
  }
  const std::optional<Uri> url = parse_uri(public_url(config));
  if (url && url->scheme == "https" && !certificate->is_of(host_without_brackets(url->host))) {
    findings.push_back(problem("certificate", path + " is not of " + url->host + ", which server.public_url names",
                               "a certificate for that name, or another public_url"));
  }
  return findings;
}

// Its group may be the server's (chgrp courant FILE, chmod 640 FILE).
Findings look_at_certificate_key(const Config& config) {
  const std::string& path = config.tls.key;
  struct stat file {};
  if (config.server.listen_tls.empty() || ::stat(path.c_str(), &file) != 0 || (file.st_mode & 07) == 0) return {};
  return {problem("certificate key", path + " can be read by everybody on this machine", "chmod o= " + path)};
}

bool is_beyond_loopback(const std::string& address) {
  return !address.empty() && !http::is_loopback(http::host_of(address));
}

// What goes where others listen, as somebody has said that it may.
Findings look_at_what_is_open(const Config& config) {
  Findings findings;
  if (is_beyond_loopback(config.server.operations)) {
    findings.push_back(
        warning("operations",
                "metrics and the status page are at " + config.server.operations + ", where they ask nobody who he is",
                "server.operations = \"127.0.0.1:9090\", or let a firewall say who comes there"));
  }
  if (config.access.is_open()) return findings;
  for (const std::string& address : config.server.listen) {
    if (!is_beyond_loopback(address)) continue;
    findings.push_back(warning("plain HTTP",
                               "tokens that are shown at " + address + " can be read by all networks on the way",
                               "server.listen_tls, and listen on loopback alone; or a proxy beside it that has TLS"));
  }
  return findings;
}

Finding look_at_key_file(const ServeOptions& options) {
  const std::string path = secrets_path(options.config, options.data);
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) {
    return ok("secrets key", path + " is not there yet: the first start makes it");
  }
  if ((file.st_mode & 077) != 0) {
    return problem("secrets key", path + " can be read by others than its owner", "chmod 600 " + path);
  }
  const Result<Vault> vault = Vault::from_file(path);
  if (!vault) return problem("secrets key", vault.fault().detail, "put the right file there");
  return ok("secrets key", path + " can be read by its owner alone");
}

Finding look_at_url(const Config& config) {
  const std::string text = public_url(config);
  const std::optional<Uri> url = parse_uri(text);
  const std::string change = "server.public_url = \"https://the.name.that.clients.use\"";
  if (!url || (url->scheme != "http" && url->scheme != "https") || url->host.empty()) {
    return problem("public_url", text + " is no URL of this server", change);
  }
  if (url->query || url->fragment || !url->user_info.empty() || !(url->path.empty() || url->path == "/")) {
    return problem("public_url", text + " has more than scheme, host and port: links would be wrong", change);
  }
  if (url->host == "0.0.0.0" || url->host == "[::]") {
    return problem("public_url", text + " names no machine: nobody can follow links of feeds", change);
  }
  std::vector<std::string> addresses = config.server.listen;
  addresses.insert(addresses.end(), config.server.listen_tls.begin(), config.server.listen_tls.end());
  bool is_public = false;
  for (const std::string& address : addresses) is_public = is_public || !http::is_loopback(http::host_of(address));
  if (is_public && http::is_loopback(url->host)) {
    return problem("public_url", text + " means another machine to each client, and this one serves others", change);
  }
  if (url->scheme == "http" && !config.server.listen_tls.empty()) {
    return warning("public_url", text + " leads clients to plain HTTP although TLS is served", change);
  }
  return ok("public_url", text);
}

}  // namespace

Findings look_at_installation(const ServeOptions& options) {
  Findings findings = look_at_certificate(options.config);
  for (Finding& finding : look_at_certificate_key(options.config)) findings.push_back(std::move(finding));
  findings.push_back(look_at_key_file(options));
  for (Finding& finding : look_at_what_is_open(options.config)) findings.push_back(std::move(finding));
  findings.push_back(look_at_url(options.config));
  return findings;
}

}  // namespace courant::server
