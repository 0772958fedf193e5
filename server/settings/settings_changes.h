// Does what server/settings/settings_difference.h has found, and notes it (server/audit.h).
// Threads: database threads.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "feeds/stored_settings.h"
#include "kernel/time.h"
#include "server/settings/settings_difference.h"
#include "sql/database.h"

namespace courant::server {

// Each act, in a transaction of the caller's that began with the SettingsChange. Throws sql::Refused where a feed
// exists with another page_size.
void do_acts(sql::Session& session, feeds::SettingsChange& change, const std::vector<SettingsAct>& acts,
             std::string_view actor, Instant now);

}  // namespace courant::server
