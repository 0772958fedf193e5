#include "server/admission/signing.h"

#include <filesystem>

#include "access/signed_url.h"
#include "kernel/uri.h"
#include "server/admission/token_store.h"
#include "server/secrets.h"

namespace courant::server {

Result<Signable> read_signable(std::string_view url, const std::string& base, const std::optional<std::string>& filter,
                               std::chrono::milliseconds lasts) {
  const std::optional<Uri> parts = parse_uri(url);
  const std::string_view rest = url.starts_with(base) ? url.substr(base.size()) : "#";
  const bool is_below = rest.empty() || rest.front() == '/' || rest.front() == '?';
  if (!parts || parts->path.empty() || !is_below || rest.find('#') != std::string_view::npos) {
    return Fault{std::string(url) + " does not lie below " + base};
  }
  if (lasts.count() <= 0) return Fault{"say for how long: a duration such as 7d"};
  Signable signable{parts->path + (parts->query ? "?" + *parts->query : ""), "", lasts};
  if (!filter) return signable;
  const Result<std::string> canonical = mandatory_filter(*filter);
  if (!canonical) return canonical.fault();
  signable.filter = *canonical;
  return signable;
}

Result<SignedUrl> sign_url(const Signable& signable, const Config& config, const std::string& data, Instant now) {
  const std::string keys = secrets_path(config, data);
  if (!std::filesystem::exists(keys)) {
    return Fault{"there is no key in " + keys + ": that is hub.secrets_key, or in the server's data directory"};
  }
  const Result<Vault> vault = open_vault(config, data);
  if (!vault) return vault.fault();
  const auto expires = std::chrono::floor<std::chrono::seconds>(now + signable.lasts);
  const std::string target =
      access::sign_target(signable.target, signable.filter, expires, vault->derive(access::kSigningUse));
  std::string url = public_url(config);
  url.resize(url.size() - parse_uri(url)->path.size());
  return SignedUrl{url + target, expires};
}

}  // namespace courant::server
