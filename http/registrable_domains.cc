#include "http/registrable_domains.h"

#include <stdexcept>

#include <libpsl.h>

namespace courant::http {

void RegistrableDomains::Closing::operator()(const psl_ctx_st* list) const {
  // Of the list that is built in this does nothing.
  psl_free(const_cast<psl_ctx_st*>(list));
}

// The newer one of the package publicsuffix's and that which libpsl was built with.
RegistrableDomains::RegistrableDomains() : list_(psl_latest(nullptr)) {
  if (!list_) throw std::runtime_error("there is no Public Suffix List: install the package publicsuffix");
}

std::string RegistrableDomains::of(const std::string& host) const {
  const char* const domain = psl_registrable_domain(list_.get(), host.c_str());
  return domain == nullptr ? host : domain;
}

}  // namespace courant::http
