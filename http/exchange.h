// What becomes of a request between its arrival and its answer, whichever version of HTTP carries it.
// Threads: io threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>

#include "http/connection_context.h"
#include "http/handler.h"
#include "http/host_policy.h"
#include "http/message.h"
#include "http/request_head.h"
#include "http/task.h"
#include "kernel/problem.h"

namespace courant::http {

// Reads a request's head and judges whom it is for. Throws Problem; `into` is filled as far as it came, and
// keeps the id that it has. The views live
// in `bytes` and `client_address`.
void read_request(std::string_view bytes, const HostPolicy& hosts, std::string_view client_address, Presence& presence,
                  RequestHead& into);

// 413: what a body may be that the handler has admitted.
Problem body_too_long(std::uint64_t limit);

// Takes gzip off the body, in portions between which other connections have their turn; `limit` holds for what comes
// out. Throws Problem 400, 413, 415.
Task<void> take_off_coding(Request& request, std::uint64_t limit);

// A Problem's reply, or a 500 that says nothing of what failed.
Response answer_to_failure(std::exception_ptr failure, const Request& request);

// How many bytes of body the request may have; where it is refused, `refusal` is the answer to it, which needs none.
std::uint64_t admit(Handler& handler, Request& request, std::optional<Response>& refusal);

// The handler's answer, where it is there at once; what the handler throws becomes an answer too.
std::optional<Response> answer_at_once(Handler& handler, const Request& request);

// The route of what was refused before anybody was asked.
inline constexpr std::string_view kRefusedRoute = "(refused)";

// What became of a request.
struct Answered {
  std::string_view route;
  std::chrono::nanoseconds time{};  // since it had arrived
  bool was_kept_waiting = false;    // on its client's wish
};

// Stamps it, counts it, and logs it where it is to be. The series is of this thread. A failure's answer gets
// X-Request-Id, by which the log's line is found.
Tally::Series& note_answer(ConnectionContext& context, const Request& request, const Answered& answered,
                           Response& response);

// 413, 414 and 431 are limits that have been hit.
void note_refusal(ConnectionContext& context, int status);

// The next piece of an answer that comes in pieces; `left` counts down how much of an announced length is to come.
// Null: a stream has ended. nullopt: it cannot be had, as when the database went away, and the answer must not look
// whole.
Task<std::optional<Bytes>> next_piece(const Response& response, std::uint64_t& left);

}  // namespace courant::http
