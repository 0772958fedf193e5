#include "kernel/log.h"

#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "kernel/text.h"

namespace courant {
namespace {

class LogTest : public testing::Test {
 protected:
  LogTest() { EXPECT_EQ(::pipe(pipe_.data()), 0); }
  ~LogTest() override {
    ::close(pipe_[0]);
    end_writing();
  }

  void end_writing() {
    if (pipe_[1] >= 0) ::close(std::exchange(pipe_[1], -1));
  }
  std::string read_all() const {
    std::string all;
    std::array<char, 65536> piece{};
    for (ssize_t count = 0; (count = ::read(pipe_[0], piece.data(), piece.size())) > 0;) {
      all.append(piece.data(), static_cast<std::size_t>(count));
    }
    return all;
  }
  // What `work` logs, without its time.
  template <class Work>
  std::string logged(LogFormat format, Work work) {
    {
      const Logging logging(format, pipe_[1]);
      work();
    }
    end_writing();
    return read_all();
  }

  std::array<int, 2> pipe_{};
};

constexpr std::string_view kNasty = "a\r\nb\x1b[2J\x7f\"\\ \xC2\x9B=";

TEST_F(LogTest, TextStaysInItsLine) {
  const std::string line = logged(LogFormat::kText, [] {
    log_info("words\nforged", {{"plain", "x/y"}, {"nasty", kNasty}, {"empty", ""}, {"number", 7}});
  });
  EXPECT_EQ(line.substr(25),
            "info words\\nforged plain=x/y nasty=\"a\\r\\nb\\u001b[2J\\u007f\\\"\\\\ \\u009b=\" empty=\"\" number=7\n");
}

TEST_F(LogTest, JsonIsAnObjectALine) {
  const std::string line = logged(LogFormat::kJson, [] {
    log_error("words \"quoted\"", {{"nasty", kNasty}, {"broken", "\xFF\xC3("}, {"number", 7}, {"time_taken", 1.5}});
  });
  EXPECT_TRUE(line.starts_with("{\"time\":\"20")) << line;
  EXPECT_EQ(line.substr(35),
            "\"level\":\"error\",\"message\":\"words \\\"quoted\\\"\",\"nasty\":\"a\\r\\nb\\u001b[2J\\u007f\\\"\\\\ "
            "\\u009b=\",\"broken\":\"\xEF\xBF\xBD\xEF\xBF\xBD(\",\"number\":7,\"time_taken\":1.500000}\n");
  EXPECT_TRUE(is_valid_utf8(line));
}

TEST_F(LogTest, WhatIsLessThanTheLevelIsNotWritten) {
  const std::uint64_t before = log_lines(LogLevel::kWarning);
  set_log_level(LogLevel::kWarning);
  const std::string lines = logged(LogFormat::kText, [] {
    log_info("no");
    log_warning("yes");
  });
  set_log_level(LogLevel::kInfo);
  EXPECT_EQ(lines.substr(25), "warning yes\n");
  EXPECT_EQ(log_lines(LogLevel::kWarning), before + 1);
}

// Whoever logs does not wait for a reader who reads nothing; how many lines it has cost him he is told in their place.
TEST_F(LogTest, DropsTheOldestAndSaysHowMany) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kLines = 10'000;
  const std::uint64_t before = log_lines_dropped();
  std::string all;
  std::thread reader;
  {
    const Logging logging(LogFormat::kText, pipe_[1]);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([] {
        for (std::size_t i = 0; i < kLines; ++i) log_info("line");
      });
    }
    for (std::thread& thread : threads) thread.join();
    reader = std::thread([&] { all = read_all(); });
  }
  end_writing();
  reader.join();
  std::size_t written = 0;
  std::size_t dropped = 0;
  for (const std::string_view line : split(all, '\n')) {
    if (line.ends_with(" info line")) ++written;
    if (const std::size_t at = line.find("read lines="); at != std::string_view::npos) {
      dropped += parse_unsigned(line.substr(at + 11)).value_or(0);
    }
  }
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(written + dropped, kThreads * kLines);
  EXPECT_EQ(log_lines_dropped() - before, dropped);
}

TEST_F(LogTest, EndsThoughNobodyReads) {
  {
    const Logging logging(LogFormat::kText, pipe_[1]);
    for (std::size_t i = 0; i < 2 * Logging::kQueue; ++i) log_info("a line that fills the pipe");
  }
  log_debug("written by nobody");
}

TEST_F(LogTest, EndsWhenItsReaderHasGone) {
  std::array<int, 2> other{};
  ASSERT_EQ(::pipe(other.data()), 0);
  std::swap(pipe_[0], other[0]);
  ::close(other[0]);
  ::signal(SIGPIPE, SIG_IGN);
  {
    const Logging logging(LogFormat::kText, pipe_[1]);
    for (int i = 0; i < 1000; ++i) log_info("nobody");
  }
  ::close(other[1]);
}

}  // namespace
}  // namespace courant
