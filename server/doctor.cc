#include "server/doctor.h"

#include <cstdio>

#include "server/feed_files.h"

namespace courant::server {
namespace {

void append(Findings& findings, Findings more) {
  for (Finding& finding : more) findings.push_back(std::move(finding));
}

}  // namespace

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

}  // namespace courant::server
