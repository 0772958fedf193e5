#include "kernel/text.h"

#include <gtest/gtest.h>

namespace courant {
namespace {

// XML 1.0 section 2.2: "#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]".
TEST(LackedByXml, IsTheFirstCharacterThatNoDocumentHolds) {
  EXPECT_EQ(lacked_by_xml("a\tb\nc\rd \u007F \u0080 \uE000 \uFFFD \U00010000 \U0010FFFF"), "");
  EXPECT_EQ(lacked_by_xml(""), "");
  EXPECT_EQ(lacked_by_xml(std::string_view("a\0\1", 3)), "U+0000");
  EXPECT_EQ(lacked_by_xml("a\x1f"), "U+001F");
  EXPECT_EQ(lacked_by_xml("a\uFFFE"), "U+FFFE");
  EXPECT_EQ(lacked_by_xml("\uFFFF"), "U+FFFF");
}

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
  EXPECT_EQ(without_controls("\uFFFD\uFFFE\uFFFF"), "\uFFFD??");
  EXPECT_EQ(without_controls(""), "");
}

}  // namespace
}  // namespace courant
