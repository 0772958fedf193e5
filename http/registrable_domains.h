// Which part of a host name somebody has registered: "example.co.uk" of "a.b.example.co.uk". All names below it are
// that owner's to make, at no cost.
// Specification: the Public Suffix List (publicsuffix.org), by libpsl; decisions/0008-public-suffixes.md.
// Threads: immutable; any.
#pragma once

#include <memory>
#include <string>

struct psl_ctx_st;

namespace courant::http {

class RegistrableDomains {
 public:
  // Throws std::runtime_error where there is no list.
  RegistrableDomains();

  // host: as UrlHost has it, no address. A name that nobody registers (a public suffix, a name without dots) is its
  // own.
  std::string of(const std::string& host) const;

 private:
  struct Closing {
    void operator()(const psl_ctx_st* list) const;
  };
  std::unique_ptr<const psl_ctx_st, Closing> list_;
};

}  // namespace courant::http
