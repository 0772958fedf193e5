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

// Notes what a configuration file has changed in the database (feeds::configure), in the transaction of the change.
void note_configured(sql::Session& session, const std::string& file,
                     const std::vector<feeds::ConfiguredWorkspace>& before,
                     const std::vector<feeds::ConfiguredWorkspace>& after, Instant now);

}  // namespace courant::server
