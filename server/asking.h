// An HTTP client that waits for each answer: for commands that work on a running server as any client could.
// Threads: one.
#pragma once

#include <string>

#include "http/client.h"

namespace courant::server {

class Asking {
 public:
  http::ClientReply ask(const http::ClientRequest& request);

  // Again, with growing pauses, where nothing was answered or the server is overloaded: for requests that may be
  // repeated. The last answer, whatever it is.
  http::ClientReply ask_until_answered(const http::ClientRequest& request);

 private:
  Metrics metrics_;
  http::Client client_{options(), metrics_};

  static http::ClientOptions options();
};

// A POST of an Atom document that may be repeated: an entry without an id is stored once under a key, however often it
// is sent.
http::ClientRequest posting_of(const std::string& feed_url, const std::string& idempotency_key, std::string document);

// What went wrong, for people and their terminals: the problem document's detail, or what the connection said.
std::string reason_of(const http::ClientReply& reply);

}  // namespace courant::server
