// What the chaos programs share: numbers on their command lines, and a folder that is kept where something is broken.
// Threads: one.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace courant::chaos {

// Between two looks at a state that is waited for: servers in trouble are not to be kept from their work by questions.
inline constexpr std::chrono::milliseconds kPause{20};

class Numbers {
 public:
  // "--seed 7 --seconds 120", each flag one of `flags`. nullopt: something else is said.
  static std::optional<Numbers> read(const std::vector<std::string>& arguments, const std::vector<std::string>& flags);

  std::uint32_t of(const std::string& flag, std::uint32_t otherwise) const;
  int small(const std::string& flag, int otherwise) const;  // 1 to 100,000

 private:
  std::map<std::string, std::uint32_t> numbers_;
};

// Calls `run` with a new folder that PostgreSQL's account may enter; it gives how many facts are broken. The folder
// goes where none is. program: its name; what: is done in this run. The exit status.
int run_in_folder(const std::string& program, std::uint32_t seed, const std::string& what,
                  const std::function<std::size_t(const std::string& work)>& run);

// Where the private database of servers answers that have their data in that folder's `data`.
std::string database_in(const std::string& work);

}  // namespace courant::chaos
