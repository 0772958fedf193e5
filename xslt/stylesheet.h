// A compiled stylesheet in its sandbox. It sees the document, its parameters and, where it is given one, the files of
// one folder; nothing else: no network, no writing, no entities. What it may take is bounded for each transformation
// (xslt/limits.h).
// Specification: XSLT 1.0, and exsl:node-set. Of EXSLT nothing else is there. docs/decisions/0016.
// Threads: a Stylesheet is immutable after it is made and may be applied from any thread; it takes processor time, so
// not from io threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernel/folder.h"
#include "kernel/result.h"
#include "xslt/limits.h"

namespace courant::xslt {

// How a transformation ended.
struct Transformation {
  enum class End {
    kDone,     // text is what came out
    kRefused,  // by xsl:message terminate="yes"; text is the message
    kStopped,  // a bound was passed; text says which
    kBroken,  // the stylesheet asked for what it may not have, or went wrong; text says how, for operators: it may name
              // files
  };
  End end = End::kBroken;
  std::string text;
};

class Stylesheet {
 public:
  // Parameters are texts, whatever stands in them. Those that the stylesheet does not declare are ignored.
  using Parameters = std::vector<std::pair<std::string, std::string>>;

  // A fault says what the compiler did not like, with its line. Without a folder it reads no file at all.
  static Result<Stylesheet> compile(std::string_view xsl);
  // A file of the folder, that may read others of it: xsl:import and xsl:include now, document() each time that it is
  // applied. Faults name the file.
  static Result<Stylesheet> load(const Folder& folder, const std::string& name);

  // 12 hexadecimal digits, other ones for another text of it or of what it imports and includes.
  const std::string& version() const;

  // xml: well-formed, without a DOCTYPE; anything else is kBroken.
  Transformation transform(std::string_view xml, const Parameters& parameters = {}, const Limits& limits = {}) const;

  // The same for who does not care why there is no text: what went wrong, or the message, is the fault.
  Result<std::string> apply(std::string_view xml, const Parameters& parameters = {}, const Limits& limits = {}) const;

 private:
  struct Compiled;
  static Result<Stylesheet> compile(std::string_view xsl, const Folder& folder, const std::string& path);
  explicit Stylesheet(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace courant::xslt
