#include "schema/grammar.h"

#include <libxml/relaxng.h>
#include <libxml/valid.h>
#include <libxml/xmlschemas.h>

#include "kernel/text.h"
#include "kernel/time.h"
#include "schema/interruptible.h"
#include "schema/root_names.h"
#include "schema/tree.h"

namespace courant::schema {
namespace {

struct FreeGrammar {
  void operator()(xmlRelaxNG* grammar) const { xmlRelaxNGFree(grammar); }
  void operator()(xmlRelaxNGParserCtxt* parser) const { xmlRelaxNGFreeParserCtxt(parser); }
  void operator()(xmlRelaxNGValidCtxt* context) const { xmlRelaxNGFreeValidCtxt(context); }
  void operator()(xmlSchema* schema) const { xmlSchemaFree(schema); }
  void operator()(xmlSchemaParserCtxt* parser) const { xmlSchemaFreeParserCtxt(parser); }
  void operator()(xmlSchemaValidCtxt* context) const { xmlSchemaFreeValidCtxt(context); }
};
template <class T>
using OwnedGrammar = std::unique_ptr<T, FreeGrammar>;

std::string words_of_error(const xmlError* error) {
  return error->message == nullptr ? "it is not allowed" : std::string(trim(error->message));
}

// The first thing that is wrong with a grammar.
struct Compilation {
  std::optional<Fault> fault;

  static void hear(void* self, xmlError* error) {
    auto* const compilation = static_cast<Compilation*>(self);
    if (error->level < XML_ERR_ERROR || compilation->fault) return;
    compilation->fault = Fault{words_of_error(error), error->line, 0};
  }
};

int depth_of(const xmlNode* node) {
  int depth = 0;
  for (; node->parent != nullptr; node = node->parent) ++depth;
  return depth;
}

const xmlNode* element_around(const xmlNode* node) {
  while (node != nullptr && node->type != XML_ELEMENT_NODE) node = node->parent;
  return node;
}

// libxml2 tells of an element's attributes where it stands, which may be at the first child.
const xmlNode* element_meant(const std::string& words, const xmlNode* node) {
  constexpr std::string_view kBegin = "Element ";
  if (!words.starts_with(kBegin)) return node;
  const std::string_view rest = std::string_view(words).substr(kBegin.size());
  const std::string_view name = rest.substr(0, rest.find(' '));
  for (const xmlNode* around = node; around != nullptr; around = element_around(around->parent)) {
    if (view(around->name) == name) return around;
  }
  return node;
}

// Of all that is said of a document, what is said first of its innermost element: what is said then, and of those
// around it, is that something in them is wrong.
struct Judgement {
  const xmlNode* node = nullptr;
  int depth = -1;
  std::string words;
  bool is_breach = false;

  static void hear(void* self, xmlError* error) {
    const NotNow guard;
    auto* const judgement = static_cast<Judgement*>(self);
    judgement->is_breach = true;
    const std::string words = words_of_error(error);
    const xmlNode* const node = element_meant(words, element_around(static_cast<const xmlNode*>(error->node)));
    const int depth = node == nullptr ? 0 : depth_of(node);
    if (depth <= judgement->depth) return;
    judgement->node = node;
    judgement->depth = depth;
    judgement->words = words;
  }

  Breach breach(const xmlNode* root) const {
    const xmlNode* const where = node == nullptr ? root : node;
    return {number_of(where) - number_of(root), std::string(view(where->name)), words};
  }
};

// While it is there a document remembers nothing of its validation: of types that are identifiers libxml2 keeps a list.
class WithoutMemory {
 public:
  explicit WithoutMemory(xmlDoc& doc) : doc_(doc), ids_(doc.ids), refs_(doc.refs), names_(doc.dict) {
    doc.ids = doc.refs = nullptr;
    doc.dict = nullptr;
  }
  ~WithoutMemory() {
    doc_.ids = ids_;
    doc_.refs = refs_;
    doc_.dict = names_;
  }
  WithoutMemory(const WithoutMemory&) = delete;
  WithoutMemory& operator=(const WithoutMemory&) = delete;

 private:
  xmlDoc& doc_;
  void* const ids_;
  void* const refs_;
  xmlDict* const names_;
};

// One validation, which may be left in its middle: contexts are made and freed where it may not, since they take a
// lock.
struct Judging {
  xmlRelaxNG* relax_ng;  // one of the two
  xmlSchema* schema;
  xmlDoc* doc;
  Judgement judgement;
  int status;
};

void judge_by_relax_ng(Judging& judging) {
  xmlRelaxNGValidCtxt* context = nullptr;
  {
    const NotNow guard;
    context = xmlRelaxNGNewValidCtxt(judging.relax_ng);
    xmlRelaxNGSetValidStructuredErrors(context, &Judgement::hear, &judging.judgement);
  }
  judging.status = xmlRelaxNGValidateDoc(context, judging.doc);
  const NotNow guard;
  xmlRelaxNGFreeValidCtxt(context);
}

void judge_by_xml_schema(Judging& judging) {
  xmlSchemaValidCtxt* context = nullptr;
  {
    const NotNow guard;
    context = xmlSchemaNewValidCtxt(judging.schema);
    xmlSchemaSetValidStructuredErrors(context, &Judgement::hear, &judging.judgement);
  }
  judging.status = xmlSchemaValidateDoc(context, judging.doc);
  const NotNow guard;
  xmlSchemaFreeValidCtxt(context);
}

void judge(void* subject) {
  auto& judging = *static_cast<Judging*>(subject);
  judging.relax_ng != nullptr ? judge_by_relax_ng(judging) : judge_by_xml_schema(judging);
  // Lists of the validation alone.
  const NotNow guard;
  xmlFreeIDTable(static_cast<xmlIDTable*>(judging.doc->ids));
  xmlFreeRefTable(static_cast<xmlRefTable*>(judging.doc->refs));
  judging.doc->ids = judging.doc->refs = nullptr;
}

}  // namespace

struct Grammar::Compiled {
  std::string name;
  RootNames roots;
  OwnedGrammar<xmlRelaxNG> relax_ng;  // one of the two
  OwnedGrammar<xmlSchema> schema;
};

Result<Grammar> Grammar::load(const Folder& folder, const std::string& name) {
  const auto fault_of = [&name](const Fault& fault) {
    return Fault{"the schema " + name + " cannot be used: " + fault.detail, fault.line, fault.column};
  };
  const Result<std::string> path = folder.locate(name);
  if (!path) return path.fault();
  Loading loading(folder);
  const Result<std::string> text = loading.read(*path);
  if (!text) return fault_of(text.fault());
  if (name.ends_with(".rnc") || !trim(*text).starts_with('<')) {
    return fault_of(
        Fault{"it is not XML; where it is RELAX NG in the compact syntax, make the XML syntax of it, as `trang " +
              name + " " + name.substr(0, name.rfind('.')) + ".rng` does"});
  }
  Result<Document> document = admit(*text);
  if (!document) return fault_of(document.fault());
  auto compiled = std::make_shared<Compiled>();
  compiled->name = name;
  Compilation compilation;
  const Element root = Element::root_of(*document);
  if (is_relax_ng(root)) {
    Result<RootNames> roots = root_names_of_relax_ng(*document, *path, loading);
    if (!roots) return fault_of(roots.fault());
    compiled->roots = *std::move(roots);
    const OwnedGrammar<xmlRelaxNGParserCtxt> parser(xmlRelaxNGNewParserCtxt(path->c_str()));
    xmlRelaxNGSetParserStructuredErrors(parser.get(), &Compilation::hear, &compilation);
    compiled->relax_ng.reset(xmlRelaxNGParse(parser.get()));
  } else if (is_xml_schema(root)) {
    compiled->roots = root_names_of_xml_schema(*document);
    const OwnedGrammar<xmlSchemaParserCtxt> parser(xmlSchemaNewParserCtxt(path->c_str()));
    xmlSchemaSetParserStructuredErrors(parser.get(), &Compilation::hear, &compilation);
    compiled->schema.reset(xmlSchemaParse(parser.get()));
  } else {
    return fault_of(Fault{"its root element is neither of RELAX NG nor xs:schema", root.line(), 0});
  }
  if (!loading.refused().empty()) return fault_of(Fault{loading.refused()});
  if (compilation.fault) return fault_of(*compilation.fault);
  if (!compiled->relax_ng && !compiled->schema) return fault_of(Fault{"it cannot be compiled"});
  return Grammar(std::move(compiled));
}

const std::string& Grammar::name() const {
  return compiled_->name;
}

bool Grammar::is_for(std::string_view namespace_uri) const {
  return compiled_->roots.namespaces.contains(std::string(namespace_uri));
}

bool Grammar::is_for_any() const {
  return compiled_->roots.is_any;
}

std::string Grammar::namespaces() const {
  if (compiled_->roots.is_any) return "any namespace";
  std::string list;
  for (const std::string& uri : compiled_->roots.namespaces) {
    list += (list.empty() ? "" : ", ") + (uri.empty() ? "no namespace" : uri);
  }
  return list;
}

std::optional<Breach> Grammar::breach_of(const Document& document, const Patience& patience) const {
  xmlDoc* const doc = document.tree().doc;
  Judging judging{compiled_->relax_ng.get(), compiled_->schema.get(), doc, {}, 0};
  {
    const WithoutMemory alone(*doc);
    if (!run_interruptibly(patience.time, judge, &judging)) {
      if (patience.is_first_try) throw OutOfPatience();
      return Breach{0, std::string(view(xmlDocGetRootElement(doc)->name)),
                    "it takes more than " + format_duration(patience.time) + " of the processor to judge it"};
    }
  }
  Judgement& judgement = judging.judgement;
  if (judging.status == 0 && !judgement.is_breach) return std::nullopt;
  if (judgement.words.empty()) judgement.words = "it is not as the schema wants it";
  return judgement.breach(xmlDocGetRootElement(doc));
}

std::optional<Breach> Grammar::breach_of(const Element& root, const Patience& patience) const {
  return breach_of(standing_alone(static_cast<xmlNode*>(root.node_)), patience);
}

}  // namespace courant::schema
