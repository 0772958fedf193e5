// Who may be served next: hosts take turns, each with a bounded number at once, so that a slow host delays only itself.
// Threads: one at a time.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

namespace courant::hub {

template <class Item>
class Turns {
 public:
  Turns(int at_once, int per_host) : at_once_(at_once), per_host_(per_host) {}

  void add(const std::string& host, Item item) {
    Host& place = hosts_[host];
    place.waiting.push_back(std::move(item));
    offer_turn(host, place);
  }

  // The next item, which takes a place of its host until leave(); nullopt: all places are taken or nothing waits.
  std::optional<Item> take() {
    if (line_.empty() || taken_ >= at_once_) return std::nullopt;
    const std::string host = std::move(line_.front());
    line_.pop_front();
    Host& place = hosts_.at(host);
    place.has_turn = false;
    std::optional<Item> item(std::move(place.waiting.front()));
    place.waiting.pop_front();
    ++place.taken;
    ++taken_;
    offer_turn(host, place);
    return item;
  }

  void leave(const std::string& host) {
    const auto found = hosts_.find(host);
    --found->second.taken;
    --taken_;
    offer_turn(host, found->second);
    if (found->second.taken == 0 && found->second.waiting.empty()) hosts_.erase(found);
  }

  int taken() const { return taken_; }

 private:
  struct Host {
    std::deque<Item> waiting;
    int taken = 0;
    bool has_turn = false;  // stands in the line
  };

  void offer_turn(const std::string& host, Host& place) {
    if (place.has_turn || place.waiting.empty() || place.taken >= per_host_) return;
    place.has_turn = true;
    line_.push_back(host);
  }

  const int at_once_;
  const int per_host_;
  int taken_ = 0;
  std::unordered_map<std::string, Host> hosts_;  // that have something waiting or taken
  std::deque<std::string> line_;
};

}  // namespace courant::hub
