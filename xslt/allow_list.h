// What of a publisher's HTML may stand in a page of ours: which elements, with which attributes, leading where.
// Specification: docs/SECURITY.md ("Pages"), docs/decisions/0017-html-and-its-sanitiser.md.
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace courant::xslt {

// What becomes of an element.
enum class Fate {
  kKept,       // it stands there, maybe by another name
  kUnwrapped,  // what it holds stands there without it
  kDropped,    // nothing of it stands there
};

struct ElementRule {
  Fate fate = Fate::kUnwrapped;
  std::string_view name;  // of a kept one: what it is written as
  bool is_void = false;   // it holds nothing and has no end tag
};

// name: in lower case. What nobody has thought of is unwrapped.
ElementRule rule_of(std::string_view name);

// The attribute's value as it may stand on the element of this name; nullopt: it may not. Never of an address.
std::optional<std::string> allowed_value(std::string_view element, std::string_view attribute, std::string_view value);

// The address as a link may have it: an absolute one of http, https or mailto, without what browsers leave out of
// addresses before they read the scheme (tabs and line ends anywhere, spaces and controls around it); nullopt: any
// other.
std::optional<std::string> allowed_address(std::string_view address);

}  // namespace courant::xslt
