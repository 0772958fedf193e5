// What a certificate file says, for whoever has to keep it up to date.
// Specification: RFC 5280; names as RFC 6125 compares them.
// Threads: any.
#pragma once

#include <memory>
#include <string>

#include "kernel/result.h"
#include "kernel/time.h"

namespace courant::http {

class Certificate {
 public:
  // The first certificate of a PEM file. A fault names the file and what is wrong with it.
  static Result<Certificate> read(const std::string& path);

  Instant begins() const;
  Instant ends() const;
  bool is_of(const std::string& host) const;  // a name, or an address without brackets

 private:
  explicit Certificate(std::shared_ptr<void> x509) : x509_(std::move(x509)) {}
  std::shared_ptr<void> x509_;  // an X509, which the header does not name
};

}  // namespace courant::http
