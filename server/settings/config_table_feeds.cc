// The settings of workspaces and feeds.
#include "server/settings/config_table.h"

namespace courant::server {
namespace {

constexpr std::int64_t kLongestIdle = std::chrono::milliseconds(std::chrono::days(36'500)).count();

}  // namespace

const std::vector<Setting<WorkspaceConfig>>& workspace_settings() {
  using W = WorkspaceConfig;
  static const std::vector<Setting<W>> kSettings = {
      {"", "name", +[](W& w) -> Text { return w.name; }, "1 to 64 of A-Z a-z 0-9 . _ ~ -; the first part of its URLs"},
      {"", "title", +[](W& w) -> Text { return w.title; }, "for people; empty: the name"},
      {"", "auto_create", +[](W& w) -> Flag { return w.auto_create; }, "feeds appear with their first publish"},
      {"",
       "max_feeds",
       +[](W& w) -> Number { return w.max_feeds; },
       "floods of names: feeds that publishing and the workspace's admins may make; then 507. 0: any number",
       {.most = 1'000'000'000}},
      {"",
       "max_bytes",
       +[](W& w) -> Number { return w.max_bytes; },
       "a quota: bytes of entries and media that it may hold; then publishing is 507. 0: any number",
       {.most = 1LL << 60, .is_size = true}},
      {"",
       "max_subscriptions",
       +[](W& w) -> Number { return w.max_subscriptions; },
       "a quota: subscriptions of its feeds; then further ones are 507. 0: any number",
       {.most = 1'000'000'000}},
      {"",
       "expire_idle",
       +[](W& w) -> Duration { return w.expire_idle; },
       "feeds in which nothing was stored for so long are deleted, with their entries; \"0s\": none",
       {.most = kLongestIdle, .is_in_seconds = true}},
      {"",
       "read",
       +[](W& w) -> Flag { return w.is_private; },
       "who may read it: everybody, or who has a token for it. A file that leaves it out opens nothing that is private",
       {.words = {"public", "private"}}},
      {"", "cors", +[](W& w) -> Texts { return w.cors; },
       "other origins whose web pages may read it, as browsers name them, \"https://app.example\"; or \"*\" alone: all "
       "(API.md, \"Web pages of other origins\")"},
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
      {"", "schema", +[](F& f) -> Texts { return f.settings.door.schema; },
       "files: grammars that entries, or contents by the namespace of their root element, must keep; RELAX NG in the "
       "XML "
       "syntax, or XML Schema (API.md, \"What a feed asks for\")"},
      {"", "assert", +[](F& f) -> std::vector<schema::Assertion>& { return f.settings.door.assertions; },
       "what must hold of each entry: [[workspaces.feeds.assert]] with xpath (XPath 1.0) and message"},
      {"", "namespaces", +[](F& f) -> Texts { return f.settings.door.namespaces; },
       "prefixes for the assertions, each \"prefix=namespace\"; atom is there"},
      {"", "stylesheet", +[](F& f) -> Text { return f.settings.door.stylesheet; },
       "a file (XSLT 1.0): what it makes of an entry is stored; empty: none"},
      {"", "reserved", +[](F& f) -> Texts { return f.settings.door.reserved; },
       "categories that clients may not give, the stylesheet may: beginnings of terms, \"tid:\", or schemes, "
       "\"{urn:x}\""},
      {"", "representation", +[](F& f) -> std::vector<feeds::FormSettings>& { return f.settings.forms; },
       "further forms: [[workspaces.feeds.representation]] with name (for ?format=), media_type, and stylesheet, a "
       "file "
       "(XSLT 1.0) that makes it of the feed's Atom documents"},
  };
  return kSettings;
}

}  // namespace courant::server
