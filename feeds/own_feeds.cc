#include "feeds/own_feeds.h"

#include <algorithm>

namespace courant::feeds {
namespace {

Retention bounded(Retention retain) {
  retain.entries = 0;
  if (retain.age.count() > 0) retain.age = std::max(retain.age, kOwnKept);
  return retain;
}

}  // namespace

ConfiguredWorkspace own_workspace() {
  ConfiguredWorkspace workspace;
  workspace.name = kOwnWorkspace;
  workspace.settings.title = "Courant";
  workspace.settings.auto_create = true;
  workspace.settings.is_private = true;
  workspace.settings.feeds.edits = false;
  workspace.settings.feeds.accept.clear();
  return workspace;
}

WorkspaceSettings as_meant(std::string_view workspace, WorkspaceSettings settings) {
  if (workspace != kOwnWorkspace) return settings;
  WorkspaceSettings own = own_workspace().settings;
  own.feeds.retain = bounded(settings.feeds.retain);
  return own;
}

FeedSettings as_meant(std::string_view workspace, FeedSettings settings) {
  if (workspace != kOwnWorkspace) return settings;
  FeedSettings own = own_workspace().settings.feeds;
  own.title = settings.title;
  own.retain = bounded(settings.retain);
  return own;
}

bool is_allowed(const ConfiguredWorkspace& wanted) {
  if (wanted.name != kOwnWorkspace) return true;
  if (as_meant(wanted.name, wanted.settings) != wanted.settings) return false;
  return std::ranges::all_of(wanted.feeds, [&](const ConfiguredFeed& feed) {
    const bool is_known = feed.name == kAuditFeed || feed.name == kUsageFeed;
    return is_known && feed.page_size == wanted.settings.page_size &&
           as_meant(wanted.name, feed.settings) == feed.settings;
  });
}

}  // namespace courant::feeds
