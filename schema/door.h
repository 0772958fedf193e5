// The strict door: nothing enters that is not XML of the kind we can put into any page. pugixml and most readers are
// lenient; libxml2 in its strictest mode stands before everything.
// Refused, each with line and column: not well-formed, not namespace-well-formed (unbound prefix, repeated expanded
// attribute), not UTF-8 (whatever the declaration says), a DOCTYPE, characters that XML 1.0 excludes, and anything
// beyond the limits. Entities are never expanded beyond the five predefined ones and character references.
// Specification: XML 1.0 (Fifth Edition), Namespaces in XML 1.0.
// Threads: pure functions; libxml2 is initialised once, by the first call.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "kernel/result.h"

namespace courant::schema {

struct DoorLimits {
  std::size_t max_bytes = 16 << 20;
  int max_depth = 100;       // deep nesting: stacks
  int max_attributes = 250;  // of one element; with its namespace declarations twice as many
  std::size_t max_elements = 1'000'000;
};

// A document that has passed. Its tree is libxml2's; only schema/ and xslt/ look inside.
class Document {
 public:
  struct Tree;  // xmlDoc behind it, see schema/tree.h
  explicit Document(std::unique_ptr<Tree> tree);
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();
  Tree& tree() const { return *tree_; }

 private:
  std::unique_ptr<Tree> tree_;
};

Result<Document> admit(std::string_view bytes, const DoorLimits& limits = {});

}  // namespace courant::schema
