// A feed document as an auditor reads it: what carries the marks of the log, with the bytes that its leaf was made of.
// Specification: docs/AUDIT.md; Exclusive XML Canonicalization 1.0, with comments.
// Threads: pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schema/door.h"

namespace courant::schema {

inline constexpr std::string_view kLogNamespace = "urn:courant:log:1";

using Attributes = std::map<std::string, std::string>;

// An entry or a deleted-entry of the feed.
struct MarkedElement {
  std::string name;                  // "entry", "deleted-entry"
  std::string ref;                   // of a deleted-entry: the id of what was deleted
  Attributes log;                    // of its last c:log
  std::optional<Attributes> record;  // of its c:redacted: a record of what was redacted
  std::string canonical;             // exclusive canonical form of what stands before c:log
};

struct MarkedDocument {
  std::vector<MarkedElement> elements;  // in document order
  std::optional<Attributes> chain;      // of c:chain
  bool is_archive = false;              // fh:archive
};

// A fault where the document is no feed, where it shows what the log does not cover (docs/AUDIT.md, "Nothing else"),
// and where the canonical form of a child cannot be made.
Result<MarkedDocument> read_marks(const Document& document);

}  // namespace courant::schema
