// Any grammar, and any document held against it: up to the first line "----" the one, behind it the other. Whatever is
// refused has a name, a rule and a place in the document.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <stdlib.h>

#include "schema/breach.h"
#include "schema/door.h"
#include "schema/grammar.h"
#include "tests/support/temporary_folder.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace courant;
  static const test::TemporaryFolder folder;  // grammars are files: one for all runs
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::size_t cut = input.find("\n----\n");
  if (cut == std::string::npos) return 0;
  std::ofstream(folder.path() / "grammar.rng") << input.substr(0, cut);
  const Result<schema::Grammar> grammar = schema::Grammar::load(Folder(folder.path().string()), "grammar.rng");
  if (!grammar) return 0;
  const std::string text = input.substr(cut + 6);
  const Result<schema::Document> document = schema::admit(text);
  if (!document) return 0;
  const std::optional<schema::Breach> breach = grammar->breach_of(*document);
  if (!breach) return 0;
  if (breach->name.empty() || breach->rule.empty()) std::abort();
  if (schema::place_of(text, breach->element).line == 0) std::abort();
  return 0;
}
