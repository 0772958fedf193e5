// What a feed of Atom Hopper is called here. Its names are paths, "namespace/feed" and deeper; the last segment becomes
// the feed, the others, joined by '-', the workspace: "a/b/c" is a-b/c.
// Specification: docs/MIGRATION.md.
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "kernel/result.h"

namespace courant::server {

struct FeedName {
  std::string workspace;
  std::string feed;
  std::string path() const { return workspace + "/" + feed; }
};

// Slashes at either end do not count. A fault says why there can be no such feed.
Result<FeedName> name_of_atom_hopper(std::string_view path);

}  // namespace courant::server
