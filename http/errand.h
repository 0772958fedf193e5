// A request on its way through the client, and what all that carry one keep to.
// Threads: the worker's thread alone, once it is sent.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

#include "http/client.h"
#include "kernel/time.h"
#include "kernel/uri.h"

namespace courant::http {

inline constexpr std::size_t kMaxAnswerHead = 32 * 1024;      // bytes, interim answers and trailers included
inline constexpr std::chrono::minutes kMaxConnectionAge{10};  // so that a name's new address is seen and judged
inline constexpr std::chrono::seconds kMaxConnectionIdle{60};

struct Errand {
  Errand(ClientRequest the_request, Client::Done the_done);

  // What it is answered with, for `reply` holds what is known of the answer. The detail may hold anything.
  ClientReply ended(ClientReply::Outcome outcome, std::string detail, ClientReply reply = {}) const;

  ClientRequest request;
  Client::Done done;
  std::optional<Uri> url;  // nullopt: it is not absolute
  std::string host;        // that it counts for, in its one spelling; empty where the URL has none
  bool is_plain = false;   // connections of our own can carry it (http/plain_carrier.h)
  Ticks begun{};           // by what carries it; the latency is counted from here
};

}  // namespace courant::http
