#include "feeds/media_room.h"

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::feeds {
namespace {

TEST(MediaRoom, IsBoundedAndGivenBack) {
  MediaRoom room(100);
  std::shared_ptr<std::string> first = room.make(60);
  EXPECT_GE(first->capacity(), 60U);
  const std::shared_ptr<const std::string> second = room.make(40);
  EXPECT_THROW(room.make(1), Problem);
  first.reset();
  EXPECT_NO_THROW(room.make(60));
  EXPECT_THROW(room.make(61), Problem);
}

TEST(MediaRoom, OneResourceFitsAlways) {
  MediaRoom room(100);
  const auto large = room.make(1000);
  EXPECT_THROW(room.make(1), Problem);
}

}  // namespace
}  // namespace courant::feeds
