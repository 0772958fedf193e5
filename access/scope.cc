#include "access/scope.h"

#include <array>

#include "kernel/text.h"

namespace courant::access {
namespace {

constexpr std::array kScopes = {Scope::kRead, Scope::kPublish, Scope::kEdit, Scope::kSubscribe, Scope::kAdmin};

}  // namespace

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::kRead:
      return "read";
    case Scope::kPublish:
      return "publish";
    case Scope::kEdit:
      return "edit";
    case Scope::kSubscribe:
      return "subscribe";
    case Scope::kAdmin:
      break;
  }
  return "admin";
}

Result<Scopes> Scopes::parse(std::string_view list) {
  Scopes scopes;
  for (const std::string_view piece : split(list, ',')) {
    const std::string_view word = trim(piece);
    bool is_known = false;
    for (const Scope scope : kScopes) {
      if (name_of(scope) != word) continue;
      scopes.bits_ |= static_cast<unsigned>(scope);
      is_known = true;
    }
    if (!is_known) {
      return Fault{"a scope is read, publish, edit, subscribe or admin, not '" + std::string(word) + "'"};
    }
  }
  return scopes;
}

Scopes Scopes::only(Scope scope) {
  Scopes scopes;
  scopes.bits_ = static_cast<unsigned>(scope);
  return scopes;
}

std::string Scopes::text() const {
  std::string list;
  for (const Scope scope : kScopes) {
    if ((bits_ & static_cast<unsigned>(scope)) == 0) continue;
    if (!list.empty()) list += ',';
    list += name_of(scope);
  }
  return list;
}

}  // namespace courant::access
