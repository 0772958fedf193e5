// A compiled stylesheet. It sees the document and its parameters and nothing else: no file, no network, no writing.
// Specification: XSLT 1.0 with EXSLT's pure functions (libxslt).
// Threads: a Stylesheet is immutable after it is made and may be applied from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/result.h"

namespace courant::xslt {

class Stylesheet {
 public:
  // A fault says what the compiler did not like, with its line.
  static Result<Stylesheet> compile(std::string_view xsl);

  // Parameters are texts, whatever stands in them. A fault: the document is not XML, or the stylesheet asked for what
  // it may not have, or it ended with xsl:message terminate="yes".
  using Parameters = std::vector<std::pair<std::string, std::string>>;
  Result<std::string> apply(std::string_view xml, const Parameters& parameters = {}) const;

 private:
  struct Compiled;
  explicit Stylesheet(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace courant::xslt
