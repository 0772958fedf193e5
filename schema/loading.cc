#include "schema/loading.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlIO.h>

namespace courant::schema {
namespace {

thread_local Loading* current_loading = nullptr;

constexpr int kMostGrammarFiles = 256;

xmlParserInput* load_file(const char* url, const char*, xmlParserCtxt* parser) {
  if (current_loading == nullptr || url == nullptr) return nullptr;
  const Result<std::string> text = current_loading->read(url);
  if (!text) return nullptr;
  xmlParserInputBuffer* const bytes =
      xmlParserInputBufferCreateMem(text->data(), static_cast<int>(text->size()), XML_CHAR_ENCODING_NONE);
  if (bytes == nullptr) return nullptr;
  xmlParserInput* const input = xmlNewIOInputStream(parser, bytes, XML_CHAR_ENCODING_NONE);
  if (input == nullptr) {
    xmlFreeParserInputBuffer(bytes);
    return nullptr;
  }
  input->filename = reinterpret_cast<char*>(xmlStrdup(reinterpret_cast<const xmlChar*>(url)));
  return input;
}

// Before main(), while there is one thread: libxml2 keeps the function where every thread reads it without a lock.
[[maybe_unused]] const bool loader_is_set = [] {
  xmlSetExternalEntityLoader(load_file);
  return true;
}();

}  // namespace

Loading::Loading(const Folder& folder) : folder_(folder) {
  current_loading = this;
}
Loading::~Loading() {
  current_loading = nullptr;
}

Result<std::string> Loading::read(std::string_view url) {
  const auto refuse = [this](Fault fault) {
    if (refused_.empty()) refused_ = fault.detail;
    return fault;
  };
  if (++loaded_ > kMostGrammarFiles)
    return refuse(Fault{"it includes more than " + std::to_string(kMostGrammarFiles) + " files"});
  Result<std::string> text = folder_.read(url);
  if (!text) return refuse(text.fault());
  if (text->find("<!DOCTYPE") != std::string::npos) {
    return refuse(Fault{"the file " + std::string(url) + " has a DOCTYPE, which is not taken"});
  }
  return text;
}

}  // namespace courant::schema
