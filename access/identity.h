// Who asks. Every call of the engine takes an Identity, also while access is open and everybody is anonymous,
// so that nothing has to be threaded through later.
// Threads: a plain value.
#pragma once

#include <string>

namespace courant::access {

class Identity {
 public:
  // Whoever comes without credentials.
  static Identity anonymous();
  // The server itself: the hub reading for its subscribers, the closer rendering archive pages.
  static Identity internal();

  // A stable name: what an Idempotency-Key is scoped by and what logs show.
  const std::string& name() const { return name_; }

 private:
  explicit Identity(std::string name);
  std::string name_;
};

}  // namespace courant::access
