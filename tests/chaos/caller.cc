#include "tests/chaos/caller.h"

#include "kernel/text.h"

namespace courant::chaos {

std::optional<test::Reply> Caller::ask(int server, const Ask& ask) {
  send(server, ask);
  return receive(server);
}

std::array<std::optional<test::Reply>, 2> Caller::ask_both(const Ask& ask) {
  send(0, ask);
  send(1, ask);
  return {receive(0), receive(1)};
}

void Caller::send(int server, const Ask& ask) {
  std::string request = ask.method + " " + ask.target + " HTTP/1.1\r\nHost: localhost\r\n" + ask.headers;
  if (ask.method != "GET") request += "Content-Length: " + std::to_string(ask.body.size()) + "\r\n";
  request += "\r\n" + ask.body;
  std::unique_ptr<test::RawClient>& connection = connections_[static_cast<std::size_t>(server)];
  try {
    const auto port = static_cast<std::uint16_t>(ports_[static_cast<std::size_t>(server)]);
    if (!connection) connection = std::make_unique<test::RawClient>(port, patience_);
    connection->send(request);
  } catch (const std::exception&) {
    // Nobody listens there now: nothing is received.
  }
}

std::optional<test::Reply> Caller::receive(int server) {
  std::unique_ptr<test::RawClient>& connection = connections_[static_cast<std::size_t>(server)];
  if (!connection) return std::nullopt;
  const std::string bytes = connection->read_response();
  const std::size_t end = bytes.find("\r\n\r\n");
  const auto status = bytes.size() > 12 ? parse_unsigned(std::string_view(bytes).substr(9, 3)) : std::nullopt;
  if (end == std::string::npos || !status) {
    connection.reset();
    return std::nullopt;
  }
  test::Reply reply{static_cast<int>(*status), bytes.substr(0, end + 2), bytes.substr(end + 4)};
  const std::int64_t length = number_of(reply, "Content-Length");
  const bool is_whole = length < 0 || reply.status == 304 || static_cast<std::int64_t>(reply.body.size()) == length;
  if (!is_whole || reply.header("Connection") == "close") connection.reset();
  return is_whole ? std::optional(std::move(reply)) : std::nullopt;
}

bool is_doubtful(const std::optional<test::Reply>& reply) {
  return !reply || reply->status == 503 || reply->status == 408;
}

std::int64_t number_of(const test::Reply& reply, const std::string& name) {
  const auto number = parse_unsigned(reply.header(name));
  return number ? static_cast<std::int64_t>(*number) : -1;
}

}  // namespace courant::chaos
