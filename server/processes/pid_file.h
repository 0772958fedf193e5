// DATA/courant.pid: the server of a data directory, for whoever wants to send it a signal, and for a newer version that
// takes over from it. The file is locked by that server, so what it says holds exactly while the lock does.
// Threads: the main thread.
#pragma once

#include <optional>
#include <string>

#include <sys/types.h>

#include "kernel/result.h"
#include "server/postgres/file_lock.h"

namespace courant::server {

class PidFile {
 public:
  explicit PidFile(std::string data) : data_(std::move(data)) {}
  ~PidFile();  // no more process is named, where it was this one

  // This process's from now on. False: another server has it. A fault: the file cannot be written.
  Result<bool> take();
  bool is_taken() const { return is_taken_; }

  // The server that has it. nullopt: there is none, or it is this one.
  std::optional<pid_t> holder() const;

 private:
  std::string path() const { return data_ + "/courant.pid"; }
  const std::string data_;
  FileLock lock_;
  bool is_taken_ = false;
};

}  // namespace courant::server
