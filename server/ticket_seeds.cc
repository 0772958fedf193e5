#include "server/ticket_seeds.h"

#include "kernel/digest.h"
#include "server/queries.h"

namespace courant::server {
namespace {

constexpr std::size_t kSeedBytes = 32;
constexpr std::chrono::minutes kSeedsPause{1};

}  // namespace

std::vector<http::TicketSeed> keep_ticket_seeds(sql::Session& session, Instant now) {
  const std::int64_t present = http::ticket_epoch(now);
  for (const std::int64_t epoch : {present, present + 1}) {
    session.run(queries::add_ticket_seed, sql::Parameters().add(epoch).add_bytes(random_bytes(kSeedBytes)));
  }
  // A deleted row stays in its file until somebody takes the room; this one has to go.
  const bool has_old = !session.run(queries::drop_ticket_seeds, sql::Parameters().add(present - 1)).empty();
  if (has_old) session.execute_script("vacuum full ticket_seeds");
  std::vector<http::TicketSeed> seeds;
  const sql::Rows rows = session.run(queries::list_ticket_seeds);
  for (int i = 0; i < rows.size(); ++i) seeds.push_back({rows[i].integer(0), rows[i].bytes(1)});
  return seeds;
}

void TicketSeeds::keep_up(sql::Session& session) {
  if (clock_.ticks() < due_) return;
  tls_.use_ticket_seeds(keep_ticket_seeds(session, clock_.now()));
  due_ = clock_.ticks() + kSeedsPause;
}

}  // namespace courant::server
