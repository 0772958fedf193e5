#include "kernel/log.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>

#include <poll.h>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "kernel/text.h"

namespace courant {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatienceAtEnd = 1s;  // with a reader that reads nothing
constexpr int kStderr = 2;

std::array<std::atomic<std::uint64_t>, kLogLevels> lines_by_level{};
std::atomic<std::uint64_t> lines_dropped{0};
std::atomic<LogLevel> least_level{LogLevel::kInfo};

// Writes whole lines to a descriptor. Where a pool is set, it is that pool's thread that writes: the sink must not
// share the pool, which would be destroyed by its own thread.
class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  DescriptorSink(int descriptor, LogFormat format) : descriptor_(descriptor), format_(format) {}

  void watch(spdlog::details::thread_pool* pool) { pool_ = pool; }
  void begin_end() { is_ending_ = true; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    tell_dropped(message);
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    write({line.data(), line.size()});
  }
  void flush_() override {}

 private:
  // The lines that are gone are older than this one.
  void tell_dropped(const spdlog::details::log_msg& next) {
    const std::uint64_t dropped = pool_ != nullptr ? pool_->overrun_counter() : told_;
    if (dropped == told_) return;
    const std::string count = std::to_string(dropped - told_);
    lines_dropped += dropped - std::exchange(told_, dropped);
    const std::string words =
        format_ == LogFormat::kJson
            ? R"("message":"log lines were dropped: they came faster than they are read","lines":)" + count
            : "log lines were dropped: they came faster than they are read lines=" + count;
    spdlog::details::log_msg told(next.time, {}, next.logger_name, spdlog::level::warn, words);
    spdlog::memory_buf_t line;
    formatter_->format(told, line);
    write({line.data(), line.size()});
  }

  void write(std::string_view bytes) {
    while (!bytes.empty() && wait_writable()) {
      const ssize_t count = ::write(descriptor_, bytes.data(), bytes.size());
      if (count < 0 && errno != EINTR && errno != EAGAIN) return;  // nobody can be told
      if (count > 0) bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  // False: the program ends, and nobody reads.
  bool wait_writable() {
    if (has_given_up_) return false;
    pollfd waiting{descriptor_, POLLOUT, 0};
    while (::poll(&waiting, 1, 100) == 0) {
      if (!is_ending_) continue;
      const auto now = std::chrono::steady_clock::now();
      if (give_up_ == std::chrono::steady_clock::time_point()) give_up_ = now + kPatienceAtEnd;
      if (now < give_up_) continue;
      has_given_up_ = true;
      return false;
    }
    return true;
  }

  const int descriptor_;
  const LogFormat format_;
  spdlog::details::thread_pool* pool_ = nullptr;  // it ends its thread before it goes
  std::uint64_t told_ = 0;
  std::atomic<bool> is_ending_{false};
  std::chrono::steady_clock::time_point give_up_{};
  bool has_given_up_ = false;
};

struct Logger {
  std::shared_ptr<spdlog::logger> lines;
  LogFormat format = LogFormat::kText;
};

const char* pattern_of(LogFormat format) {
  return format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})"
                                    : "%Y-%m-%dT%H:%M:%S.%eZ %l %v";
}

// Without a thread of its own.
const Logger& plain_logger() {
  static const Logger instance = [] {
    const auto sink = std::make_shared<DescriptorSink>(kStderr, LogFormat::kText);
    auto made = std::make_shared<spdlog::logger>("courant", sink);
    made->set_pattern(pattern_of(LogFormat::kText), spdlog::pattern_time_type::utc);
    made->set_level(spdlog::level::trace);
    return Logger{std::move(made), LogFormat::kText};
  }();
  return instance;
}

// Of a Logging that lives; null: none does.
std::atomic<const Logger*> current{nullptr};

// Text of others cannot begin a line, move a terminal's cursor or end a string: JSON's escapes serve both formats.
void append_escaped(std::string& line, std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  const bool is_utf8 = is_valid_utf8(value);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const auto byte = static_cast<unsigned char>(value[i]);
    const bool is_c1 = byte == 0xC2 && i + 1 < value.size() && static_cast<unsigned char>(value[i + 1]) < 0xA0;
    if (byte == '"' || byte == '\\') {
      line += '\\';
      line += value[i];
    } else if (byte == '\n') {
      line += "\\n";
    } else if (byte == '\r') {
      line += "\\r";
    } else if (byte < 0x20 || byte == 0x7F || (is_utf8 && is_c1)) {
      const auto code = is_c1 ? static_cast<unsigned char>(value[++i]) : byte;
      line += "\\u00";
      line += kHex[code >> 4];
      line += kHex[code & 15];
    } else if (byte >= 0x80 && !is_utf8) {
      line += "\xEF\xBF\xBD";
    } else {
      line += value[i];
    }
  }
}

void append_text_value(std::string& line, std::string_view value) {
  const bool is_plain = !value.empty() && value.find_first_of(" \"=\\") == std::string_view::npos;
  if (!is_plain) line += '"';
  append_escaped(line, value);
  if (!is_plain) line += '"';
}

std::string text_line(std::string_view message, LogFields fields) {
  std::string line;
  append_escaped(line, message);
  for (const LogField& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    append_text_value(line, field.value);
  }
  return line;
}

// Behind time and level, which the pattern writes.
std::string json_line(std::string_view message, LogFields fields) {
  std::string line = "\"message\":\"";
  append_escaped(line, message);
  line += '"';
  for (const LogField& field : fields) {
    line += ",\"";
    append_escaped(line, field.name);
    line += field.is_number ? "\":" : "\":\"";
    append_escaped(line, field.value);
    if (!field.is_number) line += '"';
  }
  return line;
}

spdlog::level::level_enum level_of(LogLevel level) {
  constexpr std::array kLevels = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
  return kLevels[static_cast<std::size_t>(level)];
}

void write(LogLevel level, std::string_view message, LogFields fields) {
  const Logger* const told = current.load(std::memory_order_acquire);
  const Logger& logger = told != nullptr ? *told : plain_logger();
  if (level < least_level) return;
  ++lines_by_level[static_cast<std::size_t>(level)];
  const std::string line = logger.format == LogFormat::kJson ? json_line(message, fields) : text_line(message, fields);
  logger.lines->log(level_of(level), spdlog::string_view_t(line));
}

}  // namespace

struct Logging::State {
  std::shared_ptr<DescriptorSink> sink;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  Logger logger;
};

Logging::Logging(LogFormat format, int descriptor) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.sink = std::make_shared<DescriptorSink>(descriptor, format);
  state.pool = std::make_shared<spdlog::details::thread_pool>(kQueue, 1);
  state.sink->watch(state.pool.get());
  state.logger.format = format;
  state.logger.lines = std::make_shared<spdlog::async_logger>("courant", state.sink, state.pool,
                                                              spdlog::async_overflow_policy::overrun_oldest);
  state.logger.lines->set_pattern(pattern_of(format), spdlog::pattern_time_type::utc);
  state.logger.lines->set_level(spdlog::level::trace);
  current.store(&state.logger, std::memory_order_release);
}

Logging::~Logging() {
  current.store(nullptr, std::memory_order_release);
  // The thread is ended, with what waits written, before the logger and the sink that it uses go.
  state_->sink->begin_end();
  state_->pool.reset();
}

void set_log_level(LogLevel level) {
  least_level = level;
}

std::uint64_t log_lines(LogLevel level) {
  return lines_by_level[static_cast<std::size_t>(level)];
}

std::uint64_t log_lines_dropped() {
  return lines_dropped;
}

void log_debug(std::string_view message, LogFields fields) {
  write(LogLevel::kDebug, message, fields);
}
void log_info(std::string_view message, LogFields fields) {
  write(LogLevel::kInfo, message, fields);
}
void log_warning(std::string_view message, LogFields fields) {
  write(LogLevel::kWarning, message, fields);
}
void log_error(std::string_view message, LogFields fields) {
  write(LogLevel::kError, message, fields);
}

}  // namespace courant
