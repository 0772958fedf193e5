// Tokens for tests: made as an operator makes them, while servers run.
// Threads: one.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "tests/support/command.h"
#include "tests/support/scratch.h"

namespace courant::test {

// What a server is started with that takes tokens: "closed" is private, "news" public (tests/data/access.toml).
inline std::vector<std::string> with_tokens(const std::string& database_url,
                                            const std::string& config = COURANT_SOURCE_DIR "/tests/data/access.toml") {
  return {"--database", database_url, "--access", "tokens", "--config", config};
}

class Tokens {
 public:
  explicit Tokens(std::string database_url) : database_url_(std::move(database_url)) {}

  // Further words: "--filter", "cat=a".
  std::string make(const std::string& name, const std::string& scopes, const std::string& on,
                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"token", "create", name, "--scope", scopes, "--on", on};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = run(words);
    const std::size_t at = ran.output.find("crt_");
    if (ran.status != 0 || at == std::string::npos) throw std::runtime_error("no token: " + ran.output);
    return std::string(trim(ran.output.substr(at)));
  }

  void revoke(const std::string& name) const {
    const Ran ran = run({"token", "revoke", name});
    if (ran.status != 0) throw std::runtime_error("not revoked: " + ran.output);
  }

  Ran run(std::vector<std::string> words) const {
    words.insert(words.end(), {"--database", database_url_, "--data", scratch("courant-under-test")});
    return run_courant(std::move(words));
  }

 private:
  const std::string database_url_;
};

// Header fields that show a token.
inline std::string bearer(const std::string& token) {
  return "Authorization: Bearer " + token + "\r\n";
}
inline std::string basic(const std::string& token, const std::string& user = "anyone") {
  return "Authorization: Basic " + to_base64(user + ":" + token) + "\r\n";
}

}  // namespace courant::test
