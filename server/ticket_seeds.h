// The seeds of TLS session tickets (http/ticket_keys.h), which the database keeps for all its servers: that of the
// present epoch, of the one before, and of the next, so that clients notice nothing of a database that is away when an
// epoch begins. What was recorded stays closed once they are gone.
// Threads: one at a time.
#pragma once

#include <vector>

#include "http/tls.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::server {

// Makes the seeds that are missing, deletes those that are too old, and gives all that are there. Throws what sql/
// throws.
std::vector<http::TicketSeed> keep_ticket_seeds(sql::Session& session, Instant now);

class TicketSeeds {
 public:
  // Both must outlive it.
  TicketSeeds(http::TlsContext& tls, const Clock& clock) : tls_(tls), clock_(clock) {}

  // Tells the server's TLS of them, once a minute; at any other time nothing is asked. Throws what sql/ throws: those
  // of before go on.
  void keep_up(sql::Session& session);

 private:
  http::TlsContext& tls_;
  const Clock& clock_;
  Ticks due_{};
};

}  // namespace courant::server
