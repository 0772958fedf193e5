// Who asks, and what he may do. Every call of the engine takes an Identity, also while access is open and everybody is
// anonymous.
// Threads: immutable; any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/pattern.h"
#include "access/scope.h"
#include "kernel/time.h"

namespace courant::access {

// What a token gives to whoever holds it.
struct Grant {
  std::int64_t number = 0;  // never given again
  std::string name;         // for people
  Scopes scopes;
  std::vector<Pattern> on;
  // Of what its holder sees, publishes and edits every entry matches this (feeds/filter.h, canonical); empty: none.
  std::string filter;
  std::optional<Instant> expires;
};

// What a signed URL gives: one page, read (access/signed_url.h).
struct SignedPage {
  std::string filter;  // as above
  Instant expires;
  std::string key;          // which it was signed with; another's dropping ends it
  std::string digest = {};  // of its signature: names the URL, and lets nobody read it
};

class Identity {
 public:
  // Whoever comes without credentials.
  static Identity anonymous();
  // The server itself: the hub reading for its subscribers, the closer rendering archive pages.
  static Identity internal();
  static Identity of_token(Grant grant);
  static Identity of_signed_page(SignedPage page);

  // A stable name that nobody else gets: what an Idempotency-Key is scoped by, what subscriptions remember, and what
  // logs show.
  const std::string& name() const { return name_; }
  bool is_anonymous() const { return kind_ == Kind::kAnonymous; }
  bool is_signed_page() const { return kind_ == Kind::kSignedPage; }

  // By credentials of its own; what is public is not asked here (access/rules.h).
  bool may(Scope scope, std::string_view workspace, std::string_view feed) const;
  // Whether it may do anything at all with the feed, or with some feed of the workspace.
  bool knows(std::string_view workspace, std::string_view feed) const;
  bool knows(std::string_view workspace) const;

  // See Grant::filter.
  const std::string& filter() const { return grant_.filter; }
  bool is_filtered() const { return !grant_.filter.empty(); }
  const std::optional<Instant>& expires() const { return grant_.expires; }
  bool has_expired(Instant now) const { return grant_.expires && *grant_.expires <= now; }

 private:
  friend class Rules;
  enum class Kind { kAnonymous, kInternal, kToken, kSignedPage };
  Identity(Kind kind, std::string name) : kind_(kind), name_(std::move(name)) {}

  Kind kind_;
  std::string name_;
  Grant grant_;
  std::string key_;  // of a signed page
};

}  // namespace courant::access
