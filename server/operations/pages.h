// What is shown of a process to those who operate it: on their own address, and to load balancers on the public one.
// Threads: made on the main thread.
#pragma once

#include "http/router.h"
#include "server/core.h"
#include "server/operations/operations.h"

namespace courant::server {

// /-/health/live and /-/health/ready of the public server.
void add_probes(http::Router& router, const Core& core);

// delivers: the process takes its share of the subscriptions.
OperatorsPages operators_pages(Core& core, bool delivers);

}  // namespace courant::server
