// What a running server counts, as its operator's page says it.
// Threads: any.
#pragma once

#include <sstream>
#include <string>

#include "tests/support/http_client.h"

namespace courant::test {

// What a metric says now: of one series, or of all of a name together; 0: there is none.
inline double metric_at(int operations_port, const std::string& name) {
  std::istringstream text(HttpClient(operations_port).get("/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(text, line);) {
    const std::size_t space = line.rfind(' ');
    const std::string series = line.substr(0, space);
    if (series == name || series.starts_with(name + "{")) sum += std::stod(line.substr(space + 1));
  }
  return sum;
}

}  // namespace courant::test
