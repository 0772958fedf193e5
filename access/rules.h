// Who may do what at present: an immutable snapshot of the tokens that are good, replaced as a whole when one is made
// or revoked, and where the present one is kept. Threads: Rules are immutable; CurrentRules from any thread: reading
// takes no lock unless the rules have changed since the thread has read them last.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/identity.h"
#include "kernel/digest.h"
#include "kernel/snapshot.h"
#include "kernel/time.h"

namespace courant::access {

// What is known of a token: not the token.
struct KnownToken {
  Sha256 hash{};
  Grant grant;
};

struct RulesText {
  bool is_open = false;                               // everybody may do everything
  std::set<std::string, std::less<>> public_to_read;  // workspaces
  std::vector<KnownToken> tokens;                     // revoked ones are left out
  std::vector<std::string> signing_keys;              // of signed URLs
};

// The workspace of what the server tells of itself: who manages sees it, and nobody else, whatever his feeds are.
inline constexpr std::string_view kManagersWorkspace = "_courant";

enum class Verdict {
  kGranted,
  kStranger,   // nobody has said who he is, and somebody might be allowed
  kHidden,     // for this one it does not exist
  kForbidden,  // it may be known, but this may not be done with it
};

class Rules {
 public:
  explicit Rules(RulesText text);

  bool is_open() const { return text_.is_open; }
  bool is_public(std::string_view workspace) const { return is_open() || text_.public_to_read.contains(workspace); }
  const std::vector<std::string>& signing_keys() const { return text_.signing_keys; }

  // Null: there is no such token. Whether it has expired is not judged.
  std::shared_ptr<const Identity> find(std::string_view token) const;
  // By Identity::name; null: it is no token's, or revoked.
  std::shared_ptr<const Identity> named(std::string_view name) const;

  // Whether an identity that was found once is good still: not revoked, not expired, its key not dropped.
  bool holds(const Identity& identity, Instant now) const;

  // A feed, whether it exists or not.
  Verdict judge(const Identity& identity, Scope scope, std::string_view workspace, std::string_view feed) const;
  // Whether a workspace is shown to the identity at all, be it for one of its feeds.
  Verdict judge(const Identity& identity, std::string_view workspace) const;

  // When the next token expires after `now`; nullopt: none.
  std::optional<Instant> next_expiry(Instant now) const;

 private:
  static Verdict judge_managers(const Identity& identity, std::string_view feed);

  struct ByBytes {
    std::size_t operator()(const Sha256& hash) const;
  };
  const RulesText text_;
  std::unordered_map<Sha256, std::shared_ptr<const Identity>, ByBytes> by_hash_;
  std::unordered_map<std::string, std::shared_ptr<const Identity>> by_name_;
};

class CurrentRules {
 public:
  explicit CurrentRules(std::shared_ptr<const Rules> rules);

  void replace(std::shared_ptr<const Rules> rules);
  // Never null.
  std::shared_ptr<const Rules> load() const;
  // Another number with each replacement, and of each CurrentRules of the process: what was decided by earlier rules
  // has to be decided anew.
  std::uint64_t revision() const { return revision_.load(std::memory_order_acquire); }

  // The rules were as they are in the database at that moment. Without hearing so for kTrusted, what credentials allow
  // is not known any more, since one may have been revoked.
  static constexpr std::chrono::seconds kTrusted{30};
  void heard(Ticks when) { heard_ = when.time_since_epoch().count(); }
  bool is_trusted(Ticks now) const { return now - Ticks(Ticks::duration(heard_.load())) < kTrusted; }

 private:
  Snapshot<Rules> rules_;
  std::atomic<std::uint64_t> revision_{0};
  std::atomic<Ticks::rep> heard_{0};
};

}  // namespace courant::access
