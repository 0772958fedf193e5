#include "access/rules.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "access/token.h"

namespace courant::access {
namespace {

std::uint64_t next_revision() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

}  // namespace

std::size_t Rules::ByBytes::operator()(const Sha256& hash) const {
  std::size_t number = 0;
  std::memcpy(&number, hash.data(), sizeof number);
  return number;
}

Rules::Rules(RulesText text) : text_(std::move(text)) {
  for (const KnownToken& token : text_.tokens) {
    auto identity = std::make_shared<const Identity>(Identity::of_token(token.grant));
    by_name_.emplace(identity->name(), identity);
    by_hash_.emplace(token.hash, std::move(identity));
  }
}

std::shared_ptr<const Identity> Rules::find(std::string_view token) const {
  // What is compared is a hash of what was sent: how long that takes says nothing of any token.
  const Sha256 hash = hash_of_token(token);
  const auto found = by_hash_.find(hash);
  if (found == by_hash_.end() || !equal_in_constant_time(bytes_of(found->first), bytes_of(hash))) return nullptr;
  return found->second;
}

std::shared_ptr<const Identity> Rules::named(std::string_view name) const {
  const auto found = by_name_.find(std::string(name));
  return found == by_name_.end() ? nullptr : found->second;
}

bool Rules::holds(const Identity& identity, Instant now) const {
  switch (identity.kind_) {
    case Identity::Kind::kAnonymous:
    case Identity::Kind::kInternal:
      return true;
    case Identity::Kind::kToken:
      return !identity.has_expired(now) && by_name_.contains(identity.name());
    case Identity::Kind::kSignedPage:
      break;
  }
  const std::vector<std::string>& keys = text_.signing_keys;
  return !identity.has_expired(now) && std::find(keys.begin(), keys.end(), identity.key_) != keys.end();
}

Verdict Rules::judge(const Identity& identity, Scope scope, std::string_view workspace, std::string_view feed) const {
  if (is_open()) return Verdict::kGranted;
  if (workspace == kManagersWorkspace) return judge_managers(identity, feed);
  if (identity.may(scope, workspace, feed)) return Verdict::kGranted;
  const bool is_readable = is_public(workspace);
  // Who may read may subscribe, where everybody may read.
  if (is_readable && (scope == Scope::kRead || scope == Scope::kSubscribe)) return Verdict::kGranted;
  if (identity.is_anonymous()) return Verdict::kStranger;
  return is_readable || identity.knows(workspace, feed) ? Verdict::kForbidden : Verdict::kHidden;
}

Verdict Rules::judge_managers(const Identity& identity, std::string_view feed) {
  if (identity.may(Scope::kAdmin, kManagersWorkspace, feed)) return Verdict::kGranted;
  return identity.is_anonymous() ? Verdict::kStranger : Verdict::kHidden;
}

Verdict Rules::judge(const Identity& identity, std::string_view workspace) const {
  const bool is_shown = workspace != kManagersWorkspace || identity.grant_.scopes.has(Scope::kAdmin);
  if (is_public(workspace) || (identity.knows(workspace) && is_shown)) return Verdict::kGranted;
  return identity.is_anonymous() ? Verdict::kStranger : Verdict::kHidden;
}

std::optional<Instant> Rules::next_expiry(Instant now) const {
  std::optional<Instant> next;
  for (const KnownToken& token : text_.tokens) {
    const std::optional<Instant>& expires = token.grant.expires;
    if (expires && *expires > now && (!next || *expires < *next)) next = expires;
  }
  return next;
}

CurrentRules::CurrentRules(std::shared_ptr<const Rules> rules) {
  replace(std::move(rules));
}

void CurrentRules::replace(std::shared_ptr<const Rules> rules) {
  rules_.store(std::move(rules));
  // After the rules: who sees the new number finds the new rules.
  revision_.store(next_revision(), std::memory_order_release);
}

std::shared_ptr<const Rules> CurrentRules::load() const {
  struct Seen {
    std::uint64_t revision = 0;
    std::shared_ptr<const Rules> rules;
  };
  thread_local Seen seen;
  const std::uint64_t now = revision();
  if (seen.revision != now) seen = {now, rules_.load()};
  return seen.rules;
}

}  // namespace courant::access
