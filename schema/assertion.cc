#include "schema/assertion.h"

#include <memory>

#include <libxml/xmlerror.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "kernel/text.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

struct FreeXPath {
  void operator()(xmlXPathContext* context) const { xmlXPathFreeContext(context); }
  void operator()(xmlXPathCompExpr* expression) const { xmlXPathFreeCompExpr(expression); }
  void operator()(xmlXPathObject* object) const { xmlXPathFreeObject(object); }
};
template <class T>
using OwnedXPath = std::unique_ptr<T, FreeXPath>;

const xmlChar* xml_chars(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}

void hear_xpath(void* words, xmlError* error) {
  auto& said = *static_cast<std::string*>(words);
  if (error->message != nullptr && said.empty()) said = trim(error->message);
}

void print_nothing(void*, const char*, ...) {}

// said: what is wrong with an expression.
OwnedXPath<xmlXPathContext> xpath_context(const Document& document, const Prefixes& prefixes, std::string& said) {
  xmlDoc* const doc = document.tree().doc;
  OwnedXPath<xmlXPathContext> context(xmlXPathNewContext(doc));
  for (const auto& [prefix, uri] : prefixes) xmlXPathRegisterNs(context.get(), xml_chars(prefix), xml_chars(uri));
  context->error = hear_xpath;
  context->userData = &said;
  xmlSetGenericErrorFunc(nullptr, print_nothing);  // the thread's own: nothing is printed
  context->node = xmlDocGetRootElement(doc);
  return context;
}

// nullopt: it is no expression, or takes too many steps.
std::optional<bool> xpath_value(xmlXPathContext* context, const std::string& xpath, const Patience& patience = {}) {
  context->opLimit = patience.steps;
  context->opCount = 0;
  // Compiled each time: libxml2 writes into a compiled expression while it evaluates it.
  const OwnedXPath<xmlXPathCompExpr> expression(xmlXPathCtxtCompile(context, xml_chars(xpath)));
  if (!expression) return std::nullopt;
  const OwnedXPath<xmlXPathObject> value(xmlXPathCompiledEval(expression.get(), context));
  if (!value) return std::nullopt;
  return xmlXPathCastToBoolean(value.get()) != 0;
}

}  // namespace

Result<Assertions> Assertions::compile(std::vector<Assertion> assertions, const Prefixes& prefixes) {
  Assertions made;
  made.prefixes_ = prefixes;
  made.prefixes_.emplace("atom", "http://www.w3.org/2005/Atom");
  const Result<Document> empty = admit("<entry xmlns=\"http://www.w3.org/2005/Atom\"/>");
  std::string said;
  const OwnedXPath<xmlXPathContext> context = xpath_context(*empty, made.prefixes_, said);
  for (const Assertion& assertion : assertions) {
    if (assertion.message.empty()) return Fault{"the assertion " + assertion.xpath + " has no message"};
    const bool is_expression = xpath_value(context.get(), assertion.xpath).has_value();
    if (!is_expression) {
      return Fault{"the assertion " + assertion.xpath + " is no XPath 1.0 expression" +
                   (said.empty() ? "" : ": " + said)};
    }
  }
  made.assertions_ = std::move(assertions);
  return made;
}

std::optional<std::string> Assertions::broken_by(const Document& document, const Patience& patience) const {
  if (assertions_.empty()) return std::nullopt;
  std::string said;
  const OwnedXPath<xmlXPathContext> context = xpath_context(document, prefixes_, said);
  for (const Assertion& assertion : assertions_) {
    const std::optional<bool> value = xpath_value(context.get(), assertion.xpath, patience);
    if (!value && patience.is_first_try) throw OutOfPatience();
    if (!value.value_or(false)) return assertion.message;
  }
  return std::nullopt;
}

}  // namespace courant::schema
