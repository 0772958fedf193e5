// A blocking TLS client by OpenSSL, and certificates for the servers that it meets.
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace courant::test {

struct SessionDeleter {
  void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
};
using TlsSession = std::unique_ptr<SSL_SESSION, SessionDeleter>;

struct TlsClientOptions {
  std::string protocols = {};      // offered by ALPN: "h2", "http/1.1" or both with a comma; empty: none
  int version = TLS1_3_VERSION;    // the newest that it speaks
  int oldest = 0;                  // 0: as old as OpenSSL will
  SSL_SESSION* resumed = nullptr;  // a session to take up again
  int receive_buffer = 0;          // bytes; 0: as the system likes
};

class TlsClient {
 public:
  // Shakes hands; is_open() tells whether that worked.
  explicit TlsClient(std::uint16_t port, const TlsClientOptions& options = {});
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  bool is_open() const { return is_open_; }
  std::string protocol() const;
  int version() const { return SSL_version(ssl_); }
  bool is_resumed() const { return SSL_session_reused(ssl_) == 1; }
  std::string serial() const;  // of the server's certificate, in hexadecimal

  void send(std::string_view bytes);
  // Nothing more will be sent.
  void end() { SSL_shutdown(ssl_); }
  // Has the server change its keys, which it has to answer. False: the connection is over.
  bool update_keys();
  // What is there, and at least one byte of it; empty: the peer has closed.
  std::string read_piece();
  // Everything until the peer closes. Whether it said so (close_notify): was_ended().
  std::string read_all();
  bool was_ended() const { return (SSL_get_shutdown(ssl_) & SSL_RECEIVED_SHUTDOWN) != 0; }
  // To be asked for after something was read.
  TlsSession session() const { return TlsSession(SSL_get1_session(ssl_)); }

 private:
  int socket_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  bool is_open_ = false;
};

// Makes a certificate for localhost and 127.0.0.1 that vouches for itself, and its key: FOLDER/NAME.crt and .key.
void make_certificate(const std::string& folder, const std::string& name = "tls");

}  // namespace courant::test
