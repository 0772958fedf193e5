// A grammar that documents are held against: RELAX NG in its XML syntax, or XML Schema. It is compiled once and shared.
// What it is for follows from it: documents whose root element is in one of its namespaces.
// Specification: RELAX NG (ISO/IEC 19757-2), XML Schema 1.0, both as libxml2 has them.
// Threads: a Grammar is immutable after it is made and may be used from any thread: what libxml2 writes while it
// validates is made anew for each document. It takes processor time: on io threads with little patience only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/folder.h"
#include "kernel/result.h"
#include "schema/breach.h"
#include "schema/door.h"
#include "schema/element.h"
#include "schema/patience.h"

namespace courant::schema {

class Grammar {
 public:
  // A file of the folder; it may include others of it, and nothing else. A fault names the file, with line where that
  // is known; also for RELAX NG's compact syntax, which is not read: `trang FILE.rnc FILE.rng` makes the XML syntax of
  // it.
  static Result<Grammar> load(const Folder& folder, const std::string& name);

  // As configured: "events.rng".
  const std::string& name() const;

  // Whether it names this namespace as one that documents may begin in; empty: elements without one.
  bool is_for(std::string_view namespace_uri) const;
  // Whether they may begin in any.
  bool is_for_any() const;
  // For people: "urn:a, urn:b", "any namespace".
  std::string namespaces() const;

  // nullopt: the document is as the grammar wants it. Otherwise the rule that is broken innermost.
  std::optional<Breach> breach_of(const Document& document, const Patience& patience = {}) const;
  // The same of an element as if it were a document; elements are counted from it.
  std::optional<Breach> breach_of(const Element& root, const Patience& patience = {}) const;

 private:
  struct Compiled;
  explicit Grammar(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace courant::schema
