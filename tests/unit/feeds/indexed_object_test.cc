#include "feeds/indexed_object.h"

#include <gtest/gtest.h>

namespace courant::feeds {
namespace {

// Small ones are looked through, large ones have an index: the same must come of both.
TEST(IndexedObject, KeepsOrderAndFindsWhateverItsSize) {
  for (const int count : {3, 16, 17, 500}) {
    IndexedJson object = IndexedJson::object();
    std::string expected;
    for (int i = 0; i < count; ++i) {
      const std::string name = "k" + std::to_string(count - i);
      object[name] = i;
      expected += (i == 0 ? "{\"" : ",\"") + name + "\":" + std::to_string(i);
    }
    EXPECT_EQ(object.dump(), expected + "}");
    EXPECT_EQ(IndexedJson::parse(expected + "}"), object);
    object["k1"] = "again";
    EXPECT_EQ(object.size(), static_cast<std::size_t>(count)) << "a name stands once";
    EXPECT_EQ(object["k1"], "again");
    object.erase("k2");
    EXPECT_EQ(object.size(), static_cast<std::size_t>(count - 1));
    EXPECT_FALSE(object.contains("k2"));
    object["k2"] = "new";
    object["k3"] = "changed";
    EXPECT_EQ(object.items().begin().key(), count == 3 ? "k3" : "k" + std::to_string(count));
    EXPECT_EQ(object["k3"], "changed");
    EXPECT_EQ(object["k2"], "new");
    const IndexedJson copy = object;
    EXPECT_EQ(copy, object);
  }
}

TEST(IndexedObject, OfARepeatedNameTheLastValueStays) {
  EXPECT_EQ(IndexedJson::parse("{\"a\":1,\"b\":2,\"a\":3}").dump(), "{\"a\":3,\"b\":2}");
}

}  // namespace
}  // namespace courant::feeds
