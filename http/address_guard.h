// Which addresses a connection that a stranger asked for may be opened to: public ones, and the networks that the
// operator allows.
// Specification: IANA special-purpose address registries (RFC 6890), the Fetch standard's bad ports.
// Threads: immutable once made; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/address.h"
#include "kernel/uri.h"

namespace courant::http {

class AddressGuard {
 public:
  // allowed: networks that are no longer refused. own_addresses: what this server listens on or is reached by,
  // "address:port" or "name:port" (without port: any), refused even in an allowed network; "0.0.0.0" and "[::]" are
  // all addresses of this machine, asked for anew each time. A name of ours is refused by that name: what it resolves
  // to may be a front that many share.
  explicit AddressGuard(std::vector<Network> allowed, std::vector<std::string> own_addresses = {});

  // Why no connection may be opened to this address, in a sentence without the final stop; nullopt: it may.
  std::optional<std::string> refusal(const Address& address, int port) const;

  // Judges an http(s) URL before any lookup: its port, its host where that is an address in any notation that
  // resolvers read as one ("0x7f.1", "2130706433", "[::ffff:10.0.0.1]"), or a name of this machine. Other names are
  // judged when they are resolved. Says why not; nullopt: nothing speaks against looking the name up.
  std::optional<std::string> refusal_of_literal(const Uri& url) const;

 private:
  struct Own {
    std::string name;                // of a host, in lower case; empty: an address
    std::optional<Address> address;  // all zero: every address of this machine
    int port = 0;                    // 0: any
  };

  bool is_allowed(const Address& address) const;
  bool is_own(const Address& address, int port) const;
  std::optional<std::string> refusal_of_kind(const Address& address) const;

  std::vector<Network> allowed_;
  std::vector<Own> own_;
};

}  // namespace courant::http
