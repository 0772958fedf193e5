#include "xslt/page.h"

#include <stdexcept>

#include "xslt/stylesheet.h"
#include "xslt/stylesheet_texts.h"

namespace courant::xslt {

std::string html_page(std::string_view document, const std::string& link_suffix) {
  static const Stylesheet kPage = [] {
    Result<Stylesheet> compiled = Stylesheet::compile(stylesheet_texts::page);
    if (!compiled) throw std::logic_error("page.xsl: " + compiled.fault().detail);
    return *std::move(compiled);
  }();
  // The stylesheet is ours; how much it makes is bounded by the document.
  constexpr Limits kLimits{std::chrono::minutes(1), 500, std::size_t{4} << 30, std::size_t{1} << 30};
  Result<std::string> page = kPage.apply(document, {{"suffix", link_suffix}}, kLimits);
  if (!page) throw std::logic_error("page.xsl: " + page.fault().detail);
  return *std::move(page);
}

}  // namespace courant::xslt
