// TLS for the public server: certificate and key from files, read again when told; TLS 1.2 and 1.3; ALPN for HTTP/2 and
// HTTP/1.1; session tickets, so that who has the same secret and the same seeds takes up what another has begun.
// Specification: RFC 8446, RFC 5246, RFC 5077, RFC 7301; RFC 9325 (what a server should refuse).
// Threads: any; reload from one at a time.
#pragma once

#include <memory>
#include <string>

#include <openssl/types.h>

#include "http/ticket_keys.h"
#include "kernel/result.h"

namespace courant::http {

struct SslDeleter {
  void operator()(SSL* ssl) const;
};
using SslPtr = std::unique_ptr<SSL, SslDeleter>;

struct TlsOptions {
  std::string certificate;    // path of the chain in PEM, the server's own first
  std::string key;            // path of its private key in PEM
  std::string ticket_secret;  // any bytes; empty: tickets are this process's own
};

class TlsContext {
 public:
  // A fault names the file and what is wrong with it. The clock must outlive it.
  static Result<std::unique_ptr<TlsContext>> make(TlsOptions options, const Clock& clock);
  ~TlsContext();

  // Reads certificate and key again; new connections get them. After a fault the old ones stay.
  Result<bool> reload();
  // The same, with other files.
  Result<bool> reload(const std::string& certificate, const std::string& key);

  // What the keys of tickets follow from beside the secret; before the first ones tickets are this process's own.
  void use_ticket_seeds(const std::vector<TicketSeed>& seeds);

  // The server's side of a new connection; where its bytes come from and go to is the caller's.
  SslPtr open() const;

 private:
  TlsContext(TlsOptions options, const Clock& clock);
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant::http
