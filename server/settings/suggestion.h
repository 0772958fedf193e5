// What somebody may have meant who mistyped a word.
// Threads: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace courant::server {

// ": did you mean listen?"; empty where no known word is near.
std::string suggestion(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace courant::server
