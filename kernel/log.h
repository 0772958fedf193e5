// The program's log: one line per event, words first, then name=value fields, to standard error.
//   log_info("subscription verified", {{"topic", topic}, {"callback", callback}});
// Secrets, tokens and entry contents never go in.
// Threads: any; lines never mix.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace courant {

struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, std::int64_t number) : name(field_name), value(std::to_string(number)) {}
  LogField(std::string_view field_name, int number) : name(field_name), value(std::to_string(number)) {}
  LogField(std::string_view field_name, std::uint64_t number) : name(field_name), value(std::to_string(number)) {}

  std::string_view name;
  std::string value;
};
using LogFields = std::initializer_list<LogField>;

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void set_log_level(LogLevel level);  // kInfo until set

void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warning(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

}  // namespace courant
