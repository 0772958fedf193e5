#include "http/certificate.h"

#include <cstdio>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace courant::http {
namespace {

X509* of(const std::shared_ptr<void>& x509) {
  return static_cast<X509*>(x509.get());
}

Instant instant_of(const ASN1_TIME* time) {
  std::tm parts{};
  ASN1_TIME_to_tm(time, &parts);
  return Instant(std::chrono::seconds(::timegm(&parts)));
}

}  // namespace

Result<Certificate> Certificate::read(const std::string& path) {
  std::FILE* const file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return Fault{"the certificate " + path + " cannot be read"};
  X509* const x509 = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  ERR_clear_error();
  if (x509 == nullptr) return Fault{"the file " + path + " holds no certificate in PEM"};
  return Certificate(std::shared_ptr<void>(x509, [](void* one) { X509_free(static_cast<X509*>(one)); }));
}

Instant Certificate::begins() const {
  return instant_of(X509_get0_notBefore(of(x509_)));
}

Instant Certificate::ends() const {
  return instant_of(X509_get0_notAfter(of(x509_)));
}

bool Certificate::is_of(const std::string& host) const {
  return X509_check_host(of(x509_), host.data(), host.size(), 0, nullptr) == 1 ||
         X509_check_ip_asc(of(x509_), host.c_str(), 0) == 1;
}

}  // namespace courant::http
