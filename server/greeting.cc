#include "server/greeting.h"

#include <cstdio>

#include "server/processes/own_program.h"

namespace courant::server {
namespace {

// What a publisher has to say of himself, in a shell.
std::string credentials_for(const Config& config, const std::optional<std::string>& token) {
  if (config.access.is_open()) return "";
  return "-H 'Authorization: Bearer " + token.value_or("TOKEN") + "' ";
}

// How to call this program: as it is installed, or by its place.
std::string own_name() {
  std::string program = own_program();
  return program.empty() || program == "/usr/bin/courant" ? "courant" : program;
}

}  // namespace

void greet(const Config& config, const std::optional<std::string>& token) {
  const std::string& url = config.server.public_url;
  std::printf("Courant serves %s\n\n", url.c_str());
  if (token) std::printf("  Token:    %s (shown this once; others: courant token create)\n", token->c_str());
  std::printf(
      "  Look:     %s/ in a browser\n"
      "  Publish:  curl -i %s-H 'Content-Type: application/atom+xml' --data "
      "'<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Hello</title><content>first</content></entry>' "
      "%s/demo/events\n"
      "  Read:     curl -i %s/demo/events\n"
      "  Follow:   %s tail %s/demo/events\n",
      url.c_str(), credentials_for(config, token).c_str(), url.c_str(), url.c_str(), own_name().c_str(), url.c_str());
  if (!config.access.is_open() && !token) {
    std::printf("  TOKEN:    courant token create NAME --scope publish --on 'demo/*'\n");
  }
  const std::string& operations = config.server.operations;
  if (!operations.empty()) std::printf("  Watch:    http://%s/ in a browser\n\n", operations.c_str());
  std::printf("Stop with Ctrl-C.\n");
  std::fflush(stdout);
}

}  // namespace courant::server
