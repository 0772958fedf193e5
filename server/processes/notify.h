// What systemd is told of this process (sd_notify(3)), where it has started it: by a datagram to the socket that
// NOTIFY_SOCKET names. Elsewhere nothing happens.
// Threads: any.
#pragma once

#include <string_view>

namespace courant::server {

// "READY=1", "STOPPING=1"; several, each on a line of its own.
void notify_service_manager(std::string_view state);

}  // namespace courant::server
