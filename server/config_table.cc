#include "server/config_table.h"

#include "kernel/digest.h"
#include "kernel/time.h"

namespace courant::server {
namespace {

using std::chrono::milliseconds;
using Text = std::string&;
using Texts = std::vector<std::string>&;
using Flag = bool&;
using Number = std::int64_t&;
using Duration = milliseconds&;
using Durations = std::vector<milliseconds>&;

constexpr std::int64_t kSecond = 1000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr std::int64_t kMebibyte = 1 << 20;

constexpr std::int64_t kMostAMinute = 60'000'000'000;

using http::Use;
template <Use use>
Number per_address(Config& c) {
  return c.limits.per_address[static_cast<std::size_t>(use)];
}
template <Use use>
Number per_token(Config& c) {
  return c.limits.per_token[static_cast<std::size_t>(use)];
}

std::string size_text(std::int64_t bytes) {
  if (bytes > 0 && bytes % kMebibyte == 0) return toml_string(std::to_string(bytes / kMebibyte) + "MiB");
  if (bytes > 0 && bytes % 1024 == 0) return toml_string(std::to_string(bytes / 1024) + "KiB");
  return std::to_string(bytes);
}

std::string retention_text(const feeds::Retention& retain) {
  if (retain.entries > 0) return toml_string(std::to_string(retain.entries) + " entries");
  if (retain.age.count() > 0) return toml_string(format_duration(retain.age));
  return toml_string("forever");
}

template <class List, class Write>
std::string list_text(const List& list, Write write) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "" : ", ") + write(item);
  return "[" + out + "]";
}

}  // namespace

const std::vector<Setting<Config>>& config_settings() {
  static const std::vector<Setting<Config>> kSettings = {
      {"server",
       "listen",
       +[](Config& c) -> Texts { return c.server.listen; },
       "addresses to serve on, each address:port; port 0 lets the system choose",
       {.flag = "--listen"}},
      {"server",
       "listen_tls",
       +[](Config& c) -> Texts { return c.server.listen_tls; },
       "the same for TLS, with HTTP/2 for clients that offer it; needs [server.tls]",
       {.flag = "--listen-tls"}},
      {"server", "allow_plain", +[](Config& c) -> Flag { return c.server.allow_plain; },
       "whether listen may name addresses off loopback, where everybody on the way can read and change what is sent: "
       "behind a proxy that does TLS"},
      {"server",
       "public_url",
       +[](Config& c) -> Text { return c.server.public_url; },
       "the base of every link; empty: made from the first address of listen_tls, else of listen",
       {.flag = "--public-url"}},
      {"server",
       "hosts",
       +[](Config& c) -> Texts { return c.server.hosts; },
       "further Host names that are ours; requests for others get 421",
       {.reloads = true}},
      {"server",
       "operations",
       +[](Config& c) -> Text { return c.server.operations; },
       "address of the operator's pages (the dashboard, /metrics, /health, /hub), on loopback; empty turns them off",
       {.flag = "--operations"}},
      {"server", "operations_anywhere", +[](Config& c) -> Flag { return c.server.operations_anywhere; },
       "whether operations may be off loopback, under any Host name: these pages know no access control, so something "
       "else must keep strangers away"},
      {"server",
       "drain",
       +[](Config& c) -> Duration { return c.server.drain; },
       "longest wait for requests in progress when stopping",
       {.most = 600 * kSecond, .reloads = true}},
      {"server",
       "threads",
       +[](Config& c) -> Number { return c.server.threads; },
       "threads that serve connections; 0: one for each core",
       {.most = 256}},
      {"server",
       "max_connections",
       +[](Config& c) -> Number { return c.server.max_connections; },
       "connection floods: more connections of a process than this are closed at once",
       {.least = 16, .most = 1'000'000, .reloads = true}},
      {"server",
       "processes",
       +[](Config& c) -> Number { return c.server.processes; },
       "processes that share the addresses and the database; the operator's pages of the second are one port above "
       "those of the first, and so on",
       {.least = 1, .most = 64, .flag = "--processes"}},

      {"server.tls",
       "certificate",
       +[](Config& c) -> Text { return c.tls.certificate; },
       "file with the certificate and those that vouch for it, in PEM, the server's own first; read again on SIGHUP",
       {.reloads = true}},
      {"server.tls",
       "key",
       +[](Config& c) -> Text { return c.tls.key; },
       "file with its private key, in PEM; read again on SIGHUP",
       {.reloads = true}},

      {"database",
       "url",
       +[](Config& c) -> Text { return c.database.url; },
       "a PostgreSQL 15 database, postgresql://user@host/name; empty: a private PostgreSQL under --data",
       {.flag = "--database"}},
      {"database",
       "pool",
       +[](Config& c) -> Number { return c.database.pool; },
       "connections for reading; writer, follower and hub have their own",
       {.least = 2, .most = 200}},
      {"database", "listen_url", +[](Config& c) -> Text { return c.database.listen_url; },
       "a direct connection for LISTEN, where url goes through a pooler; empty: url"},

      {"limits",
       "max_entry_bytes",
       +[](Config& c) -> Number { return c.limits.max_entry_bytes; },
       "the longest entry that can be published; longer is 413",
       {.least = 1024, .most = 64 * kMebibyte, .is_size = true, .reloads = true}},
      {"limits",
       "max_batch",
       +[](Config& c) -> Number { return c.limits.max_batch; },
       "the most entries of a posted feed document; more are 413",
       {.least = 1, .most = 100'000, .reloads = true}},
      {"limits",
       "max_batch_bytes",
       +[](Config& c) -> Number { return c.limits.max_batch_bytes; },
       "the longest feed document that can be posted; longer is 413",
       {.least = 1024, .most = 1024 * kMebibyte, .is_size = true, .reloads = true}},
      {"limits",
       "max_page_bytes",
       +[](Config& c) -> Number { return c.limits.max_page_bytes; },
       "a page of a feed ends early at this length",
       {.least = 64 * 1024, .most = 1024 * kMebibyte, .is_size = true, .reloads = true}},
      {"limits",
       "max_media_bytes",
       +[](Config& c) -> Number { return c.limits.max_media_bytes; },
       "the longest media resource that can be posted; longer is 413",
       {.least = 1024, .most = 1024 * kMebibyte, .is_size = true, .reloads = true}},
      {"limits",
       "wait_cap",
       +[](Config& c) -> Duration { return c.limits.wait_cap; },
       "the longest time that a long poll is held",
       {.most = 600 * kSecond, .reloads = true}},
      {"limits",
       "max_waiting",
       +[](Config& c) -> Number { return c.limits.max_waiting; },
       "readers that wait for news at once; more are answered at once and told when to come again",
       {.least = 1, .most = 10'000'000, .reloads = true}},
      {"limits",
       "pressure",
       +[](Config& c) -> Number { return c.limits.pressure; },
       "percent of max_waiting: while so many wait, who comes takes the place of who has waited longest",
       {.least = 1, .most = 100, .reloads = true}},
      {"limits",
       "poll_interval_max",
       +[](Config& c) -> Duration { return c.limits.poll_interval_max; },
       "the longest Poll-Interval that readers are told: of idle feeds, and of all under pressure; \"0s\": none is "
       "sent",
       {.most = 3600 * kSecond, .reloads = true}},
      {"limits",
       "header_timeout",
       +[](Config& c) -> Duration { return c.limits.header_timeout; },
       "slow headers: time for a request's header from its first byte; then 408",
       {.least = 100, .most = 600 * kSecond, .reloads = true}},
      {"limits",
       "body_timeout",
       +[](Config& c) -> Duration { return c.limits.body_timeout; },
       "slow bodies: time for a request's body; then 408",
       {.least = 100, .most = 3600 * kSecond, .reloads = true}},
      {"limits",
       "idle_timeout",
       +[](Config& c) -> Duration { return c.limits.idle_timeout; },
       "a connection without requests is closed after this",
       {.least = 100, .most = 3600 * kSecond, .reloads = true}},
      {"limits",
       "write_timeout",
       +[](Config& c) -> Duration { return c.limits.write_timeout; },
       "readers that stop: a connection or HTTP/2 stream of which nothing is taken for so long is dropped",
       {.least = 100, .most = 3600 * kSecond, .reloads = true}},

      {"limits.per_address",
       "requests",
       &per_address<Use::kRequests>,
       "requests of an address, an IPv6 /64, without a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_address",
       "entries",
       &per_address<Use::kEntries>,
       "entries that are published, revised or deleted of an address, an IPv6 /64, without a token in a minute, which "
       "may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_address",
       "bytes",
       &per_address<Use::kBytes>,
       "bytes of entries and media that are published of an address, an IPv6 /64, without a token in a minute, which "
       "may come at once; 0: no limit",
       {.most = kMostAMinute, .is_size = true}},
      {"limits.per_address",
       "waits",
       &per_address<Use::kWaits>,
       "long polls that begin to wait of an address, an IPv6 /64, without a token in a minute, which may come at once; "
       "0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_address",
       "streams",
       &per_address<Use::kStreams>,
       "event streams that begin of an address, an IPv6 /64, without a token in a minute, which may come at once; 0: "
       "no limit",
       {.most = kMostAMinute}},
      {"limits.per_address",
       "subscriptions",
       &per_address<Use::kSubscriptions>,
       "subscriptions that are asked for or renewed of an address, an IPv6 /64, without a token in a minute, which may "
       "come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_token",
       "requests",
       &per_token<Use::kRequests>,
       "requests of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_token",
       "entries",
       &per_token<Use::kEntries>,
       "entries that are published, revised or deleted of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_token",
       "bytes",
       &per_token<Use::kBytes>,
       "bytes of entries and media that are published of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute, .is_size = true}},
      {"limits.per_token",
       "waits",
       &per_token<Use::kWaits>,
       "long polls that begin to wait of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_token",
       "streams",
       &per_token<Use::kStreams>,
       "event streams that begin of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},
      {"limits.per_token",
       "subscriptions",
       &per_token<Use::kSubscriptions>,
       "subscriptions that are asked for or renewed of a token in a minute, which may come at once; 0: no limit",
       {.most = kMostAMinute}},

      {"usage",
       "every",
       +[](Config& c) -> Duration { return c.usage.every; },
       "how often the feed /_courant/usage tells who has used how much; 0s: never",
       {.most = kDay}},

      {"cache",
       "bytes",
       +[](Config& c) -> Number { return c.cache.bytes; },
       "memory for rendered pages",
       {.most = 1024 * 1024 * kMebibyte, .is_size = true, .reloads = true}},

      {"log",
       "level",
       +[](Config& c) -> Text { return c.log.level; },
       "the least that is logged",
       {.words = {"debug", "info", "warning", "error"}, .reloads = true}},
      {"log",
       "format",
       +[](Config& c) -> Text { return c.log.format; },
       "of the log on standard error: lines for people, or an object of JSON a line",
       {.words = {"text", "json"}}},
      {"log",
       "requests",
       +[](Config& c) -> Text { return c.log.requests; },
       "which requests have a line, beside those that fail with 5xx or are slow; \"errors\" are those with 4xx, too; "
       "\"all\" costs readers the answers that are given again without parsing",
       {.words = {"none", "errors", "all"}}},
      {"log",
       "slow",
       +[](Config& c) -> Duration { return c.log.slow; },
       "requests that take so long have a line, but for waits that clients asked for; \"0s\": none",
       {.most = 3600 * kSecond}},

      {"hub", "enabled", +[](Config& c) -> Flag { return c.hub.enabled; },
       "whether subscriptions are taken and pushed"},
      {"hub", "deliver", +[](Config& c) -> Flag { return c.hub.deliver; },
       "whether `serve` pushes, too; false: it takes subscriptions, and `courant hub` pushes"},
      {"hub", "callback_allow", +[](Config& c) -> Texts { return c.hub.callback_allow; },
       "networks that callbacks and topics of other servers may lie in although the address guard would refuse them: "
       "[\"127.0.0.0/8\"]"},
      {"hub", "foreign_topics", +[](Config& c) -> Flag { return c.hub.foreign_topics; },
       "whether topics of other servers are taken, too: they are fetched when somebody says that they have news"},
      {"hub",
       "foreign_interval",
       +[](Config& c) -> Duration { return c.hub.foreign_interval; },
       "shortest time between two fetches of another server's topic, however often it is pinged",
       {.least = 100, .most = kDay}},
      {"hub",
       "foreign_timeout",
       +[](Config& c) -> Duration { return c.hub.foreign_timeout; },
       "slow origins: time for one fetch, with all its redirects",
       {.least = 100, .most = 300 * kSecond}},
      {"hub",
       "foreign_bytes",
       +[](Config& c) -> Number { return c.hub.foreign_bytes; },
       "endless documents, gzip bombs: a longer topic of another server, also when decompressed, is not pushed",
       {.least = 1024, .most = 64 * kMebibyte, .is_size = true}},
      {"hub",
       "foreign_fetches_per_host",
       +[](Config& c) -> Number { return c.hub.foreign_fetches_per_host; },
       "requests a second to one host for topics of other servers, of all servers of a database together; what is more "
       "waits",
       {.least = 1, .most = 1'000'000}},
      {"hub",
       "max_foreign_topics",
       +[](Config& c) -> Number { return c.hub.max_foreign_topics; },
       "topics of other servers, in all; more are 429",
       {.least = 1, .most = 10'000'000}},
      {"hub",
       "lease_default",
       +[](Config& c) -> Duration { return c.hub.lease_default; },
       "lease of a subscription that asks for none",
       {.least = kSecond, .most = 365 * kDay, .reloads = true}},
      {"hub",
       "lease_min",
       +[](Config& c) -> Duration { return c.hub.lease_min; },
       "shortest lease given",
       {.least = kSecond, .most = 365 * kDay, .reloads = true}},
      {"hub",
       "lease_max",
       +[](Config& c) -> Duration { return c.hub.lease_max; },
       "longest lease given",
       {.least = kSecond, .most = 365 * kDay, .reloads = true}},
      {"hub",
       "delivery_timeout",
       +[](Config& c) -> Duration { return c.hub.delivery_timeout; },
       "slow callbacks: time for a verification or delivery, from name lookup to the last byte",
       {.least = 100, .most = 600 * kSecond, .reloads = true}},
      {"hub",
       "document_entries",
       +[](Config& c) -> Number { return c.hub.document_entries; },
       "most entries of one pushed document",
       {.least = 1, .most = 10'000, .reloads = true}},
      {"hub",
       "document_bytes",
       +[](Config& c) -> Number { return c.hub.document_bytes; },
       "length at which a pushed document ends; one entry always fits",
       {.least = 1024, .most = 64 * kMebibyte, .is_size = true, .reloads = true}},
      {"hub",
       "allow_http",
       +[](Config& c) -> Flag { return c.hub.allow_http; },
       "whether callbacks without TLS (http:) are taken",
       {.reloads = true}},
      {"hub", "secrets_key", +[](Config& c) -> Text { return c.hub.secrets_key; },
       "file with the keys that encrypt subscribers' secrets, one a line, the newest first (64 hexadecimal digits; "
       "docs/OPERATIONS.md), the same for all servers of a database; empty: made under --data"},
      {"hub", "egress_proxy", +[](Config& c) -> Text { return c.hub.egress_proxy; },
       "proxy for verifications and deliveries; the environment's proxies are never used"},
      {"hub", "ca_file", +[](Config& c) -> Text { return c.hub.ca_file; },
       "PEM file of the certificates that https callbacks are verified against; empty: the system's"},
      {"hub",
       "in_flight",
       +[](Config& c) -> Number { return c.hub.in_flight; },
       "deliveries at once, in all",
       {.least = 1, .most = 100'000}},
      {"hub",
       "in_flight_per_host",
       +[](Config& c) -> Number { return c.hub.in_flight_per_host; },
       "deliveries at once to one host: a slow host cannot delay others",
       {.least = 1, .most = 100'000}},
      {"hub",
       "max_subscriptions_per_topic",
       +[](Config& c) -> Number { return c.hub.max_subscriptions_per_topic; },
       "more are 429",
       {.least = 1, .most = 1'000'000'000, .reloads = true}},
      {"hub",
       "max_subscriptions_per_host",
       +[](Config& c) -> Number { return c.hub.max_subscriptions_per_host; },
       "subscriptions of one callback host; more are 429",
       {.least = 1, .most = 1'000'000'000, .reloads = true}},
      {"hub",
       "max_subscriptions_per_domain",
       +[](Config& c) -> Number { return c.hub.max_subscriptions_per_domain; },
       "subscriptions of one registrable domain of callbacks, whatever hosts stand below it; more are 429",
       {.least = 1, .most = 1'000'000'000, .reloads = true}},
      {"hub",
       "max_subscriptions_per_client",
       +[](Config& c) -> Number { return c.hub.max_subscriptions_per_client; },
       "subscriptions that one address (IPv6: /64) has asked for; more are 429",
       {.least = 1, .most = 1'000'000'000, .reloads = true}},
      {"hub",
       "max_pending",
       +[](Config& c) -> Number { return c.hub.max_pending; },
       "verifications waiting, in all; more are 429",
       {.least = 1, .most = 10'000'000, .reloads = true}},
      {"hub",
       "max_pending_per_client",
       +[](Config& c) -> Number { return c.hub.max_pending_per_client; },
       "verifications that one requesting address (IPv6: /64) may have waiting; more are 429",
       {.least = 1, .most = 1'000'000, .reloads = true}},
      {"hub",
       "verifications_per_host",
       +[](Config& c) -> Number { return c.hub.verifications_per_host; },
       "verifications a second to one callback host: nobody is flooded through the hub; this and the next three are of "
       "all servers of a database together, what is more waits",
       {.least = 1, .most = 100'000}},
      {"hub",
       "verifications_per_domain",
       +[](Config& c) -> Number { return c.hub.verifications_per_domain; },
       "the same to all hosts of one registrable domain, by the Public Suffix List",
       {.least = 1, .most = 100'000}},
      {"hub",
       "verifications_per_network",
       +[](Config& c) -> Number { return c.hub.verifications_per_network; },
       "the same to one network that callbacks' names lead to: a /24 of IPv4, a /48 of IPv6; not behind an "
       "egress_proxy, "
       "which alone knows",
       {.least = 1, .most = 100'000}},
      {"hub",
       "verifications_per_client",
       +[](Config& c) -> Number { return c.hub.verifications_per_client; },
       "the same for one requesting address (IPv6: /64)",
       {.least = 1, .most = 100'000}},
      {"hub",
       "signature",
       +[](Config& c) -> Text { return c.hub.signature; },
       "algorithm of X-Hub-Signature",
       {.words = {"sha256", "sha1", "sha384", "sha512"}, .reloads = true}},
      {"hub",
       "retry",
       +[](Config& c) -> Durations { return c.hub.retry; },
       "pauses before the tries of a delivery that failed; the last one repeats while the lease lives",
       {.most = 30 * kDay}},

      {"access",
       "mode",
       +[](Config& c) -> Text { return c.access.mode; },
       "who may do what: \"tokens\", what their tokens say (`courant token`), and read what is public; \"open\": "
       "everybody "
       "everything, which is refused where others than this machine's programs could come",
       {.words = {"tokens", "open"}, .flag = "--access"}},
      {"access",
       "failures_per_minute",
       +[](Config& c) -> Number { return c.access.failures_per_minute; },
       "guessing: wrong credentials from one address (IPv6: /64) in a minute; more are 429, good ones are taken all "
       "the "
       "same",
       {.least = 1, .most = 1'000'000}},
  };
  return kSettings;
}

const std::vector<Setting<WorkspaceConfig>>& workspace_settings() {
  using W = WorkspaceConfig;
  static const std::vector<Setting<W>> kSettings = {
      {"", "name", +[](W& w) -> Text { return w.name; }, "1 to 64 of A-Z a-z 0-9 . _ ~ -; the first part of its URLs"},
      {"", "title", +[](W& w) -> Text { return w.title; }, "for people; empty: the name"},
      {"", "auto_create", +[](W& w) -> Flag { return w.auto_create; }, "feeds appear with their first publish"},
      {"",
       "max_feeds",
       +[](W& w) -> Number { return w.max_feeds; },
       "floods of names: feeds that publishing may make; then 403. 0: any number",
       {.most = 1'000'000'000}},
      {"",
       "expire_idle",
       +[](W& w) -> Duration { return w.expire_idle; },
       "feeds in which nothing was stored for so long are deleted, with their entries; \"0s\": none",
       {.most = 36'500 * kDay}},
      {"",
       "read",
       +[](W& w) -> Flag { return w.is_private; },
       "who may read it: everybody, or who has a token for it",
       {.words = {"public", "private"}}},
  };
  return kSettings;
}

const std::vector<Setting<FeedConfig>>& feed_settings() {
  using F = FeedConfig;
  static const std::vector<Setting<F>> kSettings = {
      {"", "author", +[](F& f) -> Text { return f.settings.author; }, "of the feed, and of entries that name none"},
      {"",
       "page_size",
       +[](F& f) -> Number { return f.page_size; },
       "entries of a page and of an archive page; cannot change once the feed exists",
       {.least = 1, .most = 1000}},
      {"", "accept", +[](F& f) -> Texts { return f.settings.accept; }, "media types that can be posted"},
      {"",
       "entry_ids",
       +[](F& f) -> Flag { return f.settings.server_ids; },
       "whose atom:id counts: the client's, or always one made by the server",
       {.words = {"client", "server"}}},
      {"",
       "duplicates",
       +[](F& f) -> Flag { return f.settings.duplicates_conflict; },
       "the same entry again: answered with the stored one (200), or 409 as Atom Hopper does",
       {.words = {"idempotent", "conflict"}}},
      {"", "client_updated", +[](F& f) -> Flag { return f.settings.client_updated; },
       "keep the client's atom:updated instead of the time of storing"},
      {"", "edits", +[](F& f) -> Flag { return f.settings.edits; }, "whether PUT and DELETE are allowed"},
      {"", "lenient", +[](F& f) -> Flag { return f.settings.lenient; },
       "drop unknown elements of the Atom namespace instead of refusing the entry"},
      {"", "retain", +[](F& f) -> feeds::Retention& { return f.settings.retain; },
       "how long entries are kept: \"forever\", \"30d\" or \"100000 entries\"; dropped by whole archive pages"},
      {"", "redactable", +[](F& f) -> Flag { return f.settings.redactable; },
       "archive pages may have to be rendered anew: caches are not told that they are immutable"},
      {"",
       "cors",
       +[](F& f) -> Texts { return f.settings.cors; },
       "origins of web pages that may read",
       {.in_effect = false}},
  };
  return kSettings;
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    if (code < 0x20 || code == 0x7f) {
      out += "\\u00" + to_hex(std::string_view(&c, 1));
    } else {
      out += c;
    }
  }
  return out + '"';
}

template <class Target>
std::string value_text(const Setting<Target>& setting, Target& target) {
  struct Writer {
    const Setting<Target>& setting;
    Target& target;
    std::string operator()(Text (*field)(Target&)) const { return toml_string(field(target)); }
    std::string operator()(Flag (*field)(Target&)) const {
      if (setting.rules.words.size() == 2) return toml_string(setting.rules.words[field(target) ? 1 : 0]);
      return field(target) ? "true" : "false";
    }
    std::string operator()(Number (*field)(Target&)) const {
      return setting.rules.is_size ? size_text(field(target)) : std::to_string(field(target));
    }
    std::string operator()(Duration (*field)(Target&)) const { return toml_string(format_duration(field(target))); }
    std::string operator()(feeds::Retention& (*field)(Target&)) const { return retention_text(field(target)); }
    std::string operator()(Texts (*field)(Target&)) const { return list_text(field(target), toml_string); }
    std::string operator()(Durations (*field)(Target&)) const {
      return list_text(field(target), [](milliseconds pause) { return toml_string(format_duration(pause)); });
    }
  };
  return std::visit(Writer{setting, target}, setting.field);
}

template std::string value_text(const Setting<Config>&, Config&);
template std::string value_text(const Setting<WorkspaceConfig>&, WorkspaceConfig&);
template std::string value_text(const Setting<FeedConfig>&, FeedConfig&);

}  // namespace courant::server
