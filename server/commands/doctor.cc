#include "server/commands/doctor.h"

#include <cstdio>

#include <CLI/CLI.hpp>

#include "server/commands/command_line.h"
#include "server/settings/feed_files.h"

namespace courant::server {
namespace {

void append(Findings& findings, Findings more) {
  for (Finding& finding : more) findings.push_back(std::move(finding));
}

// Prints what is found about the configuration that options.read_again gives. The exit status: 1 where anything is a
// problem.
int doctor(const ServeOptions& options, bool wants_json) {
  Findings findings;
  ServeOptions examined = options;
  const std::string file = options.config_file.empty() ? "the command line" : options.config_file;
  ConfigReading reading = options.read_again();
  if (reading.faults.empty()) {
    reading.faults = faults_of_feed_files(reading.config);
    if (std::optional<Fault> fault = fault_of_listening(reading.config)) reading.faults.push_back(*std::move(fault));
  }
  for (const Fault& fault : reading.faults) {
    findings.push_back(problem("configuration", file + ": " + with_place(fault), "courant check-config " + file));
  }
  if (reading.faults.empty()) {
    findings.push_back(ok("configuration", options.config_file.empty() ? "no file; the defaults" : file + " is good"));
    examined.config = std::move(reading.config);
  }
  append(findings, look_at_machine(examined));
  if (reading.faults.empty()) {
    append(findings, look_at_database(examined));
    append(findings, look_at_installation(examined));
  }
  std::fputs((wants_json ? as_json(findings) : as_text(findings)).c_str(), stdout);
  return has_problem(findings) ? 1 : 0;
}

}  // namespace

void add_doctor_command(CommandLine& line) {
  const auto wants_json = std::make_shared<bool>(false);
  CLI::App& examining = line.add("doctor", "look at machine, database and installation, and say what to change",
                                 [&line, wants_json] { return doctor(line.unread_options(), *wants_json); });
  line.add_flags(examining, CommandLine::Flags::kDatabase);
  examining.add_flag("--json", *wants_json, "for programs");
  examining.footer(
      "A line each: ok, warning or problem, what it is, and what to do.\n"
      "Exit status: 0 no problem; 1 there is one.\n"
      "Example:\n  courant doctor --config /etc/courant/courant.toml --data /var/lib/courant");
}

}  // namespace courant::server
