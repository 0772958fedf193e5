#include "server/settings/suggestion.h"

#include <algorithm>
#include <utility>

namespace courant::server {
namespace {

// How many letters two words differ by, counted no further than a typing error goes.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = word.size() / 3 + 2;
  for (const std::string_view one : known) {
    if (const std::size_t far = distance(word, one); far < least) least = far, best = one;
  }
  return best.empty() ? std::string() : ": did you mean " + std::string(best) + "?";
}

}  // namespace courant::server
