#include "hub/document_pace.h"

#include <gtest/gtest.h>

namespace courant::hub {
namespace {

using namespace std::chrono_literals;

constexpr Ticks kBegin{1000s};

TEST(DocumentPace, WithoutWishesWhatIsThereMayGo) {
  DocumentPace pace;
  pace.sent(kBegin);
  EXPECT_EQ(pace.next({}, 1, 2, kBegin), kBegin);
}

TEST(DocumentPace, WhatIsNewIsGatheredAndThenAllOfItGoes) {
  DocumentPace pace;
  const Wishes wishes{.gather = 10s};
  EXPECT_EQ(pace.next(wishes, 5, 6, kBegin), kBegin + 10s);
  EXPECT_EQ(pace.next(wishes, 5, 8, kBegin + 4s), kBegin + 10s) << "counted from the first";
  EXPECT_EQ(pace.next(wishes, 5, 9, kBegin + 10s), kBegin + 10s);
  EXPECT_EQ(pace.next(wishes, 7, 12, kBegin + 11s), kBegin + 11s) << "in more documents than one";
  EXPECT_EQ(pace.next(wishes, 9, 12, kBegin + 12s), kBegin + 22s) << "what came later is gathered anew";
}

TEST(DocumentPace, WhatIsSentAgainNeedsNoGathering) {
  DocumentPace pace;
  const Wishes wishes{.gather = 10s};
  pace.next(wishes, 5, 6, kBegin);
  pace.next(wishes, 5, 6, kBegin + 10s);
  EXPECT_EQ(pace.next(wishes, 2, 6, kBegin + 60s), kBegin + 60s);
}

TEST(DocumentPace, DocumentsKeepTheirDistance) {
  DocumentPace pace;
  const Wishes wishes{.documents_per_minute = 4};
  EXPECT_EQ(pace.next(wishes, 1, 9, kBegin), kBegin);
  pace.sent(kBegin);
  EXPECT_EQ(pace.next(wishes, 2, 9, kBegin + 1s), kBegin + 15s);
  EXPECT_EQ(pace.next(wishes, 2, 9, kBegin + 15s), kBegin + 15s);
  EXPECT_EQ(pace.next({}, 2, 9, kBegin + 1s), kBegin + 1s) << "unless that is taken back";
}

}  // namespace
}  // namespace courant::hub
