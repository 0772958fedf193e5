// Entries that wait on a disk to be published: put there durably, taken out in the order they came, by any number of
// processes.
//   DIR/<number>-<random>/       what one call put there: 000001, 000002, ... as they were given, and manifest.json
//   with
//                                feed, key, and each entry's source and SHA-256
//   DIR/adding-<random>/         a call that is not done, or whose process died: never sent
//   DIR/refused/                 entries that the server refused for good, each with its reason beside it
//   DIR/lock, DIR/sending        locked while names are given and listed; by the one process that sends
// A call's entries appear together, by one rename: a crash leaves all of them or none.
// What the disk refuses is thrown as std::filesystem::filesystem_error.
// Threads: one for each Spool; processes any number.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/durable_files.h"
#include "kernel/result.h"

namespace courant::server {

// An entry that waits.
struct SpooledEntry {
  std::size_t number;  // in its group, from 1
  std::string source;  // for people: the file it came from
  std::string sha256;  // of its bytes, in hex
};

// What one call put there, as far as it waits still.
struct SpooledGroup {
  std::string name;
  std::string feed_url;
  std::string key;  // an Idempotency-Key for each entry is made of it
  std::vector<SpooledEntry> entries = {};

  std::string key_of(const SpooledEntry& entry) const { return key + "-" + std::to_string(entry.number); }
};

class Spool {
 public:
  // Makes the folder where it is missing, and clears away what died before it was done.
  explicit Spool(std::filesystem::path folder);

  // One call's entries. They wait from commit() on; without it they are gone at the end.
  class Adding {
   public:
    Adding(const Adding&) = delete;
    Adding& operator=(const Adding&) = delete;
    ~Adding();

    // Keeps an entry. source: where it came from, for people.
    void put(const std::string& source, std::string_view bytes);
    // The group's name. Nothing is put afterwards. What it throws says that nothing of the call waits; a power cut may
    // still take it back until make_durable() returns.
    std::string commit(const std::string& feed_url);

   private:
    friend class Spool;
    Adding(Spool& spool, std::filesystem::path folder, Descriptor lock);

    Spool& spool_;                  // outlives this
    std::filesystem::path folder_;  // empty: nothing to clear away
    Descriptor lock_;               // tells others that this one lives
    SpooledGroup group_;
  };
  Adding begin();
  // What was committed is on the disk when this returns. Should it throw, it waits all the same.
  void make_durable() const;

  // While the result lives, this process alone sends and removes; nullopt: another does.
  std::optional<Descriptor> try_sending();

  // The names of the groups that wait, oldest first.
  std::vector<std::string> waiting() const;
  // How many entries of all groups wait.
  std::size_t count() const;
  // nullopt: nothing of it waits any more. A fault: it is not what was spooled.
  std::optional<Result<SpooledGroup>> load(const std::string& name) const;
  // The bytes; a fault where they are not those that were spooled.
  Result<std::string> read(const SpooledGroup& group, const SpooledEntry& entry) const;

  // For the one that sends:
  void remove(const SpooledGroup& group, const SpooledEntry& entry);
  // Moves an entry, or all of a group, to refused/; the reason beside it.
  void refuse(const SpooledGroup& group, const SpooledEntry& entry, const std::string& reason);
  void refuse(const std::string& group, const std::string& reason);
  // A group of which nothing waits any more is cleared away.
  void clear(const std::string& name);

  // How many entries of a group were refused.
  std::size_t refused_of(const std::string& group) const;

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path refused_folder() const { return folder_ / "refused"; }

 private:
  std::filesystem::path folder_;

  Descriptor lock_names() const { return lock(folder_ / "lock"); }
  std::vector<std::string> list() const;  // with the names locked
};

}  // namespace courant::server
