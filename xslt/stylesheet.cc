#include "xslt/stylesheet.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <optional>

#include <libxml/xmlIO.h>
#include <libxml/xpath.h>
#include <libxslt/transform.h>
#include <libxslt/variables.h>
#include <libxslt/xsltInternals.h>
#include <libxslt/xsltutils.h>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "xslt/files.h"
#include "xslt/meter.h"

namespace courant::xslt {
namespace {

constexpr int kMaxVariables = 10'000;
// Of instructions, and of steps of expressions: where each takes little memory, so that nobody looks at the clock.
constexpr unsigned long kMostOperations = 50'000'000;

struct FreeContext {
  void operator()(xsltTransformContext* context) const { xsltFreeTransformContext(context); }
};
using OwnedContext = std::unique_ptr<xsltTransformContext, FreeContext>;

// What libxslt says on this thread while this object lives: what goes wrong, and what xsl:message says.
class Listening {
 public:
  Listening() : structured_(xmlStructuredError), structured_context_(xmlStructuredErrorContext) {
    current_ = this;
    // The compiler has no other way than this function, which is one for all threads.
    static const bool set_up = [] {
      xsltSetGenericErrorFunc(nullptr, &Listening::hear_compiler);
      return true;
    }();
    static_cast<void>(set_up);
    // What libxml2 would print; these are the thread's own.
    xmlSetGenericErrorFunc(nullptr, &Listening::hear_nothing);
    xmlSetStructuredErrorFunc(nullptr, &Listening::hear_nothing_of);
  }
  ~Listening() {
    current_ = nullptr;
    xmlSetGenericErrorFunc(nullptr, nullptr);
    xmlSetStructuredErrorFunc(structured_context_, structured_);
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  std::string_view message() const { return trim(message_); }
  std::string_view errors() const { return trim(errors_); }

  // Listens to a transformation. context: outlives this.
  void listen_to(xsltTransformContext* context) {
    context_ = context;
    xsltSetTransformErrorFunc(context, this, &Listening::hear_transformation);
    context->xpathCtxt->error = &Listening::hear_expression;
    context->xpathCtxt->userData = this;
  }

 private:
  static constexpr std::size_t kMaxWords = 2000;

  static void add(std::string& to, const char* format, va_list arguments) {
    if (to.size() > kMaxWords) return;
    char line[kMaxWords];
    const int length = std::vsnprintf(line, sizeof line, format, arguments);
    if (length > 0) to.append(line, std::min<std::size_t>(static_cast<std::size_t>(length), sizeof line - 1));
  }
  static void hear_compiler(void*, const char* format, ...) {
    if (current_ == nullptr) return;
    va_list arguments;
    va_start(arguments, format);
    add(current_->errors_, format, arguments);
    va_end(arguments);
  }
  // An error is noted in the context's state before it is told of; a message is told of while all is well.
  static void hear_transformation(void* self, const char* format, ...) {
    auto* const listening = static_cast<Listening*>(self);
    const bool is_message = listening->context_->state == XSLT_STATE_OK;
    va_list arguments;
    va_start(arguments, format);
    add(is_message ? listening->message_ : listening->errors_, format, arguments);
    va_end(arguments);
  }
  static void hear_expression(void* self, xmlError* error) {
    std::string& errors = static_cast<Listening*>(self)->errors_;
    if (error->message != nullptr && errors.size() <= kMaxWords) errors += error->message;
  }
  static void hear_nothing(void*, const char*, ...) {}
  static void hear_nothing_of(void*, xmlError*) {}

  static thread_local Listening* current_;
  const xmlStructuredErrorFunc structured_;  // those of before
  void* const structured_context_;
  xsltTransformContext* context_ = nullptr;
  std::string message_;
  std::string errors_;
};
thread_local Listening* Listening::current_ = nullptr;

Transformation broken(std::string why) {
  return {Transformation::End::kBroken, std::move(why)};
}
Transformation stopped(std::string why) {
  return {Transformation::End::kStopped, std::move(why)};
}

// The bounds that libxslt and libxml2 hold by themselves; null: it is none of these that they tell of.
const char* bound_in(std::string_view errors) {
  const auto says = [&errors](std::string_view words) { return errors.find(words) != std::string_view::npos; };
  if (says("potential infinite template recursion")) return "the recursion of its templates went too deep";
  if (says("peration limit exceeded")) return "it took too many steps in its expressions";
  return nullptr;
}

// What comes out, up to a bound.
struct Output {
  std::string text;
  std::size_t most;
  bool is_too_long = false;

  static int write(void* self, const char* bytes, int length) {
    auto* const output = static_cast<Output*>(self);
    const auto count = static_cast<std::size_t>(length);
    output->is_too_long = output->is_too_long || output->text.size() + count > output->most;
    if (output->is_too_long) return -1;
    output->text.append(bytes, count);
    return length;
  }
};

Transformation written(xmlDoc* result, xsltStylesheet* sheet, std::size_t most) {
  Output output{{}, most};
  xmlOutputBuffer* const buffer = xmlOutputBufferCreateIO(&Output::write, nullptr, &output, nullptr);
  if (buffer == nullptr) return broken("no memory for the result");
  const int status = xsltSaveResultTo(buffer, result, sheet);
  const int closed = xmlOutputBufferClose(buffer);
  if (output.is_too_long) return stopped("it made more than " + std::to_string(most) + " bytes of output");
  if (status < 0 || closed < 0) return broken("the result cannot be written");
  return {Transformation::End::kDone, std::move(output.text)};
}

}  // namespace

struct Stylesheet::Compiled {
  Compiled(xsltStylesheet* the_sheet, Folder the_folder, std::string the_version)
      : sheet(the_sheet), folder(std::move(the_folder)), version(std::move(the_version)) {}
  ~Compiled() { xsltFreeStylesheet(sheet); }
  Compiled(const Compiled&) = delete;
  Compiled& operator=(const Compiled&) = delete;

  xsltStylesheet* const sheet;
  const Folder folder;
  const std::string version;
};

Result<Stylesheet> Stylesheet::compile(std::string_view xsl) {
  return compile(xsl, Folder(), "");
}

Result<Stylesheet> Stylesheet::load(const Folder& folder, const std::string& name) {
  const Result<std::string> path = folder.locate(name);
  if (!path) return path.fault();
  const Result<std::string> text = folder.read(name);
  if (!text) return text.fault();
  Result<Stylesheet> compiled = compile(*text, folder, *path);
  if (compiled) return compiled;
  Fault fault = compiled.fault();
  fault.detail = "the stylesheet " + name + " cannot be used: " + fault.detail;
  return fault;
}

Result<Stylesheet> Stylesheet::compile(std::string_view xsl, const Folder& folder, const std::string& path) {
  Result<OwnedDocument> document = parse(xsl, path);
  if (!document) return document.fault();
  if (std::optional<Fault> costly = costly_pattern(document->get())) return *std::move(costly);
  const Reading reading(folder);
  const Listening said;
  xsltStylesheet* const sheet = xsltParseStylesheetDoc(document->get());
  const auto fault = [&reading, &said] {
    if (!reading.refused().empty()) return Fault{reading.refused()};
    return Fault{said.errors().empty() ? "it cannot be compiled" : std::string(said.errors())};
  };
  if (sheet == nullptr) return fault();
  (void)document->release();  // the stylesheet owns it now
  const std::string read = std::string(bytes_of(sha256(xsl))) + reading.digests();
  auto compiled = std::make_shared<const Compiled>(sheet, folder, to_hex(bytes_of(sha256(read)).substr(0, 6)));
  if (sheet->errors > 0 || !said.errors().empty() || !reading.refused().empty()) return fault();
  return Stylesheet(std::move(compiled));
}

const std::string& Stylesheet::version() const {
  return compiled_->version;
}

Transformation Stylesheet::transform(std::string_view xml, const Parameters& parameters, const Limits& limits) const {
  const Result<OwnedDocument> document = parse(xml, "", nullptr, true);
  if (!document) return broken("the document cannot be read: " + with_place(document.fault()));
  xsltStylesheet* const sheet = compiled_->sheet;
  const OwnedContext context(xsltNewTransformContext(sheet, document->get()));
  if (!context) return broken("no memory for a transformation");
  Listening said;
  said.listen_to(context.get());
  xsltSetCtxtSecurityPrefs(sandbox(), context.get());
  context->maxTemplateDepth = limits.depth;
  context->maxTemplateVars = kMaxVariables;
  context->opLimit = kMostOperations;
  context->xpathCtxt->opLimit = kMostOperations;
  for (const auto& [name, value] : parameters) {
    // Quoted: a parameter's text is never an expression.
    if (xsltQuoteOneUserParam(context.get(), reinterpret_cast<const xmlChar*>(name.c_str()),
                              reinterpret_cast<const xmlChar*>(value.c_str())) != 0) {
      return broken("the parameter " + name + " cannot be set");
    }
  }
  const Reading reading(compiled_->folder);
  const Meter meter(limits, context.get());
  const OwnedDocument result(xsltApplyStylesheetUser(sheet, document->get(), nullptr, nullptr, nullptr, context.get()));
  if (!meter.breach().empty()) return stopped(meter.breach());
  if (!reading.refused().empty()) return broken(reading.refused());
  if (const char* const bound = bound_in(said.errors())) return stopped(bound);
  if (!said.errors().empty()) return broken(std::string(said.errors()));
  // What ends without an error was told to: by itself.
  if (context->state == XSLT_STATE_STOPPED) return {Transformation::End::kRefused, std::string(said.message())};
  if (!result || context->state != XSLT_STATE_OK) return broken("the transformation failed");
  return written(result.get(), sheet, limits.output);
}

Result<std::string> Stylesheet::apply(std::string_view xml, const Parameters& parameters, const Limits& limits) const {
  Transformation transformation = transform(xml, parameters, limits);
  if (transformation.end != Transformation::End::kDone) return Fault{std::move(transformation.text)};
  return std::move(transformation.text);
}

}  // namespace courant::xslt
