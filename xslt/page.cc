#include "xslt/page.h"

#include <stdexcept>

#include <libxml/HTMLtree.h>
#include <libxml/parser.h>
#include <libxslt/variables.h>

#include "xslt/files.h"
#include "xslt/owned.h"
#include "xslt/page_files.h"
#include "xslt/reading_view.h"
#include "xslt/stylesheet_texts.h"

namespace courant::xslt {
namespace {

constexpr int kOwnDocument = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE;

Owned<xmlDoc> read_document(std::string_view xml) {
  Owned<xmlDoc> document(xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr, kOwnDocument));
  if (!document) throw std::logic_error("a document of ours is not well-formed");
  return document;
}

// One stylesheet of the files: what the others hold is moved into the first.
Owned<xsltStylesheet> compile_pages() {
  sandbox();  // what libxml2 and libxslt have to be told before anything else
  Owned<xmlDoc> all = read_document(stylesheet_texts::page);
  for (const std::string_view part :
       {stylesheet_texts::feed, stylesheet_texts::archive, stylesheet_texts::subscription}) {
    const Owned<xmlDoc> document = read_document(part);
    xmlNode* next = nullptr;
    for (xmlNode* child = xmlDocGetRootElement(document.get())->children; child != nullptr; child = next) {
      next = child->next;
      xmlNode* const copy = xmlDocCopyNode(child, all.get(), 1);
      xmlAddChild(xmlDocGetRootElement(all.get()), copy);
    }
  }
  Owned<xsltStylesheet> sheet(xsltParseStylesheetDoc(all.get()));
  if (!sheet) throw std::logic_error("the stylesheet of pages cannot be compiled");
  (void)all.release();  // the stylesheet owns it now
  if (sheet->errors > 0) throw std::logic_error("the stylesheet of pages has errors");
  return sheet;
}

void set_parameter(xsltTransformContext& context, const char* name, const std::string& value) {
  const auto* const text = reinterpret_cast<const xmlChar*>(value.c_str());
  xsltQuoteOneUserParam(&context, reinterpret_cast<const xmlChar*>(name), text);
}

}  // namespace

std::string html_page(std::string_view document, const std::string& link_suffix, Reach reach) {
  static const Owned<xsltStylesheet> kPage = compile_pages();
  const Owned<xmlDoc> shown = read_document(document);
  add_reading_view(*shown);
  const Owned<xsltTransformContext> context(xsltNewTransformContext(kPage.get(), shown.get()));
  if (!context) throw std::bad_alloc();
  set_parameter(*context, "suffix", link_suffix);
  set_parameter(*context, "reach", reach == Reach::kWhole ? "whole" : "part");
  set_parameter(*context, "version", page_version());
  set_parameter(*context, "integrity", live_script_integrity());
  const Owned<xmlDoc> page(xsltApplyStylesheetUser(kPage.get(), shown.get(), nullptr, nullptr, nullptr, context.get()));
  if (!page || context->state != XSLT_STATE_OK) throw std::logic_error("the stylesheet of pages has failed");
  const Owned<xmlBuffer> text(xmlBufferCreate());
  const Owned<xmlOutputBuffer> output(xmlOutputBufferCreateBuffer(text.get(), nullptr));
  htmlNodeDumpFormatOutput(output.get(), page.get(), xmlDocGetRootElement(page.get()), nullptr, 0);
  xmlOutputBufferFlush(output.get());
  std::string html = "<!DOCTYPE html>\n";
  html.append(reinterpret_cast<const char*>(xmlBufferContent(text.get())),
              static_cast<std::size_t>(xmlBufferLength(text.get())));
  return html += '\n';
}

}  // namespace courant::xslt
