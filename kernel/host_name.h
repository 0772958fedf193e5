// Threads: any.
#pragma once

#include <string>

namespace courant {

// Of this machine; empty: it has none.
std::string host_name();

}  // namespace courant
