// What a feed is told to be: settings from the configuration, kept in the database with a revision.
// Threads: a plain value.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/result.h"
#include "kernel/time.h"
#include "schema/assertion.h"

namespace courant::feeds {

// How long entries are kept. Neither set: for ever.
inline constexpr std::int64_t kMostKept = 1'000'000'000'000;
struct Retention {
  std::chrono::seconds age{0};  // at most kLongestDuration
  std::int64_t entries = 0;     // at most kMostKept
  bool operator==(const Retention&) const = default;
};

// What a feed asks of what is published to it (feeds/entry_door.h); nothing, unless it says so.
struct DoorSettings {
  std::vector<std::string> schema;            // files: grammars of entries and of contents
  std::string stylesheet;                     // a file: what it makes of an entry is stored; empty: none
  std::vector<schema::Assertion> assertions;  // of entries
  std::vector<std::string> namespaces;        // "prefix=namespace", for the assertions
  std::vector<std::string> reserved;          // categories that clients may not give: beginnings of terms, {schemes}
  bool operator==(const DoorSettings&) const = default;
  bool is_open() const { return *this == DoorSettings{}; }
};

// A further form of a feed: what a stylesheet makes of its Atom documents (feeds/further_forms.h).
struct FormSettings {
  std::string name;        // for ?format=
  std::string media_type;  // as sent; what comes before a ';' is what Accept means it by
  std::string stylesheet;  // a file
  bool operator==(const FormSettings&) const = default;
};

struct FeedSettings {
  std::string title;
  std::string author = "Courant";    // of entries that name none
  bool server_ids = false;           // entry_ids = "server"
  bool duplicates_conflict = false;  // duplicates = "conflict": same content again is 409 as well
  bool client_updated = false;
  bool edits = true;
  bool lenient = false;
  bool redactable = false;
  Retention retain;
  std::vector<std::string> accept = {"application/atom+xml;type=entry"};
  DoorSettings door;
  std::vector<FormSettings> forms;
  bool operator==(const FeedSettings&) const = default;
};

// What a workspace is, and what feeds get that publishing creates in it.
struct WorkspaceSettings {
  std::string title;
  bool auto_create = false;
  std::int64_t max_feeds = 100'000;     // no more are made by publishing and by its admins
  std::chrono::seconds expire_idle{0};  // feeds in which nothing was stored for so long are deleted; 0: none
  std::int64_t page_size = 25;
  FeedSettings feeds;
  bool is_private = false;             // reading it takes a token
  std::int64_t max_bytes = 0;          // that it may hold (feeds/quotas.h); 0: any number
  std::int64_t max_subscriptions = 0;  // of its feeds; 0: any number
  std::vector<std::string> cors;       // origins whose web pages may read it (http/cors.h)
  bool operator==(const WorkspaceSettings&) const = default;
};

// The fields that tell caches how long they may keep a document whose positions never change, an archive page or a full
// page: as long as it is sure to stay; and they need not ask for it again unless a redaction may have to change it.
// recorded: when retention by age begins to count for it; nullopt: that is not known.
std::vector<std::pair<std::string, std::string>> lasting_fields(const FeedSettings& settings,
                                                                std::optional<Instant> recorded);

// What a workspace or feed may be called: 1 to 64 of A-Z a-z 0-9 . _ ~ -, the first neither '-' nor '.'.
bool is_valid_name(std::string_view name);
inline constexpr const char* kNameRule = "1 to 64 letters, digits, '.', '_', '~' or '-', and begin with no '-' or '.'";

// The JSON forms that the database keeps. Unknown members of a newer program are ignored, missing ones have defaults,
// times and numbers out of bounds are the bound.
std::string to_json(const DoorSettings& settings);
std::string to_json(const FeedSettings& settings);
std::string to_json(const WorkspaceSettings& settings);
Result<FeedSettings> feed_settings_from_json(std::string_view json);
Result<WorkspaceSettings> workspace_settings_from_json(std::string_view json);

}  // namespace courant::feeds
