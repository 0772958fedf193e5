// An HTTP client that waits for each answer: for commands that work on a running server as any client could.
// Threads: one.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "http/client.h"
#include "kernel/result.h"

namespace CLI {
class App;
}

namespace courant::server {

// Who asks: the token, or none, which goes to that server alone, whatever links lead elsewhere.
struct Asker {
  std::string token = {};
  std::string server = {};  // a URL of it; empty: whichever is asked
};

// The option of a command that names a file with the token. It is never given in the command line, which every user of
// the machine can read.
void add_token_file(CLI::App& command, std::string& file);

// Runs with the token of the file, or, where none is named, of COURANT_TOKEN in the environment, or with none. The exit
// status; where a file is named that holds no token, that is said.
int with_token(const std::string& file, const std::function<int(const std::string& token)>& run);

class Asking {
 public:
  explicit Asking(Asker asker = {}) : asker_(std::move(asker)) {}

  http::ClientReply ask(const http::ClientRequest& request);

  // Again, with growing pauses, where nothing was answered or the server is overloaded: for requests that may be
  // repeated. The last answer, whatever it is.
  http::ClientReply ask_until_answered(const http::ClientRequest& request);

 private:
  bool knows(const std::string& url) const;

  const Asker asker_;
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
