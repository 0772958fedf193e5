#include "hub/resealing.h"

#include <chrono>
#include <thread>
#include <vector>

#include "hub/queries.h"

namespace courant::hub {
namespace {

constexpr std::int64_t kResealedAtOnce = 500;
constexpr std::chrono::milliseconds kPauseOfPasses{50};  // for those who hold what was passed over

std::int64_t sum_of(const std::map<std::string, std::int64_t>& counts) {
  std::int64_t sum = 0;
  for (const auto& [key, count] : counts) sum += count;
  return sum;
}

}  // namespace

bool lock_resealing(sql::Session& session) {
  return session.run(queries::lock_keys)[0].boolean(0);
}

Resealing::Resealing(sql::Session& session, Vault vault)
    : session_(session), vault_(std::move(vault)), mark_(vault_.mark()) {}

// Requests first: what is confirmed meanwhile is a subscription then. What moves the other way, or is passed over, is
// found by the next pass.
Resealed Resealing::run() {
  for (bool is_first = true; is_first || left() > sum_of(done_.lost); is_first = false) {
    if (!is_first) std::this_thread::sleep_for(kPauseOfPasses);
    done_.lost.clear();
    reseal_key_check();
    for (Place place; reseal_requests(place);) continue;
    for (Place place; reseal_subscriptions(place);) continue;
  }
  return done_;
}

std::int64_t Resealing::left() {
  return session_.run(queries::count_old_seals, sql::Parameters().add_bytes(mark_))[0].integer(0);
}

void Resealing::reseal_key_check() {
  const sql::Rows facts = session_.run(queries::hub_facts);
  if (facts[0].is_null(1)) return;
  const std::optional<std::string> check = vault_.open(facts[0].bytes(1));
  if (!check) return;
  session_.run(queries::put_key_check, sql::Parameters().add_bytes(vault_.seal(*check)).add_bytes(mark_));
}

bool Resealing::reseal_subscriptions(Place& place) {
  bool is_some = false;
  session_.transaction([&] {
    sql::Parameters from;
    from.add(place.shard).add(place.number).add_bytes(mark_).add(kResealedAtOnce);
    const sql::Rows rows = session_.run(queries::old_seals, from);
    std::vector<std::int64_t> shards, numbers;
    std::vector<std::optional<std::string>> secrets, old_secrets;
    for (int i = 0; i < rows.size(); ++i) {
      place = {rows[i].integer(0), rows[i].integer(1)};
      shards.push_back(place.shard);
      numbers.push_back(place.number);
      secrets.push_back(resealed(rows[i], 2));
      old_secrets.push_back(resealed(rows[i], 3));
    }
    is_some = !rows.empty();
    if (!is_some) return;
    sql::Parameters seals;
    seals.add(shards).add(numbers).add(secrets).add(old_secrets);
    session_.run(queries::put_seals, seals);
  });
  return is_some;
}

bool Resealing::reseal_requests(Place& place) {
  bool is_some = false;
  session_.transaction([&] {
    const sql::Rows rows = session_.run(queries::old_request_seals,
                                        sql::Parameters().add(place.number).add_bytes(mark_).add(kResealedAtOnce));
    std::vector<std::int64_t> numbers;
    std::vector<std::optional<std::string>> secrets;
    for (int i = 0; i < rows.size(); ++i) {
      place.number = rows[i].integer(0);
      numbers.push_back(place.number);
      secrets.push_back(resealed(rows[i], 1));
    }
    is_some = !rows.empty();
    if (is_some) session_.run(queries::put_request_seals, sql::Parameters().add(numbers).add(secrets));
  });
  return is_some;
}

std::optional<std::string> Resealing::resealed(const sql::Row& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  const std::string sealed = row.bytes(column);
  if (sealed.starts_with(mark_)) return to_hex(sealed);
  const std::optional<std::string> secret = vault_.open(sealed);
  if (secret) ++done_.count;
  if (!secret) ++done_.lost[key_id_of(sealed)];
  return to_hex(secret ? vault_.seal(*secret) : sealed);
}

}  // namespace courant::hub
