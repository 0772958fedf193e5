// Verifying a feed from outside: from nothing but the documents that a server hands to everybody, that no entry was
// forged, dropped, put elsewhere or wrongly redacted.
// Specification: docs/AUDIT.md.
// Threads: one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kernel/result.h"

namespace courant::archive {

// How far a feed's history is known: after `position`, its chain had this value.
struct Verified {
  std::int64_t position = 0;
  std::string chain;  // hexadecimal
  std::int64_t generation = 1;
};

// Follows the log through its documents, in the order of positions, and stops at the first thing that does not hold.
// Faults are sentences that name the position.
class LogCheck {
 public:
  // start: what is taken for granted.
  explicit LogCheck(Verified start);

  // After known.position, which is not before position(), the chain must be known.chain. A fault with the words of
  // `otherwise`, from the call that comes to that position, where it is not; and from finish() where the log ends
  // before.
  std::optional<Fault> expect(const Verified& known, std::string otherwise);

  // A document whose entries are exactly the positions after the last one up to `upto`.
  std::optional<Fault> document(std::string_view bytes, std::int64_t upto);

  // A document that shows the newest of these positions, at most 1000, once more: they must be the same.
  std::optional<Fault> repeated(std::string_view bytes) const;

  // What can be told only when everything was read: whether all that was expected came, and all that is redacted is in
  // a record under its id.
  std::optional<Fault> finish() const;

  std::int64_t position() const { return at_.position; }
  const std::string& chain() const { return at_.chain; }
  std::size_t redacted() const { return redacted_.size(); }

 private:
  struct Expected {
    std::string chain;
    std::string otherwise;
  };

  std::optional<Fault> judge() const;  // what is expected at the position that was reached

  Verified at_;
  std::multimap<std::int64_t, Expected> expected_;  // by position
  std::map<std::int64_t, std::string> newest_;      // chain values after the last positions
  std::map<std::int64_t, std::string> redacted_;  // positions that show no content, with the ids they are said to be of
  std::map<std::int64_t, std::string> recorded_;  // positions that records name, with the ids of the records
};

// GET of a URL, followed nowhere: the body of a 200. A fault says what came instead.
using Fetch = std::function<Result<std::string>(const std::string& url)>;
// Told after each document: how far the log is verified, and where it ends as far as is known.
using Progress = std::function<void(std::int64_t position, std::int64_t head)>;

struct VerifyReport {
  Verified verified;          // never before what was verified earlier
  std::int64_t first = 1;     // the first position that was looked at
  std::size_t redacted = 0;   // entries whose content is redacted
  bool begins_late = false;   // older history was dropped by retention: its last chain value was taken on trust
  bool went_through = false;  // the log still goes through what was verified earlier
};

// Walks the archive and what follows it, at least as far as its index says that the log goes when it is asked first.
// Ends whatever the server answers: what does not lead on is a fault.
Result<VerifyReport> verify_feed(const std::string& feed_url, const std::optional<Verified>& earlier,
                                 const Fetch& fetch, const Progress& progress);

}  // namespace courant::archive
