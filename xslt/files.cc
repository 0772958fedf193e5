#include "xslt/files.h"

#include <optional>

#include <libxml/parser.h>
#include <libxslt/documents.h>
#include <libxslt/extensions.h>
#include <libxslt/extra.h>
#include <libxslt/xslt.h>
#include <libxslt/xsltutils.h>

#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant::xslt {
namespace {

thread_local Reading* current_reading = nullptr;

constexpr int kMostFiles = 64;  // of one compilation or transformation: files that include each other many times
constexpr int kMostDescents = 2;

std::string_view view(const xmlChar* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// What is said about documents is asked for where it is needed.
void hear_no_errors(void*, xmlError*) {}

struct FreeParser {
  void operator()(xmlParserCtxt* parser) const { xmlFreeParserCtxt(parser); }
};

int may_read(xsltSecurityPrefs*, xsltTransformContext*, const char*) {
  return current_reading != nullptr ? 1 : 0;  // the folder is looked after where files are loaded
}

int may_not(xsltSecurityPrefs*, xsltTransformContext*, const char* what) {
  if (current_reading != nullptr) current_reading->refuse(std::string("it may not use ") + what);
  return 0;
}

xmlDoc* load(const xmlChar* url, xmlDict* dictionary, int, void*, xsltLoadType type) {
  if (current_reading == nullptr) return nullptr;
  return current_reading->load(view(url), dictionary, type == XSLT_LOAD_STYLESHEET).release();
}

// How many times a pattern goes down any number of levels ("//"), in the one of its alternatives that does so most.
int descents(std::string_view pattern) {
  int most = 0;
  int count = 0;
  char quote = 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '|') {
      count = 0;
    } else if (pattern.substr(i).starts_with("//")) {
      most = std::max(most, ++count);
    }
  }
  return most;
}

}  // namespace

Result<OwnedDocument> parse(std::string_view xml, const std::string& url, xmlDict* dictionary, bool is_huge) {
  sandbox();
  const std::unique_ptr<xmlParserCtxt, FreeParser> parser(xmlNewParserCtxt());
  if (!parser) return Fault{"no memory for a parser"};
  if (dictionary != nullptr) {
    xmlDictFree(parser->dict);
    parser->dict = dictionary;
    xmlDictReference(dictionary);
  }
  parser->sax->serror = hear_no_errors;
  const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | (is_huge ? XML_PARSE_HUGE : 0);
  OwnedDocument document(xmlCtxtReadMemory(parser.get(), xml.data(), static_cast<int>(xml.size()),
                                           url.empty() ? nullptr : url.c_str(), nullptr, options));
  if (!document || parser->wellFormed == 0 || parser->nsWellFormed == 0) {
    const xmlError* const error = xmlCtxtGetLastError(parser.get());
    Fault fault{"it is not well-formed XML"};
    if (error != nullptr && error->message != nullptr) {
      fault = {fault.detail + ": " + std::string(trim(error->message)), error->line, error->int2};
    }
    return fault;
  }
  if (document->intSubset != nullptr) return Fault{"it has a DOCTYPE, which is not taken", 1, 1};
  return document;
}

Reading::Reading(const Folder& folder) : folder_(folder) {
  current_reading = this;
}
Reading::~Reading() {
  current_reading = nullptr;
}
Reading* Reading::of_this_thread() {
  return current_reading;
}

void Reading::refuse(std::string why) {
  if (refused_.empty()) refused_ = std::move(why);
}

OwnedDocument Reading::load(std::string_view url, xmlDict* dictionary, bool is_stylesheet) {
  if (++loaded_ > kMostFiles) {
    refuse("it reads more than " + std::to_string(kMostFiles) + " files");
    return nullptr;
  }
  const Result<std::string> path = folder_.locate(url);
  const Result<std::string> text = path ? folder_.read(*path) : path;
  if (!text) {
    refuse(text.fault().detail);
    return nullptr;
  }
  Result<OwnedDocument> document = parse(*text, *path, dictionary);
  if (!document) {
    refuse("the file " + *path + ": " + with_place(document.fault()));
    return nullptr;
  }
  if (is_stylesheet) {
    digests_ += bytes_of(sha256(*text));
    if (const std::optional<Fault> costly = costly_pattern(document->get())) {
      refuse("the file " + *path + ": " + with_place(*costly));
      return nullptr;
    }
  }
  return *std::move(document);
}

std::optional<Fault> costly_pattern(xmlDoc* stylesheet) {
  xmlNode* const root = xmlDocGetRootElement(stylesheet);
  for (xmlNode* node = root; node != nullptr;) {
    for (const char* const name : {"match", "count", "from"}) {
      if (node->type != XML_ELEMENT_NODE) break;
      xmlChar* const value = xmlGetNoNsProp(node, reinterpret_cast<const xmlChar*>(name));
      const int count = descents(view(value));
      xmlFree(value);
      if (count <= kMostDescents) continue;
      return Fault{"a pattern has more than " + std::to_string(kMostDescents) + " times \"//\" in it",
                   static_cast<int>(xmlGetLineNo(node)), 0};
    }
    if (node->children != nullptr && node->type == XML_ELEMENT_NODE) {
      node = node->children;
      continue;
    }
    while (node != root && node->next == nullptr) node = node->parent;
    node = node == root ? nullptr : node->next;
  }
  return std::nullopt;
}

xsltSecurityPrefs* sandbox() {
  static xsltSecurityPrefs* const kPrefs = [] {
    xmlInitParser();
    xsltInit();
    xsltSetLoaderFunc(load);
    // exsl:node-set alone; what writes files has no function of its own to do so, and is forbidden below besides.
    xsltRegisterExtModuleFunction(reinterpret_cast<const xmlChar*>("node-set"),
                                  reinterpret_cast<const xmlChar*>("http://exslt.org/common"), xsltFunctionNodeSet);
    xsltSecurityPrefs* const prefs = xsltNewSecurityPrefs();
    xsltSetSecurityPrefs(prefs, XSLT_SECPREF_READ_FILE, may_read);
    for (const xsltSecurityOption option : {XSLT_SECPREF_WRITE_FILE, XSLT_SECPREF_CREATE_DIRECTORY,
                                            XSLT_SECPREF_READ_NETWORK, XSLT_SECPREF_WRITE_NETWORK}) {
      xsltSetSecurityPrefs(prefs, option, may_not);
    }
    // Also what is compiled (xsl:import, xsl:include) goes by these.
    xsltSetDefaultSecurityPrefs(prefs);
    return prefs;
  }();
  return kPrefs;
}

}  // namespace courant::xslt
