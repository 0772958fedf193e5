// What must hold of each document and no grammar can say: an expression of XPath 1.0, with a sentence for who breaks
// it. The expression is evaluated at the root element; the prefix atom is declared. Steps are bounded: what takes more
// does not hold. Threads: immutable; from any thread, from io threads with little patience only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernel/result.h"
#include "schema/door.h"
#include "schema/patience.h"

namespace courant::schema {

struct Assertion {
  std::string xpath;
  std::string message;
  bool operator==(const Assertion&) const = default;
};

using Prefixes = std::map<std::string, std::string>;  // to namespaces

class Assertions {
 public:
  // A fault names the expression that is none.
  static Result<Assertions> compile(std::vector<Assertion> assertions, const Prefixes& prefixes);

  bool empty() const { return assertions_.empty(); }

  // The message of the first that does not hold; nullopt: all do.
  std::optional<std::string> broken_by(const Document& document, const Patience& patience = {}) const;

 private:
  std::vector<Assertion> assertions_;
  Prefixes prefixes_;
};

}  // namespace courant::schema
