#include "xslt/stylesheet.h"

#include <cstdarg>
#include <cstdio>

#include <libxml/parser.h>
#include <libxslt/security.h>
#include <libxslt/transform.h>
#include <libxslt/variables.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>

#include "kernel/text.h"

namespace courant::xslt {
namespace {

constexpr int kParseOptions = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE;
constexpr int kMaxDepth = 500;  // endless recursion
constexpr int kMaxVariables = 10'000;

struct Freeing {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
  void operator()(xsltTransformContext* context) const { xsltFreeTransformContext(context); }
  void operator()(xmlChar* text) const { xmlFree(text); }
};
template <class T>
using Owned = std::unique_ptr<T, Freeing>;

// What libxslt says while this object lives, on this thread. libxslt tells some of it to a function that is global.
class Listening {
 public:
  Listening() { current_ = this; }
  ~Listening() { current_ = nullptr; }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  std::string_view words() const { return trim(said_); }

  static void hear(void*, const char* format, ...) {
    if (current_ == nullptr || current_->said_.size() > kMaxWords) return;
    char line[512];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    current_->said_ += line;
  }

 private:
  static constexpr std::size_t kMaxWords = 2000;
  static thread_local Listening* current_;
  std::string said_;
};
thread_local Listening* Listening::current_ = nullptr;

// Forbids everything outside the document: set up once, never changed.
xsltSecurityPrefs* sandbox() {
  static xsltSecurityPrefs* const kPrefs = [] {
    xmlInitParser();
    xsltInit();
    xsltSetGenericErrorFunc(nullptr, &Listening::hear);
    xsltSecurityPrefs* const prefs = xsltNewSecurityPrefs();
    for (const xsltSecurityOption option :
         {XSLT_SECPREF_READ_FILE, XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY, XSLT_SECPREF_READ_NETWORK,
          XSLT_SECPREF_WRITE_NETWORK}) {
      xsltSetSecurityPrefs(prefs, option, xsltSecurityForbid);
    }
    // Also what is compiled (xsl:import, xsl:include) goes by these.
    xsltSetDefaultSecurityPrefs(prefs);
    return prefs;
  }();
  return kPrefs;
}

Owned<xmlDoc> parse(std::string_view xml) {
  return Owned<xmlDoc>(xmlReadMemory(xml.data(), static_cast<int>(xml.size()), nullptr, nullptr, kParseOptions));
}

Fault fault_of(const Listening& listening, std::string otherwise) {
  const std::string_view words = listening.words();
  return Fault{words.empty() ? std::move(otherwise) : std::string(words)};
}

}  // namespace

struct Stylesheet::Compiled {
  explicit Compiled(xsltStylesheet* the_sheet) : sheet(the_sheet) {}
  ~Compiled() { xsltFreeStylesheet(sheet); }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  xsltStylesheet* sheet;
};

Result<Stylesheet> Stylesheet::compile(std::string_view xsl) {
  sandbox();
  Owned<xmlDoc> document = parse(xsl);
  if (!document) return Fault{"the stylesheet is not well-formed XML"};
  const Listening said;
  xsltStylesheet* const sheet = xsltParseStylesheetDoc(document.get());
  if (sheet == nullptr) return fault_of(said, "the stylesheet cannot be compiled");
  (void)document.release();  // the stylesheet owns it now
  const auto compiled = std::make_shared<const Compiled>(sheet);
  if (sheet->errors > 0) return fault_of(said, "the stylesheet cannot be compiled");
  return Stylesheet(compiled);
}

Result<std::string> Stylesheet::apply(std::string_view xml, const Parameters& parameters) const {
  const Owned<xmlDoc> document = parse(xml);
  if (!document) return Fault{"the document is not well-formed XML"};
  const Owned<xsltTransformContext> context(xsltNewTransformContext(compiled_->sheet, document.get()));
  if (!context) return Fault{"no memory for a transformation"};
  const Listening said;
  xsltSetTransformErrorFunc(context.get(), nullptr, &Listening::hear);
  xsltSetCtxtSecurityPrefs(sandbox(), context.get());
  context->maxTemplateDepth = kMaxDepth;
  context->maxTemplateVars = kMaxVariables;
  for (const auto& [name, value] : parameters) {
    // Quoted: a parameter's text is never an expression.
    if (xsltQuoteOneUserParam(context.get(), reinterpret_cast<const xmlChar*>(name.c_str()),
                              reinterpret_cast<const xmlChar*>(value.c_str())) != 0) {
      return Fault{"the parameter " + name + " cannot be set"};
    }
  }
  const Owned<xmlDoc> result(
      xsltApplyStylesheetUser(compiled_->sheet, document.get(), nullptr, nullptr, nullptr, context.get()));
  if (!result || context->state != XSLT_STATE_OK) return fault_of(said, "the transformation failed");
  xmlChar* text = nullptr;
  int length = 0;
  if (xsltSaveResultToString(&text, &length, result.get(), compiled_->sheet) != 0) {
    return Fault{"the result cannot be written"};
  }
  const Owned<xmlChar> owned(text);
  return text == nullptr ? std::string()
                         : std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(length));
}

}  // namespace courant::xslt
