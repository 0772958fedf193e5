// Handler: what the server asks for answers. One implementation is the router; the server's tests have others.
// Threads: called from every io thread at once; must not block.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/message.h"
#include "http/task.h"

namespace courant::http {

class Handler {
 public:
  virtual ~Handler() = default;

  // Called when the header is complete and before the body is read. Returns how many bytes of body (decoded) the
  // request may have; throws Problem to refuse it without reading one (404, 405, 415, 413 ...). The first call of each
  // request: it may say in it who asks.
  virtual std::uint64_t admit(Request& request) = 0;

  // The pattern of the URLs that this request is one of, as a label for metrics and logs: one of a fixed set, whatever
  // clients ask for, whose characters stay where they are as long as the handler lives. Whoever stands in front of
  // another handler hands its answer on.
  virtual std::string_view route_of(const Request&) const { return "(none)"; }

  // The answer, where it needs no waiting: from memory, at once, without a coroutine. nullopt: call answer().
  virtual std::optional<Response> answer_at_once(const Request& request) = 0;

  // The answer. The request stays valid until the task is complete. A thrown Problem becomes its reply
  // (http/problem_reply.h); any other exception becomes a 500 that says nothing of its text.
  virtual Task<Response> answer(const Request& request) = 0;

  // Called with each answer of the two above before it is sent, for those who stand in front of another handler: they
  // need no coroutine of their own, which each client that waits would keep. Throws as answer() does.
  virtual Response finished(Response response, const Request&) { return response; }

  // Called with every answer right before it is sent, with refusals and with what failures became too, which the call
  // above does not see. Must not throw.
  virtual void stamp(Response&, const Request&) const {}

  // Another number whenever stamp() may do otherwise than before with some answer: none that was stamped before is
  // given again, whatever it holds by (Response::holds).
  virtual std::uint64_t revision() const { return 0; }
};

}  // namespace courant::http
