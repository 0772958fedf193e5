// How the public server is to be, by the configuration and by what the machine allows.
// Threads: the main thread.
#pragma once

#include <memory>
#include <string>

#include "http/server.h"
#include "http/tls.h"
#include "kernel/result.h"
#include "server/settings/config.h"

namespace courant::server {

// A process may open as many files and sockets as its hard limit says: the soft one is for programs that use select().
void raise_file_limit();

// Fewer connections than configured where the open files that are allowed would not leave the database and the hub
// theirs, which is logged.
http::ServerOptions server_options(const Config& config);

// Null where nothing is served over TLS. Makes no key file: tickets do not follow from one that is not there yet.
// The clock must outlive it.
Result<std::unique_ptr<http::TlsContext>> open_tls(const Config& config, const std::string& data, const Clock& clock);

}  // namespace courant::server
