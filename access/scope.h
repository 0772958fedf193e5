// What an identity may do with a feed.
// Specification: docs/SECURITY.md ("Who may do what").
// Threads: plain values; pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "kernel/result.h"

namespace courant::access {

enum class Scope : std::uint8_t {
  kRead = 1,
  kPublish = 2,
  kEdit = 4,       // revise and delete entries
  kSubscribe = 8,  // have the hub push
  kAdmin = 16,     // all of these, and manage
};
std::string_view name_of(Scope scope);  // "read", ...

class Scopes {
 public:
  Scopes() = default;

  // "read,publish": at least one. A fault names the word that is none.
  static Result<Scopes> parse(std::string_view list);
  static Scopes only(Scope scope);

  // admin has every other.
  bool has(Scope scope) const { return (bits_ & (static_cast<unsigned>(scope) | kAdminBit)) != 0; }
  std::string text() const;  // as parse() takes it

 private:
  static constexpr unsigned kAdminBit = static_cast<unsigned>(Scope::kAdmin);
  unsigned bits_ = 0;
};

}  // namespace courant::access
