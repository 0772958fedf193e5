// SIGHUP: the configuration is read again, and what can change at run time does. What cannot is named in the log, with
// what to do. A file with a fault changes nothing. Certificate and key are read again each time; where they cannot be
// used, those of before stay and the rest of the file is taken over all the same.
// Specification: docs/OPERATIONS.md ("Another configuration"). Threads: the main thread.
#pragma once

#include <functional>

#include "http/tls.h"
#include "server/app.h"
#include "server/core.h"

namespace courant::server {

// Of the setting log.level, which the table has judged.
void apply_log_level(const Config& config);

class Reload {
 public:
  // as_read: the configuration that this process runs with, as it was read. tls: null where nothing is served over TLS.
  // change_server: told of a configuration that has been taken over; null where nothing is served. All must outlive
  // this.
  Reload(const ServeOptions& options, Config as_read, Core& core, http::TlsContext* tls,
         std::function<void(const Config&)> change_server);

  void run();

 private:
  void take_over(const Config& read);
  void read_certificate(const Config& taken);

  const ServeOptions& options_;
  Config running_;
  Core& core_;
  http::TlsContext* const tls_;
  const std::function<void(const Config&)> change_server_;
};

}  // namespace courant::server
