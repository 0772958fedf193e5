// courant token, courant sign-url: who may do what, told beside running servers.
#include <cstdio>
#include <optional>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "kernel/text.h"
#include "server/admission/signing.h"
#include "server/admission/token_store.h"
#include "server/audit.h"
#include "server/commands/command_line.h"
#include "server/commands/on_database.h"
#include "server/queries.h"

namespace courant::server {
namespace {

struct TokenOptions {
  std::string name;
  std::string scopes = "read";
  std::string on;
  std::optional<std::string> filter;                 // as for search=, or "cat=news"; nullopt: none
  std::optional<std::chrono::milliseconds> expires;  // from now; nullopt: never
};

struct SignOptions {
  std::string url;  // below server.public_url
  std::optional<std::string> filter;
  std::chrono::milliseconds expires{0};
};

int say_wrong(const std::string& sentence) {
  return say(Fault{sentence}, kWrongCall);
}

Instant after(Instant now, std::chrono::milliseconds duration) {
  return now + std::chrono::duration_cast<Instant::duration>(duration);
}

void say_what_is_open(const std::string& filter) {
  const std::string gap = gap_of(filter);
  if (!gap.empty()) std::fprintf(stderr, "Note: %s\n", gap.c_str());
}

std::string state_of(const sql::Row& row, Instant now) {
  const auto words = [](Instant instant) { return format_rfc3339(instant).substr(0, 19) + "Z"; };
  if (!row.is_null(7)) return "revoked" + (row.find_instant(7) ? " " + words(row.instant(7)) : std::string());
  if (row.is_null(6)) return "good for ever";
  const std::optional<Instant> end = row.find_instant(6);
  if (!end) return "until " + std::string(row.text(6)) + ", which is not understood: no server takes it";
  return (*end <= now ? "expired " : "until ") + words(*end);
}

// Prints the new token on standard output, and what it is on standard error.
int create_token(const ServeOptions& options, const TokenOptions& token) {
  if (!is_token_name(token.name))
    return say_wrong("a token needs a name of at most 100 characters, and neither . nor ..");
  const Result<access::Scopes> scopes = access::Scopes::parse(token.scopes);
  if (!scopes) return say_wrong(scopes.fault().detail);
  const Result<std::vector<access::Pattern>> on = access::Pattern::parse_list(token.on);
  if (!on) return say_wrong(on.fault().detail);
  const Instant now = SystemClock().now();
  NewToken made{token.name, *scopes, *on, {}, std::nullopt};
  if (token.filter) {
    const Result<std::string> filter = mandatory_filter(*token.filter);
    if (!filter) return say_wrong(filter.fault().detail);
    made.filter = *filter;
  }
  if (token.expires) made.expires = after(now, *token.expires);
  return on_database(options, [&](sql::Database&, sql::Session& session) {
    Result<std::string> secret = Fault{};
    session.transaction([&] {
      secret = make_token(session, made, now);
      if (!secret) return;
      note_act(session, actor_at_command_line(), "token-created", "token " + token.name, details_of(made), now);
    });
    if (!secret) return say(secret.fault());
    say_what_is_open(made.filter);
    std::fprintf(stderr, "The token of %s may %s on %s%s%s. It is shown this once:\n", token.name.c_str(),
                 scopes->text().c_str(), token.on.c_str(), made.filter.empty() ? "" : ", of entries that match ",
                 made.filter.c_str());
    std::printf("%s\n", secret->c_str());
    return 0;
  });
}

int list_tokens(const ServeOptions& options) {
  return on_database(options, [](sql::Database&, sql::Session& session) {
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

int end_token(const ServeOptions& options, const std::string& name) {
  return on_database(options, [&](sql::Database&, sql::Session& session) {
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

// Prints the URL with its signature.
int sign_url(const ServeOptions& options, const SignOptions& sign) {
  const Result<Signable> signable = read_signable(sign.url, public_url(options.config), sign.filter, sign.expires);
  if (!signable) return say_wrong(signable.fault().detail);
  say_what_is_open(signable->filter);
  const Result<SignedUrl> made = sign_url(*signable, options.config, options.data, SystemClock().now());
  if (!made) return say(made.fault());
  std::printf("%s\n", made->url.c_str());
  return 0;
}

const char* const kFilterHelp =
    "only entries that match, as for search=: 'cat=tid:2882', '+a+b', '(AND(cat=a)(cat=b))'";

// Given and empty, as by a variable of a shell that is not set, it is no filter, and not none.
void add_filter(CLI::App& command, std::optional<std::string>& filter) {
  command.add_option_function<std::string>(
      "--filter", [&filter](const std::string& given) { filter = given; }, kFilterHelp);
}

void add_create(CommandLine& line, CLI::App& group) {
  const auto token = std::make_shared<TokenOptions>();
  CLI::App& creating = line.add_on_data(
      "create", "make a token, and print it this once", CommandLine::Flags::kDatabase,
      [token](const ServeOptions& options) { return create_token(options, *token); }, &group);
  creating.add_option("name", token->name, "for people: whose it is, or what for")->required();
  creating.add_option("--scope,--scopes", token->scopes, "of read, publish, edit, subscribe, admin")
      ->capture_default_str();
  creating.add_option("--on", token->on, "feeds: 'demo/events', 'demo/*' or '*', with commas between")->required();
  add_filter(creating, token->filter);
  add_duration(
      creating, "--expires", [token](std::chrono::milliseconds given) { token->expires = given; },
      "after how long it ends; default: never");
  creating.footer(
      "Example:\n  courant token create billing --scope publish,edit --on 'demo/*' --expires 90d --data DIR");
}

void add_sign_url(CommandLine& line) {
  const auto sign = std::make_shared<SignOptions>();
  CLI::App& signing =
      line.add_on_data("sign-url", "print a URL that can be read without a token for a time", CommandLine::Flags::kAll,
                       [sign](const ServeOptions& options) { return sign_url(options, *sign); });
  signing.add_option("url", sign->url, "a feed, one of its pages, an entry")->required();
  add_filter(signing, sign->filter);
  add_duration(
      signing, "--expires", [sign](std::chrono::milliseconds given) { sign->expires = given; }, "for how long")
      .required();
}

}  // namespace

void add_token_commands(CommandLine& line) {
  CLI::App& tokens = line.group("token", "who may do what (docs/SECURITY.md)");
  add_create(line, tokens);
  line.add_on_data("list", "print what tokens there are: not the tokens", CommandLine::Flags::kDatabase, list_tokens,
                   &tokens);
  const auto name = std::make_shared<std::string>();
  CLI::App& revoking = line.add_on_data(
      "revoke", "end a token, on all servers", CommandLine::Flags::kDatabase,
      [name](const ServeOptions& options) { return end_token(options, *name); }, &tokens);
  revoking.add_option("name", *name, "as it was created")->required();
  add_sign_url(line);
}

}  // namespace courant::server
