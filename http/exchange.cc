#include "http/exchange.h"

#include "http/gzip.h"
#include "http/let_others.h"
#include "http/problem_reply.h"
#include "http/request_log.h"
#include "kernel/log.h"
#include "kernel/text.h"

namespace courant::http {
namespace {

constexpr std::size_t kInflatedAtOnce = 128 << 10;  // some 0.3 ms

}  // namespace

void read_request(std::string_view bytes, const HostPolicy& hosts, std::string_view client_address, Presence& presence,
                  RequestHead& into) {
  const RequestId id = into.request.id;
  into = read_head(bytes);
  into.request.id = id;
  into.request.client_address = client_address;
  into.request.presence = &presence;
  hosts.check(into.request, into.authority);
}

Problem body_too_long(std::uint64_t limit) {
  return Problem(413, "The body is longer than the " + std::to_string(limit) + " bytes allowed here");
}

Task<void> take_off_coding(Request& request, std::uint64_t limit) {
  const std::string coding = ascii_lower(trim(request.combined_header("content-encoding")));
  if (coding.empty() || coding == "identity") co_return;
  if (coding != "gzip" && coding != "x-gzip") {
    throw Problem(415, "Content-Encoding '" + coding + "' is not taken: send gzip or none")
        .with("Accept-Encoding", "gzip");
  }
  Unpacking unpacking(request.body, limit);
  while (unpacking.go_on(kInflatedAtOnce)) {
    co_await let_others_go_first();
  }
  Unpacked plain = std::move(unpacking).result();
  if (plain.end == Unpacked::End::kTooLong) {
    throw Problem(413, "The body is longer than " + std::to_string(limit) + " bytes when inflated");
  }
  if (plain.end == Unpacked::End::kBroken) throw Problem(400, "The body is no whole gzip stream");
  request.body = std::move(plain.bytes);
}

Response answer_to_failure(std::exception_ptr failure, const Request& request) {
  try {
    std::rethrow_exception(std::move(failure));
  } catch (const Problem& problem) {
    // The line that says more may have been written for another request, as of a form that fails each time.
    if (problem.status() == 500) {
      log_error("a request failed", {{"request", request.id.text()}, {"error", problem.detail()}});
    }
    return reply_to(problem, request);
  } catch (const std::exception& error) {
    log_error("a request failed", {{"request", request.id.text()}, {"error", error.what()}});
    return reply_to(Problem(500, "The server failed on this request"), request);
  }
}

std::uint64_t admit(Handler& handler, Request& request, std::optional<Response>& refusal) {
  try {
    return handler.admit(request);
  } catch (...) {
    refusal = answer_to_failure(std::current_exception(), request);
    return 0;
  }
}

std::optional<Response> answer_at_once(Handler& handler, const Request& request) {
  try {
    std::optional<Response> response = handler.answer_at_once(request);
    if (response) response = handler.finished(*std::move(response), request);
    return response;
  } catch (...) {
    return answer_to_failure(std::current_exception(), request);
  }
}

Tally::Series& note_answer(ConnectionContext& context, const Request& request, const Answered& answered,
                           Response& response) {
  context.handler.stamp(response, request);
  Tally::Series& series = context.tally.series(answered.route, request.method, response.status);
  log_answer(context.options, request, answered, response);
  if (answered.was_kept_waiting) {
    context.tally.count_waited(series, answered.time);
  } else {
    Tally::count(series, answered.time);
  }
  return series;
}

void note_refusal(ConnectionContext& context, int status) {
  context.metrics.refused.add();
  if (status == 413) context.metrics.hit(Limit::kLargeBody).add();
  if (status == 414 || status == 431) context.metrics.hit(Limit::kHeaderBomb).add();
}

Task<std::optional<Bytes>> next_piece(const Response& response, std::uint64_t& left) {
  Bytes piece;
  try {
    piece = co_await response.more();
  } catch (const Problem&) {
    co_return std::nullopt;
  } catch (const std::exception& error) {
    log_error("the rest of an answer cannot be had", {{"error", error.what()}});
    co_return std::nullopt;
  }
  if (!response.content_length) co_return piece;
  if (!piece || piece->empty() || piece->size() > left) co_return std::nullopt;
  left -= piece->size();
  co_return piece;
}

}  // namespace courant::http
