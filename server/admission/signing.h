// Making URLs that are read without a token for a time (access/signed_url.h), by command and through the API.
// Threads: any that may wait for a file.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/result.h"
#include "kernel/time.h"
#include "server/settings/config.h"

namespace courant::server {

struct Signable {
  std::string target;  // path and query as they will be asked for
  std::string filter;  // canonical, or empty
  std::chrono::milliseconds lasts{0};
};

// url: below `base`, which is public_url or some of it. filter: as for search=; nullopt: none. A fault says which of
// them is none.
Result<Signable> read_signable(std::string_view url, const std::string& base, const std::optional<std::string>& filter,
                               std::chrono::milliseconds lasts);

struct SignedUrl {
  std::string url;  // with its signature
  Instant expires;
};

// A fault: the installation's key is not there; none is made, since it would be no server's.
Result<SignedUrl> sign_url(const Signable& signable, const Config& config, const std::string& data, Instant now);

}  // namespace courant::server
