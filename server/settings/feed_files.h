// The files that feeds name: schemas and stylesheets, all in one folder.
// Threads: pure functions; they read files and compile them.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "feeds/doors.h"
#include "kernel/folder.h"
#include "kernel/result.h"
#include "server/settings/config.h"

namespace courant::server {

// server.files, or the folder that the configuration file is in; where there is neither, no file is read.
Folder feed_files(const Config& config);

// What of it cannot be used, each naming the feed.
std::vector<Fault> faults_of_feed_files(const Config& config);

// The first of its further forms whose stylesheet cannot be used; nullopt: all can.
std::optional<Fault> fault_of_further_forms(const Config& config);

// The doors of its feeds, compiled. A fault: what faults_of_feed_files would tell first.
Result<std::shared_ptr<const feeds::Doors>> open_doors(const Config& config);

}  // namespace courant::server
