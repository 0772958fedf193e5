#include "kernel/trace_context.h"

#include <algorithm>
#include <set>
#include <vector>

#include "kernel/digest.h"
#include "kernel/text.h"

namespace courant {
namespace {

constexpr std::size_t kParentLength = 55;  // of version 00; later ones may have more behind it
constexpr std::size_t kMostMembers = 32;
constexpr std::size_t kMostKeyOrValue = 256;
constexpr std::size_t kLongMember = 128;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_zero(std::string_view text) {
  return text.find_first_not_of('0') == std::string_view::npos;
}

// The grammar of level 1 has a tenant before "@" and its system behind it; that of level 2, which all of level 1
// satisfies, takes "@" as any other character of a key.
bool is_key(std::string_view key) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view kOther = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@";
  return !key.empty() && key.size() <= kMostKeyOrValue && kFirst.find(key.front()) != std::string_view::npos &&
         key.find_first_not_of(kOther) == std::string_view::npos;
}

bool is_value(std::string_view value) {
  const auto is_good = [](char c) { return c >= 0x20 && c <= 0x7E && c != ',' && c != '='; };
  return !value.empty() && value.size() <= kMostKeyOrValue && std::all_of(value.begin(), value.end(), is_good);
}

std::string_view without_optional_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// nullopt: the list is not by the grammar.
std::optional<std::vector<std::string_view>> members_of(std::string_view state) {
  std::vector<std::string_view> members;
  std::set<std::string_view> keys;
  for (const std::string_view piece : split(state, ',')) {
    const std::string_view member = without_optional_space(piece);
    if (member.empty()) continue;
    const std::size_t equals = member.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view key = member.substr(0, equals);
    if (!is_key(key) || !is_value(member.substr(equals + 1)) || !keys.insert(key).second) return std::nullopt;
    members.push_back(member);
  }
  if (members.size() > kMostMembers) return std::nullopt;
  return members;
}

std::size_t length_of(const std::vector<std::string_view>& members) {
  std::size_t length = members.empty() ? 0 : members.size() - 1;
  for (const std::string_view member : members) length += member.size();
  return length;
}

std::string read_state(std::string_view text) {
  std::optional<std::vector<std::string_view>> members = members_of(text);
  if (!members) return {};
  if (length_of(*members) > TraceContext::kMostState) {
    std::erase_if(*members, [](std::string_view member) { return member.size() > kLongMember; });
  }
  while (length_of(*members) > TraceContext::kMostState) members->pop_back();
  std::string state;
  for (const std::string_view member : *members) {
    if (!state.empty()) state += ',';
    state += member;
  }
  return state;
}

}  // namespace

std::optional<TraceContext> read_trace(std::string_view traceparent, std::string_view tracestate) {
  const std::string_view text = without_optional_space(traceparent);
  if (text.size() < kParentLength || text[2] != '-' || text[35] != '-' || text[52] != '-') return std::nullopt;
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace_id = text.substr(3, 32);
  const std::string_view parent_id = text.substr(36, 16);
  const std::string_view flags = text.substr(53, 2);
  for (const std::string_view part : {version, trace_id, parent_id, flags}) {
    if (!is_lower_hex(part)) return std::nullopt;
  }
  if (version == "ff" || is_zero(trace_id) || is_zero(parent_id)) return std::nullopt;
  if (text.size() > kParentLength && (version == "00" || text[kParentLength] != '-')) return std::nullopt;
  const bool is_sampled = std::string_view("13579bdf").find(flags[1]) != std::string_view::npos;
  TraceContext trace;
  trace.parent = "00-" + std::string(trace_id) + "-" + std::string(parent_id) + (is_sampled ? "-01" : "-00");
  trace.state = read_state(tracestate);
  return trace;
}

TraceContext continued(const TraceContext& trace) {
  std::string parent_id = to_hex(random_bytes(8));
  while (is_zero(parent_id)) parent_id = to_hex(random_bytes(8));
  TraceContext next = trace;
  next.parent.replace(36, parent_id.size(), parent_id);
  return next;
}

std::string to_text(const TraceContext& trace) {
  return trace.state.empty() ? trace.parent : trace.parent + " " + trace.state;
}

std::optional<TraceContext> trace_from_text(std::string_view text) {
  const std::string_view parent = text.substr(0, text.find(' '));
  return read_trace(parent, text.substr(parent.size()));
}

}  // namespace courant
