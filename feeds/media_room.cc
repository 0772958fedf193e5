#include "feeds/media_room.h"

#include "kernel/problem.h"

namespace courant::feeds {

std::shared_ptr<std::string> MediaRoom::make(std::uint64_t length) {
  const std::uint64_t before = used_->fetch_add(length);
  if (before > 0 && before + length > most_) {
    used_->fetch_sub(length);
    throw Problem(503, "Too much media is being read: try again in a moment").with("Retry-After", "1");
  }
  const auto give_back = [used = used_, length](std::string* bytes) {
    delete bytes;
    used->fetch_sub(length);
  };
  std::shared_ptr<std::string> bytes(new std::string, give_back);
  bytes->reserve(length);
  return bytes;
}

}  // namespace courant::feeds
