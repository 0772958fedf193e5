#include "schema/assertion.h"

#include <memory>

#include <libxml/xmlerror.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

#include "kernel/text.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

constexpr unsigned long kMostSteps = 1'000'000;

struct Freeing {
  void operator()(xmlXPathContext* context) const { xmlXPathFreeContext(context); }
  void operator()(xmlXPathCompExpr* expression) const { xmlXPathFreeCompExpr(expression); }
  void operator()(xmlXPathObject* object) const { xmlXPathFreeObject(object); }
};
template <class T>
using Owned = std::unique_ptr<T, Freeing>;

const xmlChar* chars(const std::string& text) {
  return reinterpret_cast<const xmlChar*>(text.c_str());
}

void hear(void* words, xmlError* error) {
  auto& said = *static_cast<std::string*>(words);
  if (error->message != nullptr && said.empty()) said = trim(error->message);
}

void be_quiet(void*, const char*, ...) {}

// said: what is wrong with an expression.
Owned<xmlXPathContext> context_of(const Document& document, const Prefixes& prefixes, std::string& said) {
  xmlDoc* const doc = document.tree().doc;
  Owned<xmlXPathContext> context(xmlXPathNewContext(doc));
  for (const auto& [prefix, uri] : prefixes) xmlXPathRegisterNs(context.get(), chars(prefix), chars(uri));
  context->error = hear;
  context->userData = &said;
  xmlSetGenericErrorFunc(nullptr, be_quiet);  // the thread's own: nothing is printed
  context->node = xmlDocGetRootElement(doc);
  return context;
}

// nullopt: it is no expression, or takes too many steps.
std::optional<bool> value_of(xmlXPathContext* context, const std::string& xpath) {
  context->opLimit = kMostSteps;
  context->opCount = 0;
  // Compiled each time: libxml2 writes into a compiled expression while it evaluates it.
  const Owned<xmlXPathCompExpr> expression(xmlXPathCtxtCompile(context, chars(xpath)));
  if (!expression) return std::nullopt;
  const Owned<xmlXPathObject> value(xmlXPathCompiledEval(expression.get(), context));
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
  const Owned<xmlXPathContext> context = context_of(*empty, made.prefixes_, said);
  for (const Assertion& assertion : assertions) {
    if (assertion.message.empty()) return Fault{"the assertion " + assertion.xpath + " has no message"};
    const bool is_expression = value_of(context.get(), assertion.xpath).has_value();
    if (!is_expression) {
      return Fault{"the assertion " + assertion.xpath + " is no XPath 1.0 expression" +
                   (said.empty() ? "" : ": " + said)};
    }
  }
  made.assertions_ = std::move(assertions);
  return made;
}

std::optional<std::string> Assertions::broken_by(const Document& document) const {
  if (assertions_.empty()) return std::nullopt;
  std::string said;
  const Owned<xmlXPathContext> context = context_of(document, prefixes_, said);
  for (const Assertion& assertion : assertions_) {
    if (!value_of(context.get(), assertion.xpath).value_or(false)) return assertion.message;
  }
  return std::nullopt;
}

}  // namespace courant::schema
