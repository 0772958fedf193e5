// What is bounded of a batch as a whole. All else about batches: db/feeds and functional/server.
#include "feeds/batch.h"

#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "kernel/problem.h"
#include "tests/support/temporary_folder.h"

namespace courant::feeds {
namespace {

class BatchTime : public testing::Test {
 protected:
  BatchTime() {
    rules_.entry.default_author = "Courant";
    rules_.max_batch_time = std::chrono::milliseconds(0);
  }

  void ask_for_titles() {
    DoorSettings settings;
    settings.assertions = {{"string-length(*[local-name() = 'title']) > 0", "There is no title"}};
    Result<EntryDoor> door = EntryDoor::compile(settings, Folder(folder_.path().string()));
    ASSERT_TRUE(door) << door.fault().detail;
    rules_.door = std::make_shared<const EntryDoor>(*std::move(door));
  }
  static std::string batch(int entries) {
    std::string text = "<feed xmlns='http://www.w3.org/2005/Atom'>";
    for (int i = 0; i < entries; ++i) text += "<entry><id>urn:x:" + std::to_string(i) + "</id><title>t</title></entry>";
    return text + "</feed>";
  }

  const test::TemporaryFolder folder_;
  PostRules rules_;
};

// The bounds of each entry would let a thousand of them have a thread for a quarter of an hour.
TEST_F(BatchTime, IsBoundedForAllThatAFeedAsksOfItsEntriesTogether) {
  ask_for_titles();
  try {
    read_posted(batch(3), rules_);
    FAIL() << "it was read";
  } catch (const Problem& problem) {
    EXPECT_EQ(problem.status(), 422);
    EXPECT_EQ(problem.detail(),
              "The batch takes more than 0s of the processor to judge: 1 of its 3 entries did; send fewer at once");
  }
  EXPECT_EQ(read_posted(batch(1), rules_).entries.size(), 1U) << "an entry alone has bounds of its own";
}

// Many entries that each take less than a first try may must not hold up an io thread together.
TEST_F(BatchTime, OfAFirstTryItIsBoundedAsWellAndNothingIsRefused) {
  ask_for_titles();
  rules_.around.patience = schema::kFirstTry;
  EXPECT_THROW(read_posted(batch(3), rules_), schema::OutOfPatience);
}

TEST_F(BatchTime, IsNotAskedWhereAFeedAsksForNothing) {
  EXPECT_EQ(read_posted(batch(3), rules_).entries.size(), 3U);
}

}  // namespace
}  // namespace courant::feeds
