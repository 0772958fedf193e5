// The one place where libpqxx's errors become ours.
// Threads: pure functions.
#pragma once

namespace courant::sql {

// Called inside a catch block: throws Unavailable or Refused for what is being handled, anything else as it is.
// sent: whether a statement was on its way to the server when the error arose.
[[noreturn]] void rethrow_translated(bool sent);

}  // namespace courant::sql
