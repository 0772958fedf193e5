#include "http/negotiate.h"

#include <cstdlib>
#include <string>

#include "kernel/problem.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

// One member of an Accept-like header: its value and its weight in thousandths (RFC 9110 section 12.4.2).
struct Member {
  std::string value;
  int weight = 1000;
};

int parse_weight(std::string_view text) {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int weight = (text[0] - '0') * 1000;
  if (text.size() == 1) return weight;
  if (text[1] != '.') return 0;
  int unit = 100;
  for (const char digit : text.substr(2)) {
    if (digit < '0' || digit > '9') return 0;
    weight += (digit - '0') * unit;
    unit /= 10;
  }
  return weight > 1000 ? 1000 : weight;
}

std::vector<Member> members_of(std::string_view header) {
  std::vector<Member> members;
  for (const std::string_view piece : split(header, ',')) {
    const std::vector<std::string_view> parts = split(piece, ';');
    Member member;
    member.value = ascii_lower(trim(parts.front()));
    if (member.value.empty()) continue;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      const std::string_view parameter = trim(parts[i]);
      if (parameter.starts_with("q=") || parameter.starts_with("Q=")) member.weight = parse_weight(parameter.substr(2));
    }
    members.push_back(std::move(member));
  }
  return members;
}

// How exactly a media range names a type: 3 itself, 2 its family, 1 everything, 0 not at all.
int specificity(std::string_view range, std::string_view type) {
  if (range == type) return 3;
  if (range == "*/*") return 1;
  const std::size_t slash = type.find('/');
  return range.ends_with("/*") && range.substr(0, range.size() - 2) == type.substr(0, slash) ? 2 : 0;
}

}  // namespace

std::optional<std::size_t> choose_media_type(std::string_view accept, const std::vector<std::string_view>& offered) {
  if (offered.empty()) return std::nullopt;
  const std::vector<Member> members = members_of(accept);
  if (members.empty()) return 0;
  std::optional<std::size_t> best;
  int best_weight = 0;
  for (std::size_t i = 0; i < offered.size(); ++i) {
    int weight = 0;
    int exactness = 0;
    for (const Member& member : members) {
      const int exact = specificity(member.value, offered[i]);
      if (exact > exactness) exactness = exact, weight = member.weight;
    }
    if (weight > best_weight) best = i, best_weight = weight;
  }
  return best;
}

CodingChoice choose_coding(std::string_view accept_encoding) {
  std::array<std::optional<int>, kCodings.size()> named;  // weights, by Coding
  std::optional<int> others;                              // of "*", which stands for all that are not named
  for (const Member& member : members_of(accept_encoding)) {
    if (member.value == "*") others = member.weight;
    if (const std::optional<Coding> coding = parse_coding(member.value)) {
      named[static_cast<std::size_t>(*coding)] = member.weight;
    }
  }
  // RFC 9110 section 12.5.3: identity is acceptable unless it is excluded, if only after what is named.
  const auto weight_of = [&](Coding coding) {
    const int unnamed = others.value_or(coding == Coding::kIdentity ? 1 : 0);
    return named[static_cast<std::size_t>(coding)].value_or(unnamed);
  };
  CodingChoice choice;
  int best = 0;
  int first = 0;
  for (const Coding coding : kCodings) {
    const int weight = weight_of(coding);
    choice.taken[static_cast<std::size_t>(coding)] = weight > 0;
    if (weight > best) best = weight, choice.best = coding;
    const bool is_quick = coding == Coding::kGzip || coding == Coding::kIdentity;
    if (is_quick && weight > first) first = weight, choice.first = coding;
  }
  if (best == 0) throw Problem(406, "This is served in the codings br, zstd, gzip and identity");
  if (first == 0) choice.first = choice.best;
  return choice;
}

}  // namespace courant::http
