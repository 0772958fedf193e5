#include "kernel/text.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

TEST(WithoutControls, LeavesTextAndDisarmsTheRest) {
  EXPECT_EQ(without_controls("42: Gr\u00FC\u00DFe \u65E5\u672C \U0001F600"),
            "42: Gr\u00FC\u00DFe \u65E5\u672C \U0001F600");
  EXPECT_EQ(without_controls("a\x1b[2Jb\r\n\tc\x7f"), "a?[2Jb???c?");
  EXPECT_EQ(without_controls(std::string_view("\0", 1)), "?");
  EXPECT_EQ(without_controls("\u0080\u009B31m\u009F\u00A0"), "??31m?\u00A0") << "C1 as UTF-8 has it";
  EXPECT_EQ(without_controls("\x9b"
                             "31m"),
            "?31m")
      << "and as bytes";
  EXPECT_EQ(without_controls("\xc2"), "?");
  EXPECT_EQ(without_controls("\xe6\x97"), "??");
  EXPECT_EQ(without_controls(""), "");
}

}  // namespace
}  // namespace courant
