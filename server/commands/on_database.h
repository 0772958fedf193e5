// What commands do on the database of a server, which may run.
// Threads: the main thread.
#pragma once

#include <functional>
#include <string>

#include "server/app.h"
#include "sql/database.h"

namespace courant::server {

// Opens the database of the options, as open_database() does, and works in a session of its own: the exit status. What
// goes wrong is said, and the status is then 1. advice: what to say where the database refuses in the middle.
int on_database(const ServeOptions& options, const std::function<int(sql::Database&, sql::Session&)>& work,
                const std::string& advice = "");

}  // namespace courant::server
