// The doors of all feeds, each compiled once from the files of one folder and shared by those whose settings say the
// same. A Doors is never brought up to date: where files may have changed, another takes its place (Engine::change).
// Threads: any. of() reads files and compiles where a door is new, so not from io threads.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "feeds/entry_door.h"
#include "feeds/settings.h"
#include "kernel/folder.h"
#include "kernel/result.h"

namespace courant::feeds {

class Doors {
 public:
  explicit Doors(Folder folder) : folder_(std::move(folder)) {}

  // The one that is ready; null: of() has to make it first, or cannot. From io threads as well.
  std::shared_ptr<const EntryDoor> find(const DoorSettings& settings) const;

  // A fault names the file that cannot be used; it stays so until another Doors is made.
  Result<std::shared_ptr<const EntryDoor>> of(const DoorSettings& settings) const;

  // What is wrong with a door as the files are now; nullopt: nothing.
  std::optional<Fault> fault_of(const DoorSettings& settings) const;

 private:
  using Made = Result<std::shared_ptr<const EntryDoor>>;

  std::optional<Made> known(const std::string& key) const;

  const Folder folder_;
  mutable std::mutex mutex_;                  // guards made_; not held while a door is compiled
  mutable std::map<std::string, Made> made_;  // by the settings' text
};

}  // namespace courant::feeds
