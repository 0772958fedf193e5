#include "server/commands/atom_hopper_name.h"

#include <vector>

#include "feeds/settings.h"
#include "kernel/text.h"

namespace courant::server {

Result<FeedName> name_of_atom_hopper(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::vector<std::string_view> segments = split(path, '/');
  if (segments.size() < 2) return Fault{"it has no workspace: a feed is named workspace/feed"};
  FeedName name;
  name.feed = segments.back();
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) {
    if (i > 0) name.workspace += '-';
    name.workspace += segments[i];
  }
  for (const std::string& part : {name.workspace, name.feed}) {
    if (!feeds::is_valid_name(part)) return Fault{"the name \"" + part + "\" must have " + feeds::kNameRule};
  }
  if (name.workspace == "hub") return Fault{"a workspace cannot be called hub: /hub is the hub's URL"};
  return name;
}

}  // namespace courant::server
