// docs/SECURITY.md names the tests that stand against each threat: they exist, and belong to the security suite.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernel/text.h"
#include "tests/support/contents.h"

namespace courant {
namespace {

namespace fs = std::filesystem;

const fs::path kSources = COURANT_SOURCE_DIR;

// All tests, by their binary: "functional_server" has "AccessTest.ProbesAskNobody".
std::map<std::string, std::set<std::string>> all_tests() {
  std::map<std::string, std::set<std::string>> found;
  for (const fs::directory_entry& file : fs::recursive_directory_iterator(kSources / "tests")) {
    if (!file.path().string().ends_with("_test.cc")) continue;
    const fs::path folder = file.path().parent_path();
    const std::string binary = folder.parent_path().filename().string() + "_" + folder.filename().string();
    const std::string text = test::contents_of(file.path());
    for (const std::string_view line : split(text, '\n')) {
      const std::size_t open = line.find('(');
      if (!line.starts_with("TEST") || open == std::string_view::npos) continue;
      const std::vector<std::string_view> names = split(line.substr(open + 1, line.find(')') - open - 1), ',');
      if (names.size() == 2) found[binary].insert(std::string(trim(names[0])) + "." + std::string(trim(names[1])));
    }
  }
  return found;
}

bool fits(std::string_view pattern, std::string_view test) {
  if (pattern.ends_with('*')) return test.starts_with(pattern.substr(0, pattern.size() - 1));
  return test == pattern;
}

// By binary, the patterns of tests/security.cmake.
std::map<std::string, std::vector<std::string>> gathered() {
  std::map<std::string, std::vector<std::string>> patterns;
  const std::string text = test::contents_of(kSources / "tests/security.cmake");
  const std::string_view begin = "set(security_";
  for (const std::string_view line : split(text, '\n')) {
    if (!line.starts_with(begin)) continue;
    const std::size_t space = line.find(' ');
    const std::string_view list = line.substr(space + 2, line.rfind('"') - space - 2);
    for (const std::string_view pattern : split(list, ':')) {
      patterns[std::string(line.substr(begin.size(), space - begin.size()))].emplace_back(pattern);
    }
  }
  return patterns;
}

TEST(SecuritySuite, EachPatternOfItNamesTests) {
  const auto tests = all_tests();
  const auto suite = gathered();
  EXPECT_GE(suite.size(), 5U);
  for (const auto& [binary, patterns] : suite) {
    ASSERT_TRUE(tests.contains(binary)) << binary;
    for (const std::string& pattern : patterns) {
      const auto is_named = [&](const std::string& test) { return fits(pattern, test); };
      EXPECT_TRUE(std::any_of(tests.at(binary).begin(), tests.at(binary).end(), is_named)) << binary << ": " << pattern;
    }
  }
}

TEST(SecuritySuite, HasEveryTestThatStandsAgainstAThreat) {
  std::set<std::string> in_suite;
  const auto tests = all_tests();
  for (const auto& [binary, patterns] : gathered()) {
    for (const std::string& test : tests.at(binary)) {
      for (const std::string& pattern : patterns) {
        if (fits(pattern, test)) in_suite.insert(test);
      }
    }
  }
  int named = 0;
  const std::string document = test::contents_of(kSources / "docs/SECURITY.md");
  const std::string_view table = std::string_view(document).substr(document.find("## Threats and answers"));
  for (const std::string_view row : split(table, '\n')) {
    if (!row.starts_with("| ") || row.starts_with("| threat |")) continue;
    const std::vector<std::string_view> cells = split(row, '|');
    ASSERT_EQ(cells.size(), 5U) << row;  // with the empty ones before and behind
    ASSERT_NE(trim(cells[3]), "") << "no test stands against: " << cells[1];
    for (const std::string_view part : split(cells[3], ',')) {
      const std::string name(trim(part));
      const auto is_meant = [&](const std::string& test) { return test == name || test.starts_with(name + "."); };
      EXPECT_TRUE(std::any_of(in_suite.begin(), in_suite.end(), is_meant)) << "the suite has no " << name;
      ++named;
    }
  }
  EXPECT_GT(named, 20);
}

}  // namespace
}  // namespace courant
