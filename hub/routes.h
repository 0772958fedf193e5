// The hub's part of the public server: POST /hub, and the pages of subscriptions.
// Specification: WebSub sections 5.1 and 6, PubSubHubbub 0.3 and 0.4.
// Threads: built once.
#pragma once

#include <vector>

#include "hub/hub.h"

namespace courant::hub {

std::vector<http::Route> routes(Hub& hub);

}  // namespace courant::hub
