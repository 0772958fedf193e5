// How much media may be in memory for readers at once: who reads slowly holds the piece that is sent to him.
// Threads: any.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace courant::feeds {

class MediaRoom {
 public:
  // most: bytes. One reader fits always, whatever he needs.
  explicit MediaRoom(std::uint64_t most) : most_(most) {}

  // An empty string with room for so many bytes, which are given back when its last holder lets it go. Throws Problem
  // 503 with Retry-After where others hold too much.
  std::shared_ptr<std::string> make(std::uint64_t length);

 private:
  const std::uint64_t most_;
  const std::shared_ptr<std::atomic<std::uint64_t>> used_ = std::make_shared<std::atomic<std::uint64_t>>(0);
};

}  // namespace courant::feeds
