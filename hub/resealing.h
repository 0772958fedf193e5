// Seals with the newest key what older keys have sealed, beside running servers: in small transactions, each of which
// holds some rows for a moment. Sealed are secrets of subscriptions, those in use and those from before, secrets of
// requests that wait for their verification, and what tells the key itself.
// Threads: one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "kernel/sealed.h"
#include "sql/database.h"

namespace courant::hub {

struct Resealed {
  std::int64_t count = 0;                    // secrets that were sealed again
  std::map<std::string, std::int64_t> lost;  // secrets whose key is not there, by its id (""): they stay as they are
};

// False: another one is at work in this database. While the session lasts, others are not.
bool lock_resealing(sql::Session& session);

class Resealing {
 public:
  // vault: its newest key has an id.
  Resealing(sql::Session& session, Vault vault);

  // Until nothing is left that could be sealed again, in one snapshot of the database. Throws what sql/ throws; then
  // something is done, and it may be called again.
  Resealed run();

 private:
  // A place among the subscriptions or requests, of which those before it have been seen.
  struct Place {
    std::int64_t shard = -1;
    std::int64_t number = 0;
  };

  std::int64_t left();
  void reseal_key_check();
  bool reseal_subscriptions(Place& place);  // some of those that follow; false: there are none
  bool reseal_requests(Place& place);
  std::optional<std::string> resealed(const sql::Row& row, int column);  // in hexadecimal digits

  sql::Session& session_;
  const Vault vault_;
  const std::string mark_;
  Resealed done_;
};

}  // namespace courant::hub
