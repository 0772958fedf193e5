// A connection of the public server, in this thread, that a fuzz target feeds with bytes.
#pragma once

#include <string>
#include <string_view>

namespace courant::fuzz {

// Sends the bytes in pieces (their first one says how long), then the end; what the server said until it was through.
// Aborts if the connection does not come to an end.
std::string converse(std::string_view bytes);

}  // namespace courant::fuzz
