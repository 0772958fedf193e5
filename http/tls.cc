#include "http/tls.h"

#include <array>
#include <chrono>
#include <cstring>
#include <utility>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include "kernel/digest.h"
#include "kernel/snapshot.h"

namespace courant::http {
namespace {

constexpr std::int64_t kTicketHours = 12;  // for which a key makes tickets; for as long again it is taken

// What OpenSSL says of the last failure.
std::string reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "it cannot be read" : text;
}

struct TicketKey {
  std::array<unsigned char, 16> name;
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
};

TicketKey ticket_key(const std::string& secret, std::int64_t epoch) {
  const auto derived = [&](const char* use) {
    return hmac(HmacAlgorithm::kSha256, secret, std::string("courant tls ticket ") + use + std::to_string(epoch));
  };
  TicketKey key{};
  std::memcpy(key.name.data(), derived("name").data(), key.name.size());
  std::memcpy(key.cipher.data(), derived("cipher").data(), key.cipher.size());
  std::memcpy(key.mac.data(), derived("mac").data(), key.mac.size());
  return key;
}

// Those that hold during an epoch, its own first; each thread derives them once. The one after is of a process whose
// clock is a little ahead.
const std::array<TicketKey, 3>& ticket_keys(const std::string& secret, std::int64_t epoch) {
  thread_local struct {
    std::string secret;
    std::int64_t epoch = 0;
    std::array<TicketKey, 3> keys;
  } kept;
  if (kept.epoch != epoch || kept.secret != secret) {
    kept.keys = {ticket_key(secret, epoch), ticket_key(secret, epoch - 1), ticket_key(secret, epoch + 1)};
    kept.epoch = epoch;
    kept.secret = secret;
  }
  return kept.keys;
}

std::int64_t epoch_now() {
  const auto hours = std::chrono::floor<std::chrono::hours>(std::chrono::system_clock::now().time_since_epoch());
  return hours.count() / kTicketHours;
}

bool use_key(const TicketKey& key, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool encrypts) {
  std::array<OSSL_PARAM, 3> parameters = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()), key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, const_cast<char*>("SHA256"), 0),
      OSSL_PARAM_construct_end()};
  return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv, encrypts ? 1 : 0) == 1 &&
         EVP_MAC_CTX_set_params(mac, parameters.data()) == 1;
}

// RFC 5077 section 4: called for each ticket that is made (encrypts) or shown. 0: not ours; 1: taken; 2: taken, and a
// fresh one is given.
int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int encrypts) {
  // Without forward secrecy a ticket would open what was recorded to whoever gets the secret one day: TLS 1.2 gets
  // none.
  if (SSL_version(ssl) < TLS1_3_VERSION) return 0;
  const auto& secret = *static_cast<const std::string*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const std::array<TicketKey, 3>& keys = ticket_keys(secret, epoch_now());
  if (encrypts == 1) {
    const TicketKey& key = keys.front();
    std::memcpy(name, key.name.data(), key.name.size());
    const std::string fresh = random_bytes(EVP_MAX_IV_LENGTH);
    std::memcpy(iv, fresh.data(), fresh.size());
    return use_key(key, iv, cipher, mac, true) ? 1 : -1;
  }
  for (const TicketKey& key : keys) {
    if (std::memcmp(name, key.name.data(), key.name.size()) != 0) continue;
    if (!use_key(key, iv, cipher, mac, false)) return -1;
    return &key == &keys.front() ? 1 : 2;
  }
  return 0;
}

// RFC 7301: the first of ours that the client names.
int on_alpn(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered, unsigned int size,
            void*) {
  static constexpr unsigned char kOurs[] = "\x02h2\x08http/1.1";
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, length, kOurs, sizeof kOurs - 1, offered, size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = selected;
  return SSL_TLSEXT_ERR_OK;
}

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextDeleter>;

}  // namespace

void SslDeleter::operator()(SSL* ssl) const {
  SSL_free(ssl);
}

struct TlsContext::State {
  explicit State(TlsOptions the_options) : options(std::move(the_options)) {
    if (options.ticket_secret.empty()) options.ticket_secret = random_bytes(32);
  }

  // SSL_CTX counts its users itself; the snapshot keeps one for new connections.
  struct Held {
    ContextPtr context;
  };
  TlsOptions options;
  Snapshot<Held> current;

  Result<bool> load() {
    ERR_clear_error();
    ContextPtr context(SSL_CTX_new(TLS_server_method()));
    SSL_CTX* const raw = context.get();
    SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
    SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
    // TLS 1.2 with forward secrecy and authenticated encryption alone (RFC 9325 section 4.2).
    SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
    // A connection at rest keeps no buffers.
    SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
    // A key that is encrypted cannot be used: nobody is there to be asked for its password.
    bool was_asked = false;
    SSL_CTX_set_default_passwd_cb_userdata(raw, &was_asked);
    SSL_CTX_set_default_passwd_cb(raw, [](char*, int, int, void* asked) {
      *static_cast<bool*>(asked) = true;
      return -1;
    });
    SSL_CTX_set_timeout(raw, kTicketHours * 3600);
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char kName[] = "courant";
    SSL_CTX_set_session_id_context(raw, kName, sizeof kName - 1);
    SSL_CTX_set_num_tickets(raw, 1);
    SSL_CTX_set_app_data(raw, &options.ticket_secret);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(raw, on_ticket);
    SSL_CTX_set_alpn_select_cb(raw, on_alpn, nullptr);
    if (SSL_CTX_use_certificate_chain_file(raw, options.certificate.c_str()) != 1) {
      return Fault{"the certificate " + options.certificate + " cannot be used: " + reason()};
    }
    if (SSL_CTX_use_PrivateKey_file(raw, options.key.c_str(), SSL_FILETYPE_PEM) != 1) {
      const unsigned long error = ERR_peek_error();
      if (ERR_GET_LIB(error) == ERR_LIB_X509 && ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH) {
        return Fault{"the private key " + options.key + " does not belong to the certificate " + options.certificate};
      }
      if (was_asked) {
        return Fault{"the private key " + options.key +
                     " has a password, which nobody is there to be asked for: take it out with openssl pkey"};
      }
      return Fault{"the private key " + options.key + " cannot be used: " + reason()};
    }
    SSL_CTX_set_default_passwd_cb_userdata(raw, nullptr);
    current.store(std::make_shared<const Held>(Held{std::move(context)}));
    return true;
  }
};

TlsContext::TlsContext(TlsOptions options) : state_(std::make_unique<State>(std::move(options))) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(TlsOptions options) {
  std::unique_ptr<TlsContext> made(new TlsContext(std::move(options)));
  Result<bool> loaded = made->reload();
  if (!loaded) return loaded.fault();
  return made;
}

Result<bool> TlsContext::reload() {
  return state_->load();
}

Result<bool> TlsContext::reload(const std::string& certificate, const std::string& key) {
  const std::string certificate_before = std::exchange(state_->options.certificate, certificate);
  const std::string key_before = std::exchange(state_->options.key, key);
  Result<bool> loaded = state_->load();
  if (!loaded) {
    state_->options.certificate = certificate_before;
    state_->options.key = key_before;
  }
  return loaded;
}

SslPtr TlsContext::open() const {
  const std::shared_ptr<const State::Held> held = state_->current.load();
  SslPtr ssl(SSL_new(held->context.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace courant::http
