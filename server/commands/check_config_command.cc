// courant check-config: what is wrong with a configuration, and what can be configured.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "server/commands/command_line.h"
#include "server/settings/config_table.h"
#include "server/settings/feed_files.h"

namespace courant::server {
namespace {

int check_config(const std::string& path) {
  ConfigReading reading = read_config_file(path);
  if (reading.faults.empty()) reading.faults = faults_of_feed_files(reading.config);
  if (reading.faults.empty()) {
    std::printf("%s is good.\n", path.c_str());
    return 0;
  }
  std::fputs(fault_lines(path, reading.faults).c_str(), stderr);
  return 1;
}

struct Checking {
  std::string file;
  bool wants_reference = false;
};

int check_or_print(const Checking& asked) {
  if (asked.wants_reference) {
    std::fputs(configuration_reference().c_str(), stdout);
    return 0;
  }
  if (asked.file.empty()) return say(Fault{"check-config needs a file: courant check-config FILE"}, kWrongCall);
  return check_config(asked.file);
}

}  // namespace

void add_check_config_command(CommandLine& line) {
  const auto asked = std::make_shared<Checking>();
  CLI::App& checking = line.add("check-config", "say what is wrong with a configuration, and end",
                                [asked] { return check_or_print(*asked); });
  checking.add_option("file", asked->file, "the TOML file");
  checking.add_flag("--reference", asked->wants_reference, "print what can be configured, in Markdown");
}

}  // namespace courant::server
