// Requests and responses as the rest of Courant sees them: plain values, whatever engine carries them.
// Specification: RFC 9110 (semantics).
// Threads: plain values. A Request's views live in its connection until the response is complete.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/spending.h"
#include "http/task.h"
#include "kernel/uri.h"

namespace courant::access {
class Identity;
}

namespace courant::http {

enum class Method { kGet, kHead, kPost, kPut, kDelete, kOptions, kOther };
std::string_view name_of(Method method);  // "GET"; "other"

struct HeaderView {
  std::string_view name;
  std::string_view value;
};

// Whether the client is still there, for whoever keeps it waiting.
// Threads: its connection's io thread.
class Presence {
 public:
  virtual ~Presence() = default;
  // Calls `gone` if the client goes away before unwatch(). One at a time.
  virtual void watch(std::function<void()> gone) = 0;
  virtual void unwatch() = 0;
};

// Names a request in logs and answers: which connection of the process, and which request on it.
struct RequestId {
  std::uint64_t connection = 0;
  std::uint64_t number = 0;
  // "5f0c1d9e-1a-3", the process first; no two processes share it.
  std::string text() const;
};

struct Request {
  Method method = Method::kGet;
  std::string_view method_text;       // as sent
  std::string_view path;              // undecoded, without query: "/demo/events"
  std::string_view query;             // undecoded, without '?'
  std::vector<std::string> segments;  // of the path, percent-decoded once; a trailing slash leaves no segment
  std::vector<HeaderView> headers;    // in the order sent
  std::string body;                   // whole, with any content coding taken off
  std::string_view client_address;    // of the peer, textual, without port
  Presence* presence = nullptr;       // null: nobody can tell
  // Who asks, as whoever stands before the handlers has found out; null: nobody was asked.
  std::shared_ptr<const access::Identity> identity = nullptr;
  std::uint64_t let_in_by = 0;   // the revision of the rules by which he was judged
  Spending* spending = nullptr;  // null: nobody counts
  RequestId id = {};

  // The first field of a name, ignoring case.
  std::optional<std::string_view> header(std::string_view name) const;
  // All fields of a name joined with ", " (RFC 9110 section 5.3); empty where there is none.
  std::string combined_header(std::string_view name) const;

  // Tells what is about to be used for it. Throws Problem 429 where that is too much.
  void spend(Use use, std::int64_t amount) const {
    if (spending != nullptr) spending->spend(*this, use, amount);
  }
};

// The query's parameters, decoded. Throws Problem 400.
Parameters query_of(const Request& request);

// Bytes that many answers and threads may share.
using Bytes = std::shared_ptr<const std::string>;
Bytes make_bytes(std::string text);

struct Response {
  int status = 200;
  // Where set: the status line and header fields composed once ("HTTP/1.1 304 Not Modified\r\nETag: ...\r\n"),
  // without Date, Connection, Content-Length and the empty line, which the server adds. `headers` come after it.
  Bytes head;
  std::vector<std::pair<std::string, std::string>> headers;
  Bytes body;  // null: none
  // Where body is not all of it: how long the whole is. An answer to HEAD has no body at all.
  std::optional<std::uint64_t> content_length = std::nullopt;
  // Gives the rest of such a body piece by piece, each once the one before it has been written, so that who reads
  // slowly holds one. Null or an exception: it cannot be had any more, and the connection ends before the whole was
  // sent. Without content_length it is a stream, which ends with null and has no `body`.
  std::function<Task<Bytes>()> more = nullptr;
  // Where set: as long as it says yes, the same request, byte for byte, may be given this answer again. Called on the
  // io thread that answered; must be quick.
  std::function<bool()> holds = nullptr;

  Response& with(std::string name, std::string value);
};

// Whether a status says that the server failed: 501 and 505 are what a client asked for and nobody has.
constexpr bool is_failure(int status) {
  return status >= 500 && status != 501 && status != 505;
}

// A text answer, ready to send.
Response text_response(int status, std::string content_type, std::string body);

}  // namespace courant::http
