#include "sql/database.h"

namespace courant::sql {
namespace {

// An element of an array literal in double quotes (PostgreSQL 15, section 8.15.2).
void append_quoted(std::string& literal, std::string_view text) {
  literal += '"';
  std::size_t begin = 0;  // of the piece without a character to escape
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '"' && text[at] != '\\') continue;
    literal.append(text, begin, at - begin);
    literal += '\\';
    begin = at;
  }
  literal.append(text, begin);
  literal += '"';
}

// "{a,b,NULL}" of a range; append_one writes an element.
template <class Range, class AppendOne>
std::string array_literal(const Range& range, AppendOne append_one) {
  std::string literal = "{";
  bool first = true;
  for (const auto& element : range) {
    if (!first) literal += ',';
    first = false;
    append_one(literal, element);
  }
  literal += '}';
  return literal;
}

}  // namespace

std::string array_text(const std::vector<std::string>& array) {
  return array_literal(array, [](std::string& out, const std::string& text) { append_quoted(out, text); });
}

Parameters& Parameters::add(std::int64_t value) {
  values_.push_back({std::to_string(value), false});
  return *this;
}

Parameters& Parameters::add(bool value) {
  values_.push_back({value ? "true" : "false", false});
  return *this;
}

Parameters& Parameters::add(std::string_view text) {
  values_.push_back({std::string(text), false});
  return *this;
}

Parameters& Parameters::add(Instant instant) {
  return add(format_rfc3339(instant));
}

Parameters& Parameters::add_bytes(std::string_view bytes) {
  values_.push_back({"\\x" + to_hex(bytes), false});
  return *this;
}

Parameters& Parameters::add_null() {
  values_.push_back({std::string(), true});
  return *this;
}

Parameters& Parameters::add(const std::vector<std::int64_t>& array) {
  return add(array_literal(array, [](std::string& out, std::int64_t value) { out += std::to_string(value); }));
}

Parameters& Parameters::add(const std::vector<bool>& array) {
  return add(array_literal(array, [](std::string& out, bool value) { out += value ? 't' : 'f'; }));
}

Parameters& Parameters::add(const std::vector<std::string>& array) {
  return add(array_text(array));
}

Parameters& Parameters::add(const std::vector<std::optional<std::string>>& array) {
  return add(array_literal(array, [](std::string& out, const std::optional<std::string>& text) {
    if (text) {
      append_quoted(out, *text);
    } else {
      out += "NULL";
    }
  }));
}

Parameters& Parameters::add_joined(const std::vector<std::string_view>& texts) {
  std::size_t size = 0;
  bool is_any = false;
  for (const std::string_view text : texts) {
    size += text.size() + 1;
    is_any = is_any || !text.empty();
  }
  if (!is_any) return add_null();
  std::string joined;
  joined.reserve(size);
  for (const std::string_view text : texts) {
    if (text.find(kBetween) != text.npos) throw Refused("a text holds U+001F, which joins them", "22021");
    joined += text;
    joined += kBetween;
  }
  joined.pop_back();
  values_.push_back({std::move(joined), false});
  return *this;
}

Parameters& Parameters::add(const std::vector<std::optional<Instant>>& array) {
  return add(array_literal(array, [](std::string& out, const std::optional<Instant>& instant) {
    out += instant ? format_rfc3339(*instant) : "NULL";
  }));
}

}  // namespace courant::sql
