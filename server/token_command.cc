#include "server/token_command.h"

#include <cstdio>
#include <filesystem>
#include <functional>

#include <nlohmann/json.hpp>

#include "access/signed_url.h"
#include "kernel/text.h"
#include "kernel/uri.h"
#include "server/audit.h"
#include "server/open_database.h"
#include "server/queries.h"
#include "server/secrets.h"
#include "server/token_store.h"

namespace courant::server {
namespace {

constexpr int kWrongTokenCall = 2;

int say_wrong(const std::string& sentence) {
  std::fprintf(stderr, "courant: %s\n", sentence.c_str());
  return kWrongTokenCall;
}

int with_database(const ServeOptions& options, const std::function<int(sql::Session&)>& work) {
  const Result<OpenDatabase> opened = open_database(options, Opening::kJoin);
  if (!opened) return say(opened.fault());
  try {
    return work(*opened->database->connect());
  } catch (const std::exception& error) {
    return say(Fault{std::string("the database refused: ") + error.what()});
  }
}

Instant after(Instant now, std::chrono::milliseconds duration) {
  return now + std::chrono::duration_cast<Instant::duration>(duration);
}

std::string state_of(const sql::Row& row, Instant now) {
  if (!row.is_null(7)) return "revoked " + format_rfc3339(row.instant(7)).substr(0, 19) + "Z";
  if (row.is_null(6)) return "good for ever";
  return (row.instant(6) <= now ? "expired " : "until ") + format_rfc3339(row.instant(6)).substr(0, 19) + "Z";
}

// Path and query of a URL of ours; nullopt: it is another's, or none.
std::optional<std::string> target_of(const std::string& url, const std::string& base) {
  if (!parse_uri(url) || !url.starts_with(base) || url.find('#') != std::string::npos) return std::nullopt;
  const std::string rest = url.substr(base.size());
  const Uri parts = *parse_uri(base);
  if (!rest.starts_with('/')) return std::nullopt;
  return parts.path + rest;
}

}  // namespace

int create_token(const ServeOptions& options, const TokenOptions& token) {
  if (!is_token_name(token.name)) return say_wrong("a token needs a name of at most 100 characters");
  const Result<access::Scopes> scopes = access::Scopes::parse(token.scopes);
  if (!scopes) return say_wrong(scopes.fault().detail);
  const Result<std::vector<access::Pattern>> on = access::Pattern::parse_list(token.on);
  if (!on) return say_wrong(on.fault().detail);
  const Instant now = SystemClock().now();
  NewToken made{token.name, *scopes, *on, {}, std::nullopt};
  if (!token.filter.empty()) {
    const Result<std::string> filter = mandatory_filter(token.filter);
    if (!filter) return say_wrong(filter.fault().detail);
    made.filter = *filter;
  }
  if (token.expires) made.expires = after(now, *token.expires);
  return with_database(options, [&](sql::Session& session) {
    Result<std::string> secret = Fault{};
    session.transaction([&] {
      secret = make_token(session, made, now);
      if (!secret) return;
      note_act(session, actor_at_command_line(), "token-created", "token " + token.name,
               {{"scopes", scopes->text()}, {"feeds", token.on}, {"filter", made.filter}}, now);
    });
    if (!secret) return say(secret.fault());
    std::fprintf(stderr, "The token of %s may %s on %s%s%s. It is shown this once:\n", token.name.c_str(),
                 scopes->text().c_str(), token.on.c_str(), made.filter.empty() ? "" : ", of entries that match ",
                 made.filter.c_str());
    std::printf("%s\n", secret->c_str());
    return 0;
  });
}

int list_tokens(const ServeOptions& options) {
  return with_database(options, [](sql::Session& session) {
    const Instant now = SystemClock().now();
    const sql::Rows rows = session.run(queries::list_tokens);
    for (int i = 0; i < rows.size(); ++i) {
      const sql::Row row = rows[i];
      const std::string filter = row.text(4).empty() ? std::string() : "  of " + std::string(row.text(4));
      std::printf("%lld  %s  %s  on %s%s  %s\n", static_cast<long long>(row.integer(0)),
                  std::string(row.text(1)).c_str(), std::string(row.text(2)).c_str(), std::string(row.text(3)).c_str(),
                  filter.c_str(), state_of(row, now).c_str());
    }
    return 0;
  });
}

int revoke_token(const ServeOptions& options, const std::string& name) {
  return with_database(options, [&](sql::Session& session) {
    const Instant now = SystemClock().now();
    bool is_revoked = false;
    session.transaction([&] {
      is_revoked = revoke_token(session, name, now);
      if (is_revoked) note_act(session, actor_at_command_line(), "token-revoked", "token " + name, {}, now);
    });
    if (!is_revoked) return say(Fault{"there is no good token called " + name});
    std::printf("Revoked %s: no server takes it any more within a second.\n", name.c_str());
    return 0;
  });
}

int sign_url(const ServeOptions& options, const SignOptions& sign) {
  const std::string base = public_url(options.config);
  const std::optional<std::string> target = target_of(sign.url, base);
  if (!target) return say_wrong(sign.url + " does not lie below " + base + " (server.public_url)");
  if (sign.expires.count() <= 0) return say_wrong("say for how long: --expires 7d");
  std::string filter;
  if (!sign.filter.empty()) {
    const Result<std::string> canonical = mandatory_filter(sign.filter);
    if (!canonical) return say_wrong(canonical.fault().detail);
    filter = *canonical;
  }
  // A key that is made now would be no server's.
  const std::string keys = secrets_path(options.config, options.data);
  if (!std::filesystem::exists(keys)) {
    return say(Fault{"there is no key in " + keys + ": give the server's --data, or its hub.secrets_key"});
  }
  const Result<Vault> vault = open_vault(options.config, options.data);
  if (!vault) return say(vault.fault());
  const std::string signed_target = access::sign_target(*target, filter, after(SystemClock().now(), sign.expires),
                                                        vault->derive(access::kSigningUse));
  const std::size_t path = parse_uri(base)->path.size();
  std::printf("%s%s\n", base.substr(0, base.size() - path).c_str(), signed_target.c_str());
  return 0;
}

}  // namespace courant::server
