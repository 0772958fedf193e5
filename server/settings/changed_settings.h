// Two configurations compared by the table of settings: what differs, and what of it can be taken over at run time.
// Workspaces and feeds are not looked at: feeds/configure.h knows what they may become.
// Threads: any.
#pragma once

#include <string>
#include <vector>

#include "server/settings/config.h"

namespace courant::server {

struct ChangedSetting {
  std::string name;    // "hub.in_flight"
  std::string before;  // as it would stand in the file
  std::string after;
  bool reloads = false;  // else it takes a restart
};

// In the table's order.
std::vector<ChangedSetting> changed_settings(const Config& running, const Config& read);

// What runs once `read` has been taken over: all of `read` but for settings that take a restart.
Config taken_over(const Config& running, const Config& read);

}  // namespace courant::server
