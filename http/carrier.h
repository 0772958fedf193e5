// What carries the client's requests: libcurl (http/curl_carrier.h), or, where nothing but HTTP/1.1 over TCP is needed,
// connections of our own (http/plain_carrier.h).
// Threads: the worker's thread alone.
#pragma once

#include <functional>
#include <memory>

#include "http/errand.h"

namespace courant::http {

class Carrier {
 public:
  // Told once for each errand what became of it. May begin others.
  using Ended = std::function<void(Errand& errand, ClientReply reply)>;

  virtual ~Carrier() = default;

  // Its deadline begins. It may have ended before this returns.
  virtual void begin(std::unique_ptr<Errand> errand) = 0;
  // All that are under way end with kStopped; nothing is begun after this.
  virtual void end_all() = 0;
};

}  // namespace courant::http
