#include <algorithm>
#include <array>
#include <charconv>

#include <pqxx/pqxx>

#include "kernel/text.h"
#include "sql/database.h"

namespace courant::sql {
namespace {

std::string_view field_text(const void* result, int row, int column) {
  const auto& rows = *static_cast<const pqxx::result*>(result);
  const pqxx::field field = rows[static_cast<pqxx::result::size_type>(row)][static_cast<pqxx::row::size_type>(column)];
  return {field.c_str(), field.size()};
}

// Whatever somebody has written into the database by other means, or a bug: it is no end of the process.
[[noreturn]] void refuse(std::string_view value, const char* what) {
  throw Refused("the database holds " + std::string(value.substr(0, 60)) + ", which is no " + what, "22000");
}

std::int64_t integer_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(text, "integer");
  return value;
}

}  // namespace

bool Row::is_null(int column) const {
  const auto& rows = *static_cast<const pqxx::result*>(result_);
  return rows[static_cast<pqxx::result::size_type>(row_)][static_cast<pqxx::row::size_type>(column)].is_null();
}

std::int64_t Row::integer(int column) const {
  return integer_of(text(column));
}
bool Row::boolean(int column) const {
  return text(column) == "t";
}
std::string_view Row::text(int column) const {
  return field_text(result_, row_, column);
}

std::string_view Row::hex(int column) const {
  const std::string_view form = text(column);
  if (!form.starts_with("\\x")) refuse(form, "bytea");
  return form.substr(2);
}

std::string Row::bytes(int column) const {
  std::optional<std::string> bytes = from_hex(hex(column));
  if (!bytes) refuse(text(column), "bytea");
  return *std::move(bytes);
}

Instant Row::instant(int column) const {
  const std::optional<Instant> instant = find_instant(column);
  if (!instant) refuse(text(column), "instant that can be kept");
  return *instant;
}

// Sessions run in UTC, so PostgreSQL writes "2026-11-24 09:30:00.123456+00"; and "infinity", "44-03-15 00:00:00+00 BC".
std::optional<Instant> Row::find_instant(int column) const {
  const std::string_view given = text(column);
  std::array<char, 40> form{};
  if (given.size() < 13 || given.size() > form.size() || !given.ends_with("+00")) return std::nullopt;
  std::copy(given.begin(), given.end(), form.begin());
  form[10] = 'T';
  form[given.size() - 3] = 'Z';
  return parse_rfc3339(std::string_view(form.data(), given.size() - 2));
}

std::vector<std::int64_t> Row::integers(int column) const {
  std::string_view form = text(column);
  if (form.size() < 2 || form.front() != '{') refuse(form, "bigint[]");
  form = form.substr(1, form.size() - 2);
  std::vector<std::int64_t> values;
  if (form.empty()) return values;
  for (const std::string_view piece : split(form, ',')) values.push_back(integer_of(piece));
  return values;
}

std::vector<std::string> Row::texts(int column) const {
  const std::string form(text(column));
  pqxx::array_parser parser(form.c_str());
  std::vector<std::string> values;
  for (;;) {
    auto [juncture, value] = parser.get_next();
    if (juncture == pqxx::array_parser::done) return values;
    if (juncture == pqxx::array_parser::string_value) values.push_back(std::move(value));
  }
}

int Rows::size() const {
  return static_cast<int>(static_cast<const pqxx::result*>(result_.get())->size());
}
Row Rows::operator[](int index) const {
  return {result_.get(), index};
}

}  // namespace courant::sql
