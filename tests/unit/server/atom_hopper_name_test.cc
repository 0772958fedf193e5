#include "server/commands/atom_hopper_name.h"

#include <gtest/gtest.h>

namespace courant::server {
namespace {

std::string name_of(std::string_view path) {
  const Result<FeedName> name = name_of_atom_hopper(path);
  return name ? name->path() : name.fault().detail;
}

TEST(AtomHopperName, TheLastSegmentIsTheFeed) {
  EXPECT_EQ(name_of("namespace/feed"), "namespace/feed");
  EXPECT_EQ(name_of("/namespace/feed/"), "namespace/feed");
  EXPECT_EQ(name_of("a/b/c"), "a-b/c");
  EXPECT_EQ(name_of("usage_1/events/12.34"), "usage_1-events/12.34");
}

TEST(AtomHopperName, WhatCannotBeAFeedIsSaid) {
  EXPECT_EQ(name_of("feed"), "it has no workspace: a feed is named workspace/feed");
  EXPECT_EQ(name_of(""), "it has no workspace: a feed is named workspace/feed");
  EXPECT_EQ(name_of("a b/c").find("the name \"a b\" must have 1 to 64 letters"), 0U);
  EXPECT_EQ(name_of("a/" + std::string(65, 'x')).find("the name \"xxx"), 0U);
  EXPECT_EQ(name_of("hub/x"), "a workspace cannot be called hub: /hub is the hub's URL");
}

}  // namespace
}  // namespace courant::server
