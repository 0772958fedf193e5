#include "http/tls.h"

#include <chrono>
#include <cstring>
#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include "kernel/snapshot.h"

namespace courant::http {
namespace {

// What OpenSSL says of the last failure.
std::string reason() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* const text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "it cannot be read" : text;
}

int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
              int encrypts) {
  const auto& keys = *static_cast<const TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return keys.on_ticket(name, iv, cipher, mac, encrypts);
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
  State(TlsOptions the_options, const Clock& clock)
      : options(std::move(the_options)), ticket_keys(options.ticket_secret, clock) {}

  // SSL_CTX counts its users itself; the snapshot keeps one for new connections.
  struct Held {
    ContextPtr context;
  };
  TlsOptions options;
  TicketKeys ticket_keys;
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
    SSL_CTX_set_timeout(raw, std::chrono::seconds(kTicketEpoch).count());
    SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
    static constexpr unsigned char kName[] = "courant";
    SSL_CTX_set_session_id_context(raw, kName, sizeof kName - 1);
    SSL_CTX_set_num_tickets(raw, 1);
    SSL_CTX_set_app_data(raw, &ticket_keys);
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

TlsContext::TlsContext(TlsOptions options, const Clock& clock)
    : state_(std::make_unique<State>(std::move(options), clock)) {}
TlsContext::~TlsContext() = default;

Result<std::unique_ptr<TlsContext>> TlsContext::make(TlsOptions options, const Clock& clock) {
  std::unique_ptr<TlsContext> made(new TlsContext(std::move(options), clock));
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

void TlsContext::use_ticket_seeds(const std::vector<TicketSeed>& seeds) {
  state_->ticket_keys.use(seeds);
}

SslPtr TlsContext::open() const {
  const std::shared_ptr<const State::Held> held = state_->current.load();
  SslPtr ssl(SSL_new(held->context.get()));
  if (ssl) SSL_set_accept_state(ssl.get());
  return ssl;
}

}  // namespace courant::http
