// What a feed asks of what is published to it, beyond the rules of Atom: grammars and assertions that an entry must
// keep, categories that nobody but the feed gives, and a stylesheet that sees the entry before it is stored. The entry
// as sent is judged first; what the stylesheet makes of it passes the strict door, the rules of Atom, grammars and
// assertions again, and is what is stored. The content digest stays that of what was sent: the same bytes again are a
// retry, whatever the stylesheet says by then. docs/decisions/0016-schemas-and-stylesheets.md. Threads: an EntryDoor is
// immutable and may be used from any thread; it takes processor time: on io threads with little patience only.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/door_tally.h"
#include "feeds/prepared_entry.h"
#include "feeds/settings.h"
#include "kernel/folder.h"
#include "kernel/result.h"
#include "schema/assertion.h"
#include "schema/door.h"
#include "schema/grammar.h"
#include "schema/patience.h"
#include "xslt/stylesheet.h"

namespace courant::feeds {

// Who publishes what where: the stylesheet's parameters.
struct Circumstances {
  std::string workspace;
  std::string feed;
  std::string identity;  // access::Identity::name()
  std::string request;   // its id, for the log
  Instant time;
  // The entry may be one that was read here and goes back changed: it may carry categories that the feed gives, where
  // the feed gives them again.
  bool is_edit = false;
  schema::Patience patience;         // of each grammar, assertion and transformation
  const DoorTally* tally = nullptr;  // counts refusals and durations; null: nobody does. Outlives the call

  void count(Refusal why) const {
    if (tally != nullptr) tally->refused(why);
  }
};

// Where an entry stands in what was sent, so that faults can say their line and column.
struct Source {
  std::string_view bytes;   // empty: nobody has seen it
  std::size_t element = 0;  // the entry's start tag, counted from 0
};

class EntryDoor {
 public:
  // A fault names the file or expression that cannot be used.
  static Result<EntryDoor> compile(const DoorSettings& settings, const Folder& folder);

  // As read_entry (feeds/prepared_entry.h). A fault is the publisher's. Throws Problem 500 where the stylesheet fails,
  // and schema::OutOfPatience.
  Result<PreparedEntry> read(schema::Document sent, const EntryRules& rules, const Circumstances& around,
                             const Source& source) const;

 private:
  // What is refused, and by what.
  struct Refused {
    Refusal why;
    Fault fault;
  };

  std::optional<Refused> breach_of(const schema::Document& entry, const Circumstances& around,
                                   const Source& source) const;
  std::optional<Fault> breach_of_schemas(const schema::Document& entry, const schema::Patience& patience,
                                         const Source& source) const;
  std::optional<Fault> breach_of_content(const schema::Document& entry, const schema::Patience& patience,
                                         const Source& source) const;
  bool is_reserved(const schema::Element& category) const;
  // Takes the reserved categories out of an edited entry; a fault where they may not be there at all.
  std::optional<Fault> take_reserved(schema::Document& entry, const Circumstances& around, const Source& source,
                                     std::vector<std::string>& taken) const;
  // What the stylesheet makes of it. A fault is the publisher's, also where the stylesheet refuses the entry.
  Result<PreparedEntry> made_of(const std::string& text, const EntryRules& rules, const Circumstances& around,
                                const std::vector<std::string>& taken) const;
  Result<PreparedEntry> read_made(const std::string& text, const EntryRules& rules, const Circumstances& around,
                                  const std::vector<std::string>& taken) const;

  std::vector<schema::Grammar> entry_grammars_;
  std::vector<schema::Grammar> content_grammars_;
  schema::Assertions assertions_;
  std::vector<std::string> reserved_prefixes_;  // of terms, folded
  std::vector<std::string> reserved_schemes_;
  std::optional<xslt::Stylesheet> stylesheet_;
};

}  // namespace courant::feeds
