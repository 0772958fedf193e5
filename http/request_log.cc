#include "http/request_log.h"

#include "http/trace.h"
#include "kernel/log.h"
#include "kernel/text.h"
#include "kernel/uri.h"

namespace courant::http {
namespace {

using Logged = ServerOptions::Logged;

std::uint64_t length_of(const Response& response) {
  if (response.content_length) return *response.content_length;
  return response.body ? response.body->size() : 0;
}

// What cannot be decoded stays as it is: a path that is refused for that is logged, too.
std::string decoded_as_far_as_it_can_be(std::string_view path) {
  std::string decoded;
  decoded.reserve(path.size());
  for (std::size_t at = 0; at < path.size(); ++at) {
    const std::optional<std::string> byte = path[at] == '%' ? percent_decode(path.substr(at, 3)) : std::nullopt;
    decoded += byte ? *byte : std::string(1, path[at]);
    if (byte) at += 2;
  }
  return decoded;
}

template <class Log>
void write_with(Log log, std::string_view words, const ServerOptions& options, const Request& request,
                const Answered& answered, const Response& response) {
  const std::string path_shown = path_for_log(request.path, options.secret_below);
  const double milliseconds = std::chrono::duration<double, std::milli>(answered.time).count();
  const LogField fields[] = {{"request", request.id.text()}, {"method", request.method_text},
                             {"path", path_shown},           {"route", answered.route},
                             {"status", response.status},    {"milliseconds", milliseconds},
                             {"bytes", length_of(response)}, {"client", request.client_address}};
  const auto& [id, method, path, route, status, took, bytes, client] = fields;
  const std::optional<TraceContext> trace = trace_of(request);
  if (!trace) return log(words, {id, method, path, route, status, took, bytes, client});
  log(words, {id, method, path, route, status, took, bytes, client, {"trace", trace->trace_id()}});
}

}  // namespace

std::string path_for_log(std::string_view path, std::string_view secret_below) {
  if (secret_below.empty()) return std::string(path);
  const std::string decoded = ascii_lower(decoded_as_far_as_it_can_be(path));
  const std::size_t at = decoded.find(secret_below);
  const bool is_secret = at != std::string::npos && decoded.size() > at + secret_below.size();
  return is_secret ? std::string(secret_below) + "{token}" : std::string(path);
}

void log_answer(const ServerOptions& options, const Request& request, const Answered& answered, Response& response) {
  const int status = response.status;
  if (is_failure(status)) response.with("X-Request-Id", request.id.text());
  const bool is_slow = options.slow.count() > 0 && answered.time >= options.slow && !answered.was_kept_waiting;
  if (status == 503) {
    write_with(log_warning, "request not taken", options, request, answered, response);
  } else if (is_failure(status)) {
    write_with(log_error, "request failed", options, request, answered, response);
  } else if (is_slow) {
    write_with(log_warning, "request was slow", options, request, answered, response);
  } else if (options.logged == Logged::kAll || (options.logged == Logged::kErrors && status >= 400)) {
    write_with(log_info, "request", options, request, answered, response);
  }
}

}  // namespace courant::http
