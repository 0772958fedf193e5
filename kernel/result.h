// Result<T>: what judging input gives: a value, or a Fault that says what was wrong and where.
// Absence is std::optional; a request that is over is a thrown Problem (problem.h); a bug aborts.
// Threads: a plain value.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace courant {

// Why an input was refused, in words for the one who sent it.
struct Fault {
  std::string detail;  // a full sentence without the final stop: names the thing and the rule
  int line = 0;        // 1-based place in a text input; 0: not a matter of place
  int column = 0;
};

// The sentence with its place: "the entry is not well-formed (line 3, column 7)".
inline std::string with_place(const Fault& fault) {
  std::string detail = fault.detail;
  if (fault.line > 0) detail += " (line " + std::to_string(fault.line);
  if (fault.column > 0) detail += ", column " + std::to_string(fault.column);
  if (fault.line > 0) detail += ")";
  return detail;
}

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Fault fault) : state_(std::in_place_index<1>, std::move(fault)) {}  // NOLINT(google-explicit-constructor)

  explicit operator bool() const { return state_.index() == 0; }

  // Only after a check: asking a fault for its value is a bug and throws std::bad_variant_access.
  T& operator*() & { return std::get<0>(state_); }
  const T& operator*() const& { return std::get<0>(state_); }
  T&& operator*() && { return std::get<0>(std::move(state_)); }
  T* operator->() { return &std::get<0>(state_); }
  const T* operator->() const { return &std::get<0>(state_); }
  const Fault& fault() const { return std::get<1>(state_); }

 private:
  std::variant<T, Fault> state_;
};

}  // namespace courant
