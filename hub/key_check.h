// Whether a database's secrets can be opened with a key that does not exist yet.
// Threads: database threads.
#pragma once

#include <optional>

#include "kernel/result.h"
#include "sql/database.h"

namespace courant::hub {

// Before a file with a new key is made: the fault where secrets of the database are sealed with another one, and the
// new one would be of no use. nullopt: nothing is sealed there yet.
std::optional<Fault> fault_of_new_key(sql::Session& session);

}  // namespace courant::hub
