#include "http/range.h"

#include <gtest/gtest.h>

#include "kernel/problem.h"

namespace courant::http {
namespace {

TEST(ReadRange, KnowsTheThreeFormsOfOneRange) {
  EXPECT_EQ(read_range("bytes=0-3", 10), (ByteRange{0, 4}));
  EXPECT_EQ(read_range("Bytes=4-", 10), (ByteRange{4, 6}));
  EXPECT_EQ(read_range("bytes=-3", 10), (ByteRange{7, 3}));
  EXPECT_EQ(read_range("bytes=9-99", 10), (ByteRange{9, 1}));
  EXPECT_EQ(read_range("bytes=-99", 10), (ByteRange{0, 10}));
  EXPECT_EQ(read_range("bytes=0-18446744073709551615", 10), (ByteRange{0, 10}));
}

TEST(ReadRange, WhatIsNotOneRangeOfBytesIsIgnored) {
  for (const char* const field : {"", "bytes", "bytes=", "bytes=-", "bytes=3", "bytes=5-4", "bytes=a-b", "lines=0-3",
                                  "bytes=0-1,3-4", "bytes=--3", "bytes=0-18446744073709551616"}) {
    EXPECT_FALSE(read_range(field, 10)) << field;
  }
}

TEST(ReadRange, WhatLiesBehindTheEndIs416) {
  for (const auto& [field, size] :
       {std::pair{"bytes=10-", 10U}, {"bytes=10-12", 10U}, {"bytes=-0", 10U}, {"bytes=-5", 0U}}) {
    try {
      read_range(field, size);
      ADD_FAILURE() << field;
    } catch (const Problem& problem) {
      EXPECT_EQ(problem.status(), 416);
      EXPECT_EQ(problem.headers().front().second, "bytes */" + std::to_string(size));
    }
  }
}

}  // namespace
}  // namespace courant::http
