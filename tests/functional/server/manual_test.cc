// The manual page of the package names the commands that the program has, no others, and none is missing.
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/command.h"

namespace courant::test {
namespace {

// Of "Subcommands:": each a line that begins with two spaces and its name.
std::set<std::string> commands_of_help() {
  std::istringstream help(run_courant({"--help"}).output);
  std::set<std::string> commands;
  std::string line;
  while (std::getline(help, line) && line != "Subcommands:") {
  }
  while (std::getline(help, line) && line.starts_with("  ")) {
    if (line[2] != ' ') commands.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return commands;
}

// Of the section COMMANDS: each as ".TP", ".B name".
std::set<std::string> commands_of_manual() {
  std::ifstream manual(COURANT_SOURCE_DIR "/packaging/courant.1");
  std::set<std::string> commands;
  std::string line;
  while (std::getline(manual, line) && line != ".SH COMMANDS") {
  }
  bool is_item = false;
  while (std::getline(manual, line) && !line.starts_with(".SH ")) {
    if (is_item && line.starts_with(".B ")) {
      std::string name = line.substr(3);
      std::erase(name, '\\');
      commands.insert(name);
    }
    is_item = line == ".TP";
  }
  return commands;
}

TEST(Manual, NamesTheCommandsThatThereAre) {
  EXPECT_GT(commands_of_help().size(), 5U);
  EXPECT_EQ(commands_of_manual(), commands_of_help());
}

}  // namespace
}  // namespace courant::test
