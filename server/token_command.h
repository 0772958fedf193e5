// courant token, courant sign-url: who may do what, told beside running servers.
// Threads: the main thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "server/app.h"

namespace courant::server {

struct TokenOptions {
  std::string name;
  std::string scopes = "read";
  std::string on;
  std::string filter;                                // as for search=, or "cat=news"; empty: none
  std::optional<std::chrono::milliseconds> expires;  // from now; nullopt: never
};

// Prints the new token on standard output, and what it is on standard error. The exit status.
int create_token(const ServeOptions& options, const TokenOptions& token);
int list_tokens(const ServeOptions& options);
int revoke_token(const ServeOptions& options, const std::string& name);

struct SignOptions {
  std::string url;  // below server.public_url
  std::string filter;
  std::chrono::milliseconds expires{0};
};
// Prints the URL with its signature.
int sign_url(const ServeOptions& options, const SignOptions& sign);

}  // namespace courant::server
