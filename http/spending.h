// What a request uses up of what its sender may use: told by the handlers that know it, before it is done.
// Threads: io threads; must not block.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace courant::http {

struct Request;

enum class Use : std::uint8_t {
  kRequests,
  kEntries,        // published, revised or deleted
  kBytes,          // of what is published, as they are after decoding
  kWaits,          // begun
  kStreams,        // begun
  kSubscriptions,  // asked for, renewed ones too
};
inline constexpr std::size_t kUses = 6;
inline constexpr std::array<std::string_view, kUses> kNamesOfUses = {"requests", "entries", "bytes",
                                                                     "waits",    "streams", "subscriptions"};

class Spending {
 public:
  virtual ~Spending() = default;
  // Throws Problem 429 where it is too much; then nothing is taken.
  virtual void spend(const Request& request, Use use, std::int64_t amount) = 0;
};

}  // namespace courant::http
