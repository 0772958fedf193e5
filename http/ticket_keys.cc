#include "http/ticket_keys.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "kernel/digest.h"

namespace courant::http {

std::int64_t ticket_epoch(Instant now) {
  return std::chrono::floor<std::chrono::hours>(now.time_since_epoch()) / kTicketEpoch;
}

TicketKeys::TicketKeys(std::string secret, const Clock& clock)
    : secret_(secret.empty() ? random_bytes(32) : std::move(secret)), clock_(clock) {
  use({{ticket_epoch(clock.now()), random_bytes(32)}});
}

TicketKeys::Key TicketKeys::derive(const TicketSeed& seed) const {
  const auto derived = [&](std::string_view use) {
    return hmac(HmacAlgorithm::kSha256, secret_, "courant tls ticket " + std::string(use) + " ", seed.seed);
  };
  Key key{};
  key.epoch = seed.epoch;
  std::memcpy(key.name.data(), derived("name").data(), key.name.size());
  std::memcpy(key.cipher.data(), derived("cipher").data(), key.cipher.size());
  std::memcpy(key.mac.data(), derived("mac").data(), key.mac.size());
  return key;
}

void TicketKeys::use(const std::vector<TicketSeed>& seeds) {
  if (seeds.empty()) return;
  std::vector<Key> keys;
  for (const TicketSeed& seed : seeds) keys.push_back(derive(seed));
  std::ranges::sort(keys, std::ranges::greater(), &Key::epoch);
  keys_.store(std::make_shared<const std::vector<Key>>(std::move(keys)));
}

bool TicketKeys::use_key(const Key& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool encrypts) {
  std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, encrypts ? 1 : 0) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

int TicketKeys::on_ticket(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                          int encrypts) const {
  const std::shared_ptr<const std::vector<Key>> keys = keys_.load();
  // The present epoch's. While the database cannot say which that is, the newest that is known goes on, and time stands
  // still at its epoch.
  const std::int64_t now = ticket_epoch(clock_.now());
  const auto found = std::ranges::find_if(*keys, [now](const Key& key) { return key.epoch <= now; });
  const Key& own = found != keys->end() ? *found : keys->back();
  if (encrypts == 1) {
    std::memcpy(name, own.name.data(), own.name.size());
    const std::string fresh = random_bytes(EVP_MAX_IV_LENGTH);
    std::memcpy(iv, fresh.data(), fresh.size());
    return use_key(own, iv, cipher, mac, true) ? 1 : -1;
  }
  for (const Key& key : *keys) {
    // One of the epoch after is of a server whose clock is a little ahead.
    if (std::abs(key.epoch - own.epoch) > 1 || std::memcmp(name, key.name.data(), key.name.size()) != 0) continue;
    if (!use_key(key, iv, cipher, mac, false)) return -1;
    return &key == &own ? 1 : 2;
  }
  return 0;
}

}  // namespace courant::http
