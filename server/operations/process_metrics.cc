#include "server/operations/process_metrics.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "kernel/log.h"
#include "kernel/time.h"

namespace courant::server {
namespace {

// proc(5), /proc/self/stat: fields are numbered from 1, and the second may hold spaces within its brackets.
struct Stat {
  double threads = 0;
  double virtual_bytes = 0;
  double resident_bytes = 0;
};

Stat read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream rest(line.substr(std::min(line.size(), line.rfind(')') + 1)));
  std::array<std::string, 22> fields;  // the third and those behind it
  for (std::string& field : fields) rest >> field;
  const auto number = [&fields](std::size_t field) { return std::strtod(fields.at(field - 3).c_str(), nullptr); };
  return {number(20), number(23), number(24) * static_cast<double>(::sysconf(_SC_PAGESIZE))};
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double open_descriptors() {
  std::error_code failed;
  const std::filesystem::directory_iterator descriptors("/proc/self/fd", failed);
  if (failed) return 0;
  const auto count = std::distance(begin(descriptors), end(descriptors));
  return static_cast<double>(std::max<std::ptrdiff_t>(0, count - 1));  // one of them is this look
}

}  // namespace

void show_process(Metrics& metrics) {
  metrics
      .gauge("courant_build_info", "1, with what this program is",
             {{"version", COURANT_VERSION}, {"compiler", "g++ " __VERSION__}})
      .set(1);
  metrics.gauge("process_start_time_seconds", "When the process began, in seconds since 1970")
      .set(std::chrono::duration<double>(SystemClock().now().time_since_epoch()).count());
  Counter& dropped = metrics.counter("courant_log_lines_dropped_total", "Lines of the log that nobody read in time");
  constexpr std::array<const char*, kLogLevels> kLevels = {"debug", "info", "warning", "error"};
  std::array<Counter*, kLogLevels> lines{};
  for (std::size_t level = 0; level < kLogLevels; ++level) {
    lines[level] = &metrics.counter("courant_log_lines_total", "Lines of the log", {{"level", kLevels[level]}});
  }
  Gauge& resident = metrics.gauge("process_resident_memory_bytes", "Memory in use");
  Gauge& reserved = metrics.gauge("process_virtual_memory_bytes", "Address space in use");
  Gauge& threads = metrics.gauge("process_threads", "Threads");
  Gauge& open = metrics.gauge("process_open_fds", "Open files and sockets");
  Gauge& most = metrics.gauge("process_max_fds", "Files and sockets that may be open");
  Counter& cpu = metrics.counter("process_cpu_seconds_total", "CPU time used, of user and system");
  const auto catch_up = [](Counter& counter, double now) { counter.add(std::max(0.0, now - counter.value())); };
  metrics.before_reading([&, lines, catch_up] {
    catch_up(dropped, static_cast<double>(log_lines_dropped()));
    for (std::size_t level = 0; level < kLogLevels; ++level) {
      catch_up(*lines[level], static_cast<double>(log_lines(static_cast<LogLevel>(level))));
    }
    const Stat stat = read_stat();
    threads.set(stat.threads);
    reserved.set(stat.virtual_bytes);
    resident.set(stat.resident_bytes);
    open.set(open_descriptors());
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) most.set(static_cast<double>(limit.rlim_cur));
    rusage used{};
    if (::getrusage(RUSAGE_SELF, &used) == 0) {
      catch_up(cpu, seconds_of(used.ru_utime) + seconds_of(used.ru_stime));
    }
  });
}

}  // namespace courant::server
