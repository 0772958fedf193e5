// What a process uses of its machine, and what it is, among the metrics: memory, descriptors, CPU, threads, build. The
// names that begin with process_ are those that Prometheus' own clients use.
// Threads: the values are looked up by whoever reads the metrics.
#pragma once

#include "kernel/metrics.h"

namespace courant::server {

void show_process(Metrics& metrics);

}  // namespace courant::server
