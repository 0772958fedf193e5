// docs/MAP.md leads to files that exist.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "kernel/text.h"
#include "tests/support/contents.h"

namespace courant {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = COURANT_SOURCE_DIR;

// Paths are given from the project's folder, tests also from tests/, specifications from docs/.
bool exists(const std::string& name) {
  return fs::exists(kRoot / name) || fs::exists(kRoot / "tests" / name) || fs::exists(kRoot / "docs" / name);
}

// Whether CMake knows a test of that name.
bool is_ctest(const std::string& name) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    if (entry.path().filename() != "CMakeLists.txt") continue;
    if (test::contents_of(entry.path()).find("add_test(NAME " + name + " ") != std::string::npos) return true;
  }
  return false;
}

// What is wrong with one thing that a cell names; empty: nothing. Words without a path are names of standards.
std::string judge(const std::string& item) {
  if (item.starts_with("ctest ")) return is_ctest(item.substr(6)) ? "" : "there is no test " + item.substr(6);
  const bool is_path = item.find('/') != std::string::npos || item.ends_with(".md") || item.ends_with(".cc");
  return !is_path || exists(item) ? "" : "there is no " + item;
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  for (const std::string_view cell : split(row, '|')) cells.emplace_back(trim(cell));
  return cells;
}

TEST(Map, EveryPathExistsAndNoFeatureStandsTwice) {
  std::ifstream map(kRoot / "docs/MAP.md");
  std::set<std::string> features;
  int paths = 0;
  for (std::string row; std::getline(map, row);) {
    if (!row.starts_with("| ") || row.starts_with("| feature |")) continue;
    const std::vector<std::string> cells = cells_of(row);
    ASSERT_EQ(cells.size(), 6U) << row;  // with the empty ones before and behind
    EXPECT_TRUE(features.insert(cells[1]).second) << cells[1] << " stands there twice";
    for (std::size_t column = 2; column <= 4; ++column) {
      for (const std::string_view part : split(cells[column], ',')) {
        for (const std::string_view item : split(part, ';')) {
          EXPECT_EQ(judge(std::string(trim(item))), "") << row;
          ++paths;
        }
      }
    }
  }
  EXPECT_GT(paths, 150);
}

TEST(Map, TheTestSeesWhatIsMissing) {
  EXPECT_EQ(judge("sql/queries/feeds/match_*.sql"), "there is no sql/queries/feeds/match_*.sql");
  EXPECT_EQ(judge("NOWHERE.md"), "there is no NOWHERE.md");
  EXPECT_EQ(judge("ctest nothing"), "there is no test nothing");
  EXPECT_EQ(judge("ctest chaos_short"), "");
  EXPECT_EQ(judge("unit/kernel/map_test.cc"), "");
  EXPECT_EQ(judge("API.md"), "");
  EXPECT_EQ(judge("RFC 9110 13"), "");
}

}  // namespace
}  // namespace courant
