// Who may be served next: hosts take turns, each with a bounded number at once, so that a slow host delays only itself.
// Threads: one at a time.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace courant {

template <class Item>
class Turns {
 public:
  Turns(int at_once, int per_host) : at_once_(at_once), per_host_(per_host) {}

  void add(const std::string& host, Item item) {
    if (places_.size() >= forgets_at_) forget_idle();
    Place& place = places_[host];
    place.waiting.push_back(std::move(item));
    offer_turn(place);
  }

  // The next item, which takes a place of its host until leave(); nullopt: all places are taken or nothing waits.
  std::optional<Item> take() {
    if (line_.empty() || taken_ >= at_once_) return std::nullopt;
    Place& place = *line_.front();
    line_.pop_front();
    place.has_turn = false;
    std::optional<Item> item(std::move(place.waiting.front()));
    place.waiting.pop_front();
    ++place.taken;
    ++taken_;
    offer_turn(place);
    return item;
  }

  void leave(const std::string& host) {
    Place& place = places_.find(host)->second;
    --place.taken;
    --taken_;
    offer_turn(place);
  }

  // Everything that waits. Whatever has been taken leaves as ever.
  std::vector<Item> take_waiting() {
    std::vector<Item> all;
    for (auto& [host, place] : places_) {
      for (Item& item : place.waiting) all.push_back(std::move(item));
      place.waiting.clear();
      place.has_turn = false;
    }
    line_.clear();
    return all;
  }

  int taken() const { return taken_; }
  std::size_t hosts() const { return places_.size(); }  // that are remembered

 private:
  // Of a host.
  struct Place {
    std::deque<Item> waiting;
    int taken = 0;
    bool has_turn = false;  // stands in the line
  };

  void offer_turn(Place& place) {
    if (place.has_turn || place.waiting.empty() || place.taken >= per_host_) return;
    place.has_turn = true;
    line_.push_back(&place);
  }

  // Hosts come back: a place is kept while there are few.
  void forget_idle() {
    std::erase_if(places_, [](const auto& entry) { return entry.second.taken == 0 && entry.second.waiting.empty(); });
    forgets_at_ = std::max(kFew, 2 * places_.size());
  }

  static constexpr std::size_t kFew = 1024;

  const int at_once_;
  const int per_host_;
  int taken_ = 0;
  std::unordered_map<std::string, Place> places_;  // of all hosts that have something waiting or taken, and a few more
  std::size_t forgets_at_ = kFew;
  std::deque<Place*> line_;
};

}  // namespace courant
