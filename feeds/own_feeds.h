// The server's own workspace: its feeds tell what the server has to say of itself, _courant/audit what was done to it,
// _courant/usage who has used it how much (feeds/chronicler.h). Nobody else publishes, edits or erases there, and
// nobody sets more than how long entries are kept.
// Threads: pure functions.
#pragma once

#include <chrono>
#include <string_view>

#include "feeds/configure.h"

namespace courant::feeds {

inline constexpr std::string_view kOwnWorkspace = "_courant";
inline constexpr std::string_view kAuditFeed = "audit";
inline constexpr std::string_view kUsageFeed = "usage";

// As it is where nobody has said how long its entries are kept: for ever.
ConfiguredWorkspace own_workspace();

// The shortest that its entries may be kept; and by age alone, since who makes many entries would push others out.
inline constexpr std::chrono::seconds kOwnKept = std::chrono::days(30);

// What settings mean, of whichever workspace they are: of the server's own they say how long entries are kept, and
// nothing else of them counts, however they have come into the database.
WorkspaceSettings as_meant(std::string_view workspace, WorkspaceSettings settings);
FeedSettings as_meant(std::string_view workspace, FeedSettings settings);

// Of settings that somebody wants, whether they mean what they say.
bool is_allowed(const ConfiguredWorkspace& wanted);

}  // namespace courant::feeds
