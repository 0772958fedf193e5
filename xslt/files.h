// The files that stylesheets read: xsl:import and xsl:include while one is compiled, document() while one runs. They
// come out of one folder, and are XML without a DOCTYPE. Threads: a Reading belongs to the thread that made it, one at
// a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <libxml/tree.h>
#include <libxslt/security.h>

#include "kernel/folder.h"
#include "kernel/result.h"

namespace courant::xslt {

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};
using OwnedDocument = std::unique_ptr<xmlDoc, FreeDocument>;

// A document that has no DOCTYPE: no entity is expanded, nothing is loaded. url: what relative references in it go
// by; may be empty. is_huge: nested texts and names of any length are taken, as in what we have written ourselves.
Result<OwnedDocument> parse(std::string_view xml, const std::string& url, xmlDict* dictionary = nullptr,
                            bool is_huge = false);

// While it lives, this thread's stylesheets read files of this folder.
class Reading {
 public:
  explicit Reading(const Folder& folder);
  ~Reading();
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  // What was asked for and not given, the first of it; empty: nothing.
  const std::string& refused() const { return refused_; }
  // Of the stylesheets that were read, one behind the other.
  const std::string& digests() const { return digests_; }

  // For what libxslt calls.
  static Reading* of_this_thread();
  OwnedDocument load(std::string_view url, xmlDict* dictionary, bool is_stylesheet);
  void refuse(std::string why);

 private:
  const Folder& folder_;
  int loaded_ = 0;
  std::string refused_;
  std::string digests_;
};

// What stylesheets may do: read files through a Reading. Set up once, never changed.
xsltSecurityPrefs* sandbox();

// A fault where a pattern of the stylesheet would take libxslt long to match, however little it is applied to.
std::optional<Fault> costly_pattern(xmlDoc* stylesheet);

}  // namespace courant::xslt
