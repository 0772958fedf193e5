#include "tests/support/tls_client.h"

#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/patience.h"

namespace courant::test {
namespace {

// "h2,http/1.1" as RFC 7301 wants it: each name behind its length.
std::string wire_form(std::string_view protocols) {
  std::string out;
  while (!protocols.empty()) {
    const std::string_view name = protocols.substr(0, protocols.find(','));
    out.append(1, static_cast<char>(name.size())).append(name);
    protocols.remove_prefix(std::min(name.size() + 1, protocols.size()));
  }
  return out;
}

}  // namespace

TlsClient::TlsClient(std::uint16_t port, const TlsClientOptions& options)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), context_(SSL_CTX_new(TLS_client_method())) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  SSL_CTX_set_security_level(context_, 0);  // also what no client should speak any more
  SSL_CTX_set_max_proto_version(context_, options.version);
  SSL_CTX_set_min_proto_version(context_, options.oldest);
  ssl_ = SSL_new(context_);
  if (!options.protocols.empty()) {
    const std::string wire = wire_form(options.protocols);
    SSL_set_alpn_protos(ssl_, reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned int>(wire.size()));
  }
  if (options.resumed != nullptr) SSL_set_session(ssl_, options.resumed);
  if (options.receive_buffer > 0) {
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &options.receive_buffer, sizeof options.receive_buffer);
  }
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return;
  const timeval longest{kPatience.count(), 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &longest, sizeof longest);
  SSL_set_fd(ssl_, socket_);
  is_open_ = SSL_connect(ssl_) == 1;
}

TlsClient::~TlsClient() {
  // Else its session counts as one that an attacker may have cut, and is not resumed.
  SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl_);
  SSL_CTX_free(context_);
  ::close(socket_);
}

std::string TlsClient::protocol() const {
  const unsigned char* name = nullptr;
  unsigned int length = 0;
  SSL_get0_alpn_selected(ssl_, &name, &length);
  return {reinterpret_cast<const char*>(name), length};
}

std::string TlsClient::serial() const {
  X509* const certificate = SSL_get1_peer_certificate(ssl_);
  if (certificate == nullptr) return {};
  BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* const digits = BN_bn2hex(number);
  std::string text = digits;
  OPENSSL_free(digits);
  BN_free(number);
  X509_free(certificate);
  return text;
}

void TlsClient::send(std::string_view bytes) {
  if (!bytes.empty()) SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
}

bool TlsClient::update_keys() {
  return SSL_key_update(ssl_, SSL_KEY_UPDATE_REQUESTED) == 1 && SSL_do_handshake(ssl_) == 1;
}

std::string TlsClient::read_piece() {
  std::string piece(16384, '\0');
  const int count = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
  piece.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return piece;
}

std::string TlsClient::read_all() {
  std::string all;
  for (std::string piece = read_piece(); !piece.empty(); piece = read_piece()) all += piece;
  return all;
}

void make_certificate(const std::string& folder, const std::string& name) {
  const std::string command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj " +
                              std::string("/CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ") +
                              folder + "/" + name + ".key -out " + folder + "/" + name + ".crt 2>/dev/null";
  if (std::system(command.c_str()) != 0) throw std::runtime_error("the program openssl made no certificate");
}

}  // namespace courant::test
