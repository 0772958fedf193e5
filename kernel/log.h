// The program's log: one line per event, to standard error.
//   log_info("subscription verified", {{"topic", topic}, {"callback", callback}});
// As text: time, level, words, then name=value fields. As JSON: an object a line with time, level, message and a member
// for each field. Whatever a value holds, it stays in its line: control characters are written as escapes, and bytes
// that are not UTF-8 as U+FFFD. Secrets, tokens, queries and entry contents never go in. Threads: any; lines never mix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace courant {

struct LogField {
  LogField(std::string_view field_name, std::string_view text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const char* text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, const std::string& text) : name(field_name), value(text) {}
  LogField(std::string_view field_name, std::int64_t number) : LogField(field_name, std::to_string(number), true) {}
  LogField(std::string_view field_name, int number) : LogField(field_name, std::to_string(number), true) {}
  LogField(std::string_view field_name, std::uint64_t number) : LogField(field_name, std::to_string(number), true) {}
  LogField(std::string_view field_name, double number) : LogField(field_name, std::to_string(number), true) {}

  std::string_view name;
  std::string value;
  bool is_number = false;

 private:
  LogField(std::string_view field_name, std::string digits, bool number)
      : name(field_name), value(std::move(digits)), is_number(number) {}
};
using LogFields = std::initializer_list<LogField>;

enum class LogLevel { kDebug, kInfo, kWarning, kError };
inline constexpr std::size_t kLogLevels = 4;
enum class LogFormat { kText, kJson };

void set_log_level(LogLevel level);  // what is less is not written; kInfo until set

void log_debug(std::string_view message, LogFields fields = {});
void log_info(std::string_view message, LogFields fields = {});
void log_warning(std::string_view message, LogFields fields = {});
void log_error(std::string_view message, LogFields fields = {});

// While it lives, lines are written as it was told, by a thread of its own: who logs never waits for whoever reads
// standard error. Up to kQueue lines wait; beyond that the oldest are dropped, and a line in their place says how many.
// Without one, lines are text and written by whoever logs. One at a time; every thread that may log must have ended, or
// not begun, when it is made and when it goes. At its end what waits is written, unless nobody reads it for a second.
class Logging {
 public:
  static constexpr std::size_t kQueue = 8192;

  // descriptor: where to write.
  explicit Logging(LogFormat format, int descriptor = 2);
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Since the program began: lines of a level, and lines that were dropped.
std::uint64_t log_lines(LogLevel level);
std::uint64_t log_lines_dropped();

}  // namespace courant
