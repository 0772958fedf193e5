// The main of all test binaries: Google Test's, with a name for the test that hangs. Without it ctest's timeout would
// end the binary, and nobody would learn which of its tests it was.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace {

// Longer than whatever a test waits for (support/patience.h), shorter than the timeouts of ctest's entries.
constexpr unsigned kSecondsOfATest = 280;

std::string hanging;  // what is said of the test that runs: made before its time begins, read in the handler

void say_and_end(int /*signal*/) {  // only async-signal-safe calls
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, hanging.data(), hanging.size());
  ::_exit(1);  // the programs that it has started end with it (support/process.cc)
}

class Watch : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& test) override {
    hanging = std::string("\n") + test.test_suite_name() + "." + test.name() + " hangs: it had not ended after " +
              std::to_string(kSecondsOfATest) + " seconds\n";
    ::alarm(kSecondsOfATest);
  }
  void OnTestEnd(const testing::TestInfo& /*test*/) override { ::alarm(0); }
};

}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  ::signal(SIGALRM, say_and_end);
  testing::UnitTest::GetInstance()->listeners().Append(new Watch);
  return RUN_ALL_TESTS();
}
