#include "feeds/media_name.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

TEST(DecodeSlug, IsPercentEncodedUtf8) {
  EXPECT_EQ(decode_slug("The Beach at S%C3%A8te"), "The Beach at S\xC3\xA8te");
  EXPECT_EQ(decode_slug(" a%25b%20 "), "a%b");
  for (const char* const field : {"", "  ", "%", "%zz", "%C3", "%ED%A0%80"}) EXPECT_FALSE(decode_slug(field)) << field;
  EXPECT_FALSE(decode_slug(std::string(1025, 'a')));
}

TEST(DefaultTitle, HasTheSubtypeAsExtension) {
  EXPECT_EQ(default_title("image/png"), "media.png");
  EXPECT_EQ(default_title("Image/JPEG; q=1"), "media.jpeg");
  EXPECT_EQ(default_title("application/octet-stream"), "media");
  EXPECT_EQ(default_title("image/svg+xml"), "media");
}

TEST(AttachmentField, NamesNoPathAndNoForeignParameter) {
  EXPECT_EQ(attachment_field("beach.png"), "attachment; filename=\"beach.png\"");
  EXPECT_EQ(attachment_field("../../etc/passwd"), "attachment; filename=\"_.._etc_passwd\"");
  EXPECT_EQ(attachment_field("a\"; filename=\"b.exe"), "attachment; filename=\"a_; filename=_b.exe\"");
  EXPECT_EQ(attachment_field("a\r\nSet-Cookie: b"), "attachment; filename=\"a__Set-Cookie_ b\"");
  EXPECT_EQ(attachment_field(" ... "), "attachment; filename=\"media\"");
  EXPECT_EQ(attachment_field("S\xC3\xA8te.png"), "attachment; filename=\"S_te.png\"; filename*=UTF-8''S%C3%A8te.png");
}

TEST(AttachmentField, CutsBetweenCharacters) {
  std::string title = "a";
  for (int i = 0; i < 100; ++i) title += "\xC3\xA8";
  const std::string field = attachment_field(title);
  EXPECT_EQ(field.substr(field.size() - 6), "%C3%A8");
}

}  // namespace
}  // namespace courant::feeds
