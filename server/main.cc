// The program: parses the command line and does what it says.
#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "kernel/time.h"
#include "server/app.h"
#include "server/apply_command.h"
#include "server/asking.h"
#include "server/config.h"
#include "server/config_table.h"
#include "server/doctor.h"
#include "server/feed_commands.h"
#include "server/feed_files.h"
#include "server/import_command.h"
#include "server/log_commands.h"
#include "server/postgres_keeper.h"
#include "server/secrets_command.h"
#include "server/subscription_command.h"
#include "server/token_command.h"
#include "server/verify_command.h"

namespace courant::server {
namespace {

// What the command line says beside the file; by flag.
struct Flags {
  std::string data = "data";
  std::string config;
  std::map<std::string_view, std::vector<std::string>> settings;
};

// The flags of the settings table: all of them, or the database's alone.
void add_flags(CLI::App& command, Flags& flags, bool are_all) {
  command.add_option("--data", flags.data, "the data directory; holds a private PostgreSQL unless --database is given")
      ->capture_default_str();
  command.add_option("--config", flags.config, "a TOML file, see docs/CONFIGURATION.md; without: workspace demo alone");
  Config defaults;
  for (const Setting<Config>& setting : config_settings()) {
    if (setting.rules.flag.empty() || (!are_all && setting.section != "database")) continue;
    CLI::Option* const option =
        command.add_option(std::string(setting.rules.flag), flags.settings[setting.rules.flag],
                           std::string(setting.help) + " [" + value_text(setting, defaults) + "]");
    option->type_name("TEXT")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    option->allow_extra_args(false);  // what follows the value is the command's
  }
}

void add_publish_options(CLI::App& command, PublishOptions& options) {
  command.add_option("feed", options.feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events");
  command.add_option("files", options.files, "files, each an Atom entry; - is standard input");
  CLI::Option* const spool = command.add_option(
      "--spool", options.spool,
      "a folder that keeps entries until they are stored: for lines and servers that fail. Without feed "
      "and files: sends what was left there");
  const auto no_duration = [](const std::string& text) {
    return parse_duration(text) ? std::string() : text + " is no duration such as 90s, 5m or 1h";
  };
  const auto take_patience = [&options](const std::string& text) { options.patience = parse_duration(text); };
  const auto take_attempt = [&options](const std::string& text) { options.attempt = *parse_duration(text); };
  CLI::Option* const patience =
      command.add_option_function<std::string>("--patience", take_patience,
                                               "with --spool: end when no entry was taken for so long; what is left "
                                               "stays spooled, the exit status is 75. 0s: one attempt [5m]");
  patience->check(no_duration)->type_name("DURATION")->needs(spool);
  command
      .add_flag_callback(
          "--keep-trying", [&options] { options.patience.reset(); }, "with --spool: never give up")
      ->needs(spool)
      ->excludes(patience);
  command
      .add_option_function<std::string>("--timeout", take_attempt, "with --spool: the longest for one request [30s]")
      ->check(no_duration)
      ->type_name("DURATION")
      ->needs(spool);
  command.footer(
      "With --spool the entries of one call are on disk, all or none, before anything is sent. They are sent oldest\n"
      "first, each feed in order, and again until the server says that they are stored; a crash loses and doubles "
      "none.\n"
      "What the server refuses for good (4xx but 408, 425, 429) goes to DIR/refused with the reason beside it; what\n"
      "follows it is sent. Many calls may use one DIR at once.\n"
      "Exit status: 0 all stored; 1 something refused, or not read or spooled; 75 something left, call again.\n"
      "Example:\n  courant publish --spool /var/spool/courant http://127.0.0.1:8080/demo/events event.xml\n"
      "  courant publish --spool /var/spool/courant --keep-trying");
}

// The file, and over it what the command line says.
ConfigReading read_configuration(const Flags& flags) {
  ConfigReading reading;
  reading.config = default_config();
  if (!flags.config.empty()) reading = read_config_file(flags.config);
  if (!reading.faults.empty()) return reading;
  for (const auto& [flag, values] : flags.settings) {
    if (values.empty()) continue;
    if (std::optional<Fault> fault = set_by_flag(reading.config, flag, values)) {
      reading.faults.push_back(*std::move(fault));
    }
  }
  return reading;
}

// `courant token` and `courant sign-url`.
struct AccessCommands {
  CLI::App* create = nullptr;
  CLI::App* list = nullptr;
  CLI::App* revoke = nullptr;
  CLI::App* sign = nullptr;
  TokenOptions token;
  SignOptions signing;
};

void add_access_commands(CLI::App& app, Flags& flags, AccessCommands& commands) {
  const auto no_duration = [](const std::string& text) {
    return parse_duration(text) ? std::string() : text + " is no duration such as 12h or 90d";
  };
  const char* const filter_help =
      "only entries that match, as for search=: 'cat=tid:2882', '+a+b', '(AND(cat=a)(cat=b))'";
  CLI::App* const tokens = app.add_subcommand("token", "who may do what (docs/SECURITY.md)");
  tokens->require_subcommand(1);
  commands.create = tokens->add_subcommand("create", "make a token, and print it this once");
  add_flags(*commands.create, flags, false);
  commands.create->add_option("name", commands.token.name, "for people: whose it is, or what for")->required();
  commands.create->add_option("--scope,--scopes", commands.token.scopes, "of read, publish, edit, subscribe, admin")
      ->capture_default_str();
  commands.create->add_option("--on", commands.token.on, "feeds: 'demo/events', 'demo/*' or '*', with commas between")
      ->required();
  commands.create->add_option("--filter", commands.token.filter, filter_help);
  commands.create
      ->add_option_function<std::string>(
          "--expires", [&commands](const std::string& text) { commands.token.expires = parse_duration(text); },
          "after how long it ends; default: never")
      ->check(no_duration)
      ->type_name("DURATION");
  commands.create->footer(
      "Example:\n  courant token create billing --scope publish,edit --on 'demo/*' --expires 90d --data DIR");
  commands.list = tokens->add_subcommand("list", "print what tokens there are: not the tokens");
  add_flags(*commands.list, flags, false);
  commands.revoke = tokens->add_subcommand("revoke", "end a token, on all servers");
  add_flags(*commands.revoke, flags, false);
  commands.revoke->add_option("name", commands.token.name, "as it was created")->required();

  commands.sign = app.add_subcommand("sign-url", "print a URL that can be read without a token for a time");
  add_flags(*commands.sign, flags, true);
  commands.sign->add_option("url", commands.signing.url, "a feed, one of its pages, an entry")->required();
  commands.sign->add_option("--filter", commands.signing.filter, filter_help);
  commands.sign
      ->add_option_function<std::string>(
          "--expires", [&commands](const std::string& text) { commands.signing.expires = *parse_duration(text); },
          "for how long")
      ->check(no_duration)
      ->type_name("DURATION")
      ->required();
}

// `courant publish`, `tail` and `verify` may need a token.
void add_token_file(CLI::App& command, std::string& file) {
  command.add_option("--token-file", file,
                     "a file that holds the token to show; without: what COURANT_TOKEN in the environment says");
}

// False: there is none to be had where one was named, which has been said.
bool read_token(const std::string& file, std::string& token) {
  const Result<std::string> found = find_token(file);
  if (!found) return say(found.fault()) == 0;
  token = *found;
  return true;
}

// False: something is wrong and has been said.
bool read_options(const Flags& flags, ServeOptions& options) {
  options.data = flags.data;
  options.config_file = flags.config;
  options.read_again = [&flags] { return read_configuration(flags); };
  ConfigReading reading = options.read_again();
  if (!reading.faults.empty()) {
    const bool is_flag = reading.faults.front().detail.starts_with("--");
    std::fputs(fault_lines(is_flag ? "courant" : flags.config, reading.faults).c_str(), stderr);
    return false;
  }
  options.config = std::move(reading.config);
  return true;
}

int check_config(const std::string& path) {
  ConfigReading reading = read_config_file(path);
  if (reading.faults.empty()) reading.faults = faults_of_feed_files(reading.config);
  if (reading.faults.empty()) {
    std::printf("%s is good.\n", path.c_str());
    return 0;
  }
  std::fputs(fault_lines(path, reading.faults).c_str(), stderr);
  return 1;
}

int run(int argc, char** argv) {
  CLI::App app("Courant, an event feed server: Atom in, cacheable pages out.", "courant");
  app.set_version_flag("--version", "courant " COURANT_VERSION);
  app.require_subcommand(1);
  app.footer("Example:\n  courant serve --data /var/lib/courant --listen 127.0.0.1:8080");

  Flags flags;
  CLI::App* const serving = app.add_subcommand("serve", "serve feeds until stopped");
  add_flags(*serving, flags, true);
  int process = 0;
  int started_by = 0;
  serving->add_option("--process", process, "which of several processes this one is")->group("");
  serving->add_option("--started-by", started_by, "the process that has started it, and ends with it")->group("");
  bool takes_over = false;
  serving->add_flag("--take-over", takes_over,
                    "where a server runs on the data directory: serve beside it, then have it end; no request fails");
  CLI::App* const pushing =
      app.add_subcommand("hub", "push to subscribers and nothing else, beside servers with the same configuration");
  add_flags(*pushing, flags, true);
  pushing->footer(
      "Any number of processes share the subscriptions of a database; one that dies is replaced within seconds.\n"
      "With hub.deliver = false the servers leave all pushing to these.\n"
      "Example:\n  courant hub --config courant.toml --database postgresql://courant@db/courant");
  CLI::App* const migrating = app.add_subcommand("migrate", "bring the database to this program's schema, and end");
  add_flags(*migrating, flags, false);

  CLI::App* const keeping = app.add_subcommand("keep-postgres", "run the private PostgreSQL for servers that use it");
  keeping->group("");  // of servers, not of people
  KeeperOptions kept;
  keeping->add_option("--data", kept.postgres.data, "the data directory")->required();
  keeping->add_option("--connections", kept.postgres.connections, "at once");
  keeping->add_option("--user", kept.postgres.user, "whom it runs as where the server is root");
  keeping->add_option("--started-by", kept.started_by, "the process that has started it")->required();

  CLI::App* const checking = app.add_subcommand("check-config", "say what is wrong with a configuration, and end");
  std::string config;
  bool wants_reference = false;
  checking->add_option("file", config, "the TOML file");
  checking->add_flag("--reference", wants_reference, "print what can be configured, in Markdown");

  CLI::App* const examining =
      app.add_subcommand("doctor", "look at machine, database and installation, and say what to change");
  add_flags(*examining, flags, false);
  bool wants_json = false;
  examining->add_flag("--json", wants_json, "for programs");
  examining->footer(
      "A line each: ok, warning or problem, what it is, and what to do.\n"
      "Exit status: 0 no problem; 1 there is one.\n"
      "Example:\n  courant doctor --config /etc/courant/courant.toml --data /var/lib/courant");

  CLI::App* const publishing = app.add_subcommand("publish", "post Atom entries to a feed");
  PublishOptions published;
  add_publish_options(*publishing, published);
  std::string token_file;
  add_token_file(*publishing, token_file);

  CLI::App* const tailing = app.add_subcommand("tail", "print a feed's entries as they come, oldest first");
  TailOptions tailed;
  tailing->add_option("feed", tailed.feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events")->required();
  add_token_file(*tailing, token_file);
  tailing->add_option("--from", tailed.from, "begin after this position (0: with the first entry); default: the head");
  tailing->add_option("--count", tailed.count, "end after so many entries");
  tailing->add_flag("--xml", tailed.as_xml, "print whole entries");

  CLI::App* const verifying = app.add_subcommand("verify", "check a feed's whole history from outside (docs/AUDIT.md)");
  VerifyOptions verified;
  verifying->add_option("feed", verified.feed_url, "the feed's URL: http://127.0.0.1:8080/demo/events")->required();
  add_token_file(*verifying, token_file);
  verifying->add_option("--state", verified.state,
                        "the file that remembers what was verified; default: ~/.local/state/courant/verified.json");
  verifying->add_flag("--forget", verified.forget, "do not hold against the feed what was verified before");

  CLI::App* const applying =
      app.add_subcommand("apply", "make workspaces and feeds in the database what a file says, while servers run");
  ApplyOptions applied;
  add_flags(*applying, flags, false);
  applying->add_option("file", applied.file, "a configuration file; without --config its [database] is meant")
      ->required();
  applying->add_flag("--yes", applied.is_meant, "do not ask");
  applying->add_flag("--dry-run", applied.is_dry, "say what would change, and end");
  applying->footer(
      "Nothing is deleted. Exit status: 0 done, or nothing to do; 1 not done; 2 there was nobody to ask.\n"
      "Example:\n  courant export --data /var/lib/courant > feeds.toml\n"
      "  courant apply feeds.toml --data /var/lib/courant");
  CLI::App* const exporting =
      app.add_subcommand("export", "print the workspaces and feeds of the database as a configuration file");
  add_flags(*exporting, flags, false);

  CLI::App* const subscriptions = app.add_subcommand("subscriptions", "what the hub pushes to whom, and handling it");
  SubscriptionOptions subscribed;
  add_subscription_commands(
      *subscriptions, [&](CLI::App& command) { add_flags(command, flags, false); }, subscribed);

  CLI::App* const redacting = app.add_subcommand(
      "redact", "erase an entry's content by law; positions, leaves and the chain stay (docs/AUDIT.md)");
  RedactOptions redacted;
  add_flags(*redacting, flags, false);
  redacting->add_option("feed", redacted.feed, "workspace/feed")->required();
  redacting->add_option("id", redacted.id, "the entry's atom:id")->required();
  CLI::App* const deleting = app.add_subcommand("delete-feed", "delete a feed with all its entries");
  DeleteFeedOptions deleted;
  add_flags(*deleting, flags, false);
  deleting->add_option("feed", deleted.feed, "workspace/feed")->required();
  deleting->add_flag("--yes", deleted.is_meant, "it is meant");
  CLI::App* const generating = app.add_subcommand(
      "new-generation", "after a restore from a backup: positions that readers hold may have been lost");
  add_flags(*generating, flags, false);

  CLI::App* const rotating = app.add_subcommand(
      "rotate-secrets-key", "another key for subscribers' secrets, while servers run (docs/OPERATIONS.md)");
  KeyRotation rotation;
  add_flags(*rotating, flags, false);
  rotating->add_flag_callback(
      "--no-new-key", [&rotation] { rotation.makes_key = false; }, "the first key in the file is the new one already");
  rotating->add_flag_callback(
      "--drop-old", [&rotation] { rotation = {.makes_key = false, .drops_old = true}; },
      "make none, and take older keys out of the file");

  AccessCommands access;
  add_access_commands(app, flags, access);

  CLI::App* const importing = app.add_subcommand("import", "take over from Atom Hopper (docs/MIGRATION.md)");
  importing->require_subcommand(1);
  ImportOptions imported;
  CLI::App* const importing_entries = importing->add_subcommand(
      "atomhopper", "take its entries; may be killed and run again: nothing is lost or doubled");
  add_flags(*importing_entries, flags, false);
  importing_entries
      ->add_option("--source", imported.source, "the database with its table entries: postgresql://user@host/name")
      ->required();
  importing_entries->add_option("--feed", imported.feed, "one feed, by its name there or here; default: all");
  importing_entries
      ->add_option("--time-zone", imported.time_zone, "of timestamps that the table keeps without one: Europe/London")
      ->capture_default_str();
  importing_entries->add_flag("--again", imported.again, "from the beginning; what is there already is recognised");
  CLI::App* const importing_config =
      importing->add_subcommand("atomhopper-config", "print the TOML that means what its configuration means");
  std::string atom_hopper_config;
  importing_config->add_option("file", atom_hopper_config, "its atom-server.cfg.xml")->required();

  CLI11_PARSE(app, argc, argv);
  if (*importing_config) return import_atom_hopper_config(atom_hopper_config);
  if (*keeping) return keep_postgres(kept);
  if (*publishing) return read_token(token_file, published.token) ? publish(published) : 2;
  if (*tailing) return read_token(token_file, tailed.token) ? tail(tailed) : 2;
  if (*verifying) return read_token(token_file, verified.token) ? verify(verified) : 2;
  if (*checking) {
    if (wants_reference) {
      std::fputs(configuration_reference().c_str(), stdout);
      return 0;
    }
    if (config.empty()) {
      std::fputs("courant: check-config needs a file: courant check-config FILE\n", stderr);
      return 2;
    }
    return check_config(config);
  }
  if (*examining) {
    ServeOptions examined;
    examined.data = flags.data;
    examined.config_file = flags.config;
    examined.read_again = [&flags] { return read_configuration(flags); };
    return doctor(examined, wants_json);
  }
  if (*applying && flags.config.empty()) flags.config = applied.file;
  ServeOptions options;
  if (!read_options(flags, options)) return 1;
  options.arguments.assign(argv + 1, argv + argc);
  options.takes_over = takes_over;
  options.process = process;
  options.started_by = started_by;
  if (*subscriptions) return handle_subscriptions(options, subscribed);
  if (*applying) return apply_settings(options, applied);
  if (*exporting) return export_settings(options);
  if (*redacting) return redact(options, redacted);
  if (*deleting) return delete_feed(options, deleted);
  if (*generating) return new_generation(options);
  if (*rotating) return rotate_secrets_key(options, rotation);
  if (*access.create) return create_token(options, access.token);
  if (*access.list) return list_tokens(options);
  if (*access.revoke) return revoke_token(options, access.token.name);
  if (*access.sign) return sign_url(options, access.signing);
  if (*importing_entries) return import_atom_hopper(options, imported);
  if (*pushing) return push(options);
  return *serving ? serve(options) : migrate(options);
}

}  // namespace
}  // namespace courant::server

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not see how libstdc++ counts who holds an exception: the last one who lets go of it races with
// nobody.
extern "C" const char* __tsan_default_suppressions() {  // NOLINT: the sanitizer's name
  return "race:std::__exception_ptr::exception_ptr::_M_release\n";
}
#endif

#if defined(__SANITIZE_ADDRESS__)
// libpqxx loses a result, some hundred bytes, where its connection dies under a statement. Whatever holds results or
// connections is ours, and its leaks are found.
extern "C" const char* __lsan_default_suppressions() {  // NOLINT: the sanitizer's name
  return "leak:libpq.so\n";
}
// What is suppressed is no report.
extern "C" const char* __lsan_default_options() {  // NOLINT: the sanitizer's name
  return "print_suppressions=0";
}
#endif

int main(int argc, char** argv) {
  return courant::server::run(argc, argv);
}
