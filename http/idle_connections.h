// Connections that wait for another request to their origin. The one that was used last goes first, so that those that
// are not needed grow old.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "http/plain_connection.h"

namespace courant::http {

class IdleConnections {
 public:
  // per_origin: more are not kept.
  explicit IdleConnections(std::size_t per_origin) : per_origin_(per_origin) {}

  std::size_t size() const { return by_age_.size(); }

  // null: there is none.
  PlainConnectionPtr take(const std::string& origin) {
    const auto found = by_origin_.find(origin);
    if (found == by_origin_.end() || found->second.empty()) return nullptr;
    const Place place = found->second.back();
    found->second.pop_back();
    PlainConnectionPtr connection = std::move(place->connection);
    by_age_.erase(place);
    connection->set_gone(nullptr);
    return connection;
  }

  void keep(const std::string& origin, PlainConnectionPtr connection, Ticks now) {
    const auto [found, is_new] = by_origin_.try_emplace(origin);
    if (found->second.size() >= per_origin_) {
      connection->close();
      return;
    }
    const Place place = by_age_.insert(by_age_.end(), {&*found, std::move(connection), now});
    found->second.push_back(place);
    place->connection->set_gone([this, place] { drop(place); });
  }

  void close_oldest() {
    if (!by_age_.empty()) drop(by_age_.begin());
  }
  void close_older_than(Ticks time) {
    while (!by_age_.empty() && by_age_.front().since < time) close_oldest();
    std::erase_if(by_origin_, [](const auto& entry) { return entry.second.empty(); });
  }
  void close_all() {
    while (!by_age_.empty()) close_oldest();
  }

 private:
  struct Idle;
  using Place = std::list<Idle>::iterator;
  using ByOrigin = std::unordered_map<std::string, std::vector<Place>>;
  struct Idle {
    ByOrigin::value_type* origin;
    PlainConnectionPtr connection;
    Ticks since;
  };

  void drop(Place place) {
    place->connection->close();
    std::erase(place->origin->second, place);
    by_age_.erase(place);
  }

  const std::size_t per_origin_;
  std::list<Idle> by_age_;  // the one that is idle longest first
  ByOrigin by_origin_;      // the one that was used last last
};

}  // namespace courant::http
