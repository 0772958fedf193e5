// How many bytes workspaces hold that may not hold any number (max_bytes): entries and media that are on the disk, what
// retention has dropped and not removed yet included. Counted in the background, so that publishing asks memory alone:
// of all processes over one database one counts, with an advisory lock, what its feeds have got since; all read the
// sums every second. So a workspace gets beyond its quota by what is published in the second or two until that is
// known, and by nothing afterwards.
// Threads: one of its own, with a connection of its own while any workspace has a quota; calls from any thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "feeds/directory.h"
#include "feeds/settings.h"
#include "feeds/writer.h"
#include "kernel/problem.h"
#include "kernel/time.h"
#include "sql/database.h"

namespace courant::feeds {

class Quotas {
 public:
  using Workspaces = std::map<std::string, WorkspaceSettings, std::less<>>;

  // workspaces: those of the moment. All must outlive it.
  Quotas(const sql::Database& database, Directory& directory, const Clock& clock,
         std::function<const Workspaces&()> workspaces);
  ~Quotas();  // stops
  Quotas(const Quotas&) = delete;
  Quotas& operator=(const Quotas&) = delete;

  // Problem 507 where so many bytes more are beyond what the workspace may hold; nullopt: there is room.
  std::optional<Problem> refusal(std::string_view workspace, std::size_t bytes) const;
  // Throws it.
  void require_room(std::string_view workspace, std::size_t bytes) const;

  // These feeds have grown. Without a lock where nothing is counted.
  void moved(const std::vector<Advance>& advances);

  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::feeds
