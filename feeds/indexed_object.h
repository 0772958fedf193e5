// JSON objects that keep the order of their members and find one without looking through all: hostile documents may
// have a million in one object.
// Threads: a plain value.
#pragma once

#include <string>
#include <unordered_map>
#include <utility>

#include <nlohmann/json.hpp>

namespace courant::feeds {

// An nlohmann::ordered_map with an index of positions, once it is large.
template <class Key, class T, class IgnoredLess, class Allocator>
class IndexedObject : public nlohmann::ordered_map<Key, T, IgnoredLess, Allocator> {
 public:
  using Base = nlohmann::ordered_map<Key, T, IgnoredLess, Allocator>;
  using Base::Base;

  // Hide those of the base, which go through all members.
  template <class Value>
  std::pair<typename Base::iterator, bool> emplace(const Key& key, Value&& value) {
    if (const std::size_t known = position_of(key); known < this->size()) {
      return {this->begin() + static_cast<std::ptrdiff_t>(known), false};
    }
    this->emplace_back(key, std::forward<Value>(value));
    return {this->end() - 1, true};
  }
  T& operator[](const Key& key) { return emplace(key, T{}).first->second; }

  template <class... Arguments>
  auto erase(Arguments&&... arguments) {
    index_.clear();
    indexed_ = 0;
    return Base::erase(std::forward<Arguments>(arguments)...);
  }

 private:
  static constexpr std::size_t kSmall = 16;

  // size(): it is not there.
  std::size_t position_of(const Key& key) {
    std::size_t position = 0;
    if (this->size() <= kSmall) {
      while (position < this->size() && at_position(position) != key) ++position;
      return position;
    }
    for (; indexed_ < this->size(); ++indexed_) index_.emplace(at_position(indexed_), indexed_);
    const auto found = index_.find(key);
    return found == index_.end() ? this->size() : found->second;
  }
  const Key& at_position(std::size_t position) const {
    return (this->begin() + static_cast<std::ptrdiff_t>(position))->first;
  }

  std::unordered_map<Key, std::size_t> index_;  // of the first indexed_ members, where there are more than a few
  std::size_t indexed_ = 0;
};

using IndexedJson = nlohmann::basic_json<IndexedObject>;

}  // namespace courant::feeds
