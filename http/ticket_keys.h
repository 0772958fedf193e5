// The keys of TLS session tickets: each epoch of twelve hours has its own, which follows from a secret and from a seed
// of that epoch. Who has the secret alone can open nothing of an epoch whose seed is gone.
// Specification: RFC 5077 section 4, RFC 8446 section 4.6.1.
// Threads: use() and on_ticket() from any.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "kernel/snapshot.h"
#include "kernel/time.h"

namespace courant::http {

// For which a key makes tickets; for as long again it takes them.
inline constexpr std::chrono::hours kTicketEpoch{12};

// Counted from 1970.
std::int64_t ticket_epoch(Instant now);

struct TicketSeed {
  std::int64_t epoch = 0;
  std::string seed;  // random bytes
};

class TicketKeys {
 public:
  // Begins with a seed of its own. clock must outlive it. An empty secret is replaced by one that nobody else has.
  TicketKeys(std::string secret, const Clock& clock);

  // In the place of those of before; none: those stay.
  void use(const std::vector<TicketSeed>& seeds);

  // OpenSSL's question for each ticket that is made (encrypts is 1) or shown. -1: it failed; 0: not ours; 1: taken; 2:
  // taken, and a fresh one is to be given.
  int on_ticket(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int encrypts) const;

 private:
  struct Key {
    std::int64_t epoch;
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  Key derive(const TicketSeed& seed) const;
  static bool use_key(const Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool encrypts);

  const std::string secret_;
  const Clock& clock_;
  Snapshot<std::vector<Key>> keys_;  // by their epochs, the newest first; at least one
};

}  // namespace courant::http
