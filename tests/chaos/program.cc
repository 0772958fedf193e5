#include "tests/chaos/program.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <signal.h>
#include <sys/stat.h>

#include "kernel/text.h"

namespace courant::chaos {

std::optional<Numbers> Numbers::read(const std::vector<std::string>& arguments, const std::vector<std::string>& flags) {
  Numbers read;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const auto number = i + 1 < arguments.size() ? parse_unsigned(arguments[i + 1]) : std::nullopt;
    const bool is_known = std::find(flags.begin(), flags.end(), arguments[i]) != flags.end();
    if (!number || *number > 0xFFFF'FFFF || !is_known) return std::nullopt;
    read.numbers_[arguments[i]] = static_cast<std::uint32_t>(*number);
  }
  return read;
}

std::uint32_t Numbers::of(const std::string& flag, std::uint32_t otherwise) const {
  const auto found = numbers_.find(flag);
  return found == numbers_.end() ? otherwise : found->second;
}

int Numbers::small(const std::string& flag, int otherwise) const {
  return static_cast<int>(std::clamp<std::uint32_t>(of(flag, static_cast<std::uint32_t>(otherwise)), 1, 100'000));
}

int run_in_folder(const std::string& program, std::uint32_t seed, const std::string& what,
                  const std::function<std::size_t(const std::string& work)>& run) {
  ::signal(SIGPIPE, SIG_IGN);
  std::string work = std::filesystem::temp_directory_path() / "courant-chaos.XXXXXX";
  if (::mkdtemp(work.data()) == nullptr || ::chmod(work.c_str(), 0755) != 0) {
    std::fprintf(stderr, "%s: no folder can be made: %s\n", program.c_str(), work.c_str());
    return 2;
  }
  std::printf("seed %u: %s, folder %s\n", seed, what.c_str(), work.c_str());
  std::fflush(stdout);
  const std::size_t broken = run(work);
  if (broken > 0) {
    std::printf("seed %u: %zu facts are broken; logs and data are in %s\n", seed, broken, work.c_str());
    return 1;
  }
  std::error_code ignored;
  std::filesystem::remove_all(work, ignored);
  std::printf("seed %u: everything holds\n", seed);
  return 0;
}

std::string database_in(const std::string& work) {
  return "postgresql:///courant?host=" + work + "/data/postgres&user=courant";
}

}  // namespace courant::chaos
