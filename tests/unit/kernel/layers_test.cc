#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace courant {
namespace {

namespace fs = std::filesystem;

// Which modules each one may include, besides itself (docs/ARCHITECTURE.md, "Layers").
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"kernel", {}},
    {"access", {"kernel"}},
    {"http", {"kernel"}},
    {"sql", {"kernel"}},
    {"schema", {"kernel"}},
    {"xslt", {"kernel"}},
    {"feeds", {"kernel", "access", "http", "sql", "schema", "xslt"}},
    {"hub", {"kernel", "access", "http", "sql", "schema", "xslt"}},
    {"archive", {"kernel", "access", "http", "sql", "schema", "xslt", "feeds"}},
    {"server", {"kernel", "access", "http", "sql", "schema", "xslt", "feeds", "hub", "archive"}},
};

// Which modules alone may include a third party's headers.
const std::map<std::string, std::set<std::string>> kThirdParty = {
    {"boost/beast", {"http"}},
    {"boost/asio", {"http", "sql", "feeds", "archive", "hub", "server"}},
    {"curl/", {"http"}},
    {"brotli/", {"http"}},
    {"zstd.h", {"http"}},
    {"pqxx", {"sql"}},
    {"libxml/", {"schema", "xslt"}},
    {"libxslt/", {"xslt"}},
    {"pugixml", {"schema", "feeds", "hub"}},
    {"openssl/", {"kernel", "http"}},
    {"spdlog/", {"kernel"}},
    {"prometheus/", {"kernel", "server"}},
    {"pistache/", {"server"}},
    {"toml++/", {"server"}},
    {"CLI/", {"server"}},
};

// The first fault of an #include line; empty: it is allowed.
std::string judge(const std::string& module, const std::string& line) {
  const std::size_t open = line.find_first_of("<\"");
  if (open == std::string::npos) return {};
  const std::string path = line.substr(open + 1, line.find_first_of(">\"", open + 1) - open - 1);
  for (const auto& [prefix, modules] : kThirdParty) {
    if (path.starts_with(prefix) && !modules.contains(module)) return module + " may not use " + prefix;
  }
  const std::string other = path.substr(0, path.find('/'));
  if (line[open] != '"' || other == module || !kMayInclude.contains(other)) return {};
  return kMayInclude.at(module).contains(other) ? std::string() : module + " may not include " + other;
}

TEST(Layers, NoModuleIncludesWhatIsAboveOrBesideIt) {
  int files = 0;
  for (const auto& [module, allowed] : kMayInclude) {
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(fs::path(COURANT_SOURCE_DIR) / module)) {
      if (entry.path().extension() != ".h" && entry.path().extension() != ".cc") continue;
      ++files;
      std::ifstream text(entry.path());
      int number = 0;
      for (std::string line; std::getline(text, line);) {
        ++number;
        if (!line.starts_with("#include")) continue;
        EXPECT_EQ(judge(module, line), "") << entry.path() << ":" << number;
      }
    }
  }
  EXPECT_GT(files, 50);
}

TEST(Layers, TheTestSeesAForbiddenEdge) {
  EXPECT_EQ(judge("hub", "#include \"feeds/feed.h\""), "hub may not include feeds");
  EXPECT_EQ(judge("feeds", "#include <pqxx/pqxx>"), "feeds may not use pqxx");
  EXPECT_EQ(judge("kernel", "#include \"sql/database.h\""), "kernel may not include sql");
  EXPECT_EQ(judge("server", "#include \"feeds/engine.h\""), "");
}

}  // namespace
}  // namespace courant
