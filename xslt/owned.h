// Owners and views of what libxml2 and libxslt give away.
// Threads: plain values.
#pragma once

#include <memory>
#include <string_view>

#include <libxml/tree.h>
#include <libxml/xmlIO.h>
#include <libxslt/transform.h>
#include <libxslt/xsltInternals.h>

namespace courant::xslt {

struct Freeing {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
  void operator()(xsltTransformContext* context) const { xsltFreeTransformContext(context); }
  void operator()(xsltStylesheet* sheet) const { xsltFreeStylesheet(sheet); }
  void operator()(xmlOutputBuffer* output) const { xmlOutputBufferClose(output); }
  void operator()(xmlBuffer* buffer) const { xmlBufferFree(buffer); }
  void operator()(xmlChar* text) const { xmlFree(text); }
};

template <class T>
using Owned = std::unique_ptr<T, Freeing>;

// libxml2's text; null is empty.
inline std::string_view view_of(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

}  // namespace courant::xslt
