// What of a feed its asker sees and may write, where a filter is bound to his token: the entries that match it, and
// nothing else (docs/SECURITY.md, "A part of a feed").
// Threads: pure functions.
#pragma once

#include <span>
#include <string>

#include "access/identity.h"
#include "feeds/filter.h"
#include "feeds/page.h"
#include "feeds/prepared_entry.h"
#include "feeds/render.h"
#include "feeds/settings.h"
#include "http/message.h"

namespace courant::feeds {

// Who asks; where access is open, nobody in particular.
const access::Identity& asker_of(const http::Request& request);

// Binds a query to what its asker may see: a filter of its own goes on beside that.
void bind_to(PageQuery& query, const access::Identity& asker);

// Whether the newest revision of an entry is shown to the asker. A tombstone has no categories: it is shown to nobody
// who sees a part.
bool sees(const access::Identity& asker, const StoredEntry& entry);
// The same of who is bound by a filter; empty: by none.
bool is_within(const StoredEntry& entry, const std::string& bound);

// Throws Problem 403 that names the rule, and of a batch each entry that breaks it, where something is to be published
// that its publisher could not see.
void require_within(const access::Identity& publisher, std::span<const PreparedEntry> entries);

// Whether a workspace, and a feed of it, is named to the asker where feeds are listed.
bool is_listed(const http::Request& request, const std::string& workspace, const WorkspaceSettings& settings);
bool is_listed(const http::Request& request, const std::string& workspace, const WorkspaceSettings& settings,
               const std::string& feed);

}  // namespace courant::feeds
