// gzip by zlib, whole buffers.
// Specification: RFC 1952.
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace courant::http {

// Deterministic: no time stamp, no name; the same input always gives the same bytes with the same zlib.
std::string gzip(std::string_view data, int level = 6);

// What became of taking gzip off.
struct Unpacked {
  enum class End {
    kWhole,
    kTooLong,  // more than max_bytes: stopped there
    kBroken,   // not gzip, cut short, or with something behind it
  };
  End end = End::kBroken;
  std::string bytes;  // where kWhole
};
Unpacked unpack(std::string_view data, std::uint64_t max_bytes);

// The same in portions, so that whoever does it can let others go first: what is short may inflate to a thousand times
// as much. Threads: one at a time.
class Unpacking {
 public:
  // data must outlive it.
  Unpacking(std::string_view data, std::uint64_t max_bytes);
  ~Unpacking();
  Unpacking(const Unpacking&) = delete;
  Unpacking& operator=(const Unpacking&) = delete;

  // Inflates to about so many bytes more. False: it is over.
  bool go_on(std::size_t portion);
  Unpacked result() &&;

 private:
  struct Stream;
  const std::unique_ptr<Stream> stream_;
  const std::uint64_t max_bytes_;
  std::string out_;
  bool is_over_ = false;
  bool is_whole_ = false;
};

// nullopt: not gzip, cut short, or inflating to more than max_bytes (a bomb is stopped at the limit).
std::optional<std::string> gunzip(std::string_view data, std::uint64_t max_bytes);

}  // namespace courant::http
