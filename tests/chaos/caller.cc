#include "tests/chaos/caller.h"

#include "kernel/text.h"

namespace courant::chaos {

std::optional<test::Reply> Caller::ask(int server, const Ask& ask) {
  std::string request = ask.method + " " + ask.target + " HTTP/1.1\r\nHost: localhost\r\n" + ask.headers;
  if (ask.method != "GET") request += "Content-Length: " + std::to_string(ask.body.size()) + "\r\n";
  request += "\r\n" + ask.body;
  std::optional<test::Reply> reply;
  try {
    reply = exchange(server, request);
  } catch (const std::exception&) {
    // Nobody listens there now.
  }
  if (!reply) connections_[static_cast<std::size_t>(server)].reset();
  return reply;
}

std::optional<test::Reply> Caller::exchange(int server, const std::string& request) {
  std::unique_ptr<test::RawClient>& connection = connections_[static_cast<std::size_t>(server)];
  if (!connection) {
    const auto port = static_cast<std::uint16_t>(ports_[static_cast<std::size_t>(server)]);
    connection = std::make_unique<test::RawClient>(port, patience_);
  }
  connection->send(request);
  const std::string bytes = connection->read_response();
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return std::nullopt;
  test::Reply reply{std::stoi(bytes.substr(9, 3)), bytes.substr(0, end + 2), bytes.substr(end + 4)};
  const std::int64_t length = number_of(reply, "Content-Length");
  if (length >= 0 && static_cast<std::int64_t>(reply.body.size()) != length) return std::nullopt;  // it broke off
  if (reply.header("Connection") == "close") connection.reset();
  return reply;
}

bool is_doubtful(const std::optional<test::Reply>& reply) {
  return !reply || reply->status == 503 || reply->status == 408;
}

std::int64_t number_of(const test::Reply& reply, const std::string& name) {
  const auto number = parse_unsigned(reply.header(name));
  return number ? static_cast<std::int64_t>(*number) : -1;
}

}  // namespace courant::chaos
