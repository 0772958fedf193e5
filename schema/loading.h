// The files that grammars are made of. libxml2 asks one function of ours for every file and address that anything in
// the process would load; it gives files of one folder while a grammar is compiled, and nothing at any other time.
// Threads: a Loading belongs to the thread that made it, one at a time.
#pragma once

#include <string>
#include <string_view>

#include "kernel/folder.h"

namespace courant::schema {

// While it lives, this thread's grammars may include files of this folder.
class Loading {
 public:
  explicit Loading(const Folder& folder);
  ~Loading();
  Loading(const Loading&) = delete;
  Loading& operator=(const Loading&) = delete;

  // What was asked for and not given, the first of it; empty: nothing.
  const std::string& refused() const { return refused_; }

  // The bytes of a file, or a fault, which is noted.
  Result<std::string> read(std::string_view url);

 private:
  const Folder& folder_;
  int loaded_ = 0;
  std::string refused_;
};

}  // namespace courant::schema
