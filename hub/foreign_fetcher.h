// Fetches documents of other servers because strangers ask for it: a bounded number of redirects, each judged as the
// first URL is, bounded bytes, also when decompressed, one deadline for all of it, and so many requests a second to one
// host and one network.
// Specification: RFC 9110 sections 13 (conditional requests) and 15.4 (redirections).
// Threads: the loop of ForeignTopics, unless a call says otherwise.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "http/address_guard.h"
#include "http/task.h"
#include "hub/loop.h"
#include "hub/pace.h"
#include "hub/transport.h"
#include "kernel/time.h"

namespace courant::hub {

struct ForeignLimits {
  std::chrono::milliseconds timeout{20'000};  // of one fetch, with all its redirects
  std::int64_t max_bytes = 4 << 20;           // of a body, also when decompressed
  std::int64_t per_host = 5;                  // requests a second, of all processes
  std::int64_t per_network = 40;              // connections a second, of all processes
};

// What a conditional request says, and whom: another URL's validators mean nothing.
struct Validators {
  std::string place;  // the URL that answered
  std::string etag;
  std::string last_modified;
};

struct Fetched {
  enum class End {
    kBody,       // with body and content_type
    kUnchanged,  // it is what the validators say
    kRefused,    // it would not help to ask again soon: no such page, too long, not allowed
    kFailed,     // it may help: no connection, 5xx, too slow
    kHeldBack,   // too many requests to that host or network: nothing is known
    kStopped,
  };
  End end = End::kFailed;
  std::string body;
  std::string content_type;
  Validators validators;
  std::string why;                                      // where there is no body, for people
  std::optional<std::chrono::milliseconds> pause = {};  // after kFailed: for which the server asked
};

class ForeignFetcher {
 public:
  ForeignFetcher(const ForeignLimits& limits, Transport& transport, std::shared_ptr<const http::AddressGuard> guard,
                 const Clock& clock);

  // Of what the limits allow all processes in a second, the part that this one may do. More than 0.
  void set_share(double share);

  // Whether a request to this host may be sent now; then it counts.
  bool take_turn(const std::string& host);

  // url: in its one spelling, whose host's turn was taken.
  http::Task<Fetched> fetch(std::string url, Validators known);

 private:
  bool admits(const http::Address& address);  // on the transport's thread
  Fetched judged(http::ClientReply reply, const std::string& place, const Validators& asked) const;

  const ForeignLimits limits_;
  Transport& transport_;
  const std::shared_ptr<const http::AddressGuard> guard_;
  const Clock& clock_;
  Pace hosts_;

  std::mutex mutex_;  // guards what follows; held for moments only
  Pace networks_;
};

}  // namespace courant::hub
