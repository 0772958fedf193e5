// A small HTTP client for functional tests: one keep-alive connection, made anew when it was lost.
// Threads: one.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "tests/support/emitted.h"
#include "tests/support/raw_client.h"

namespace courant::test {

struct Reply {
  int status = 0;  // 0: no whole answer came
  std::string head;
  std::string body;

  std::string header(const std::string& name) const {
    const std::size_t begin = head.find("\r\n" + name + ": ");
    if (begin == std::string::npos) return {};
    const std::size_t value = begin + name.size() + 4;
    return head.substr(value, head.find("\r\n", value) - value);
  }
};

class HttpClient {
 public:
  // keeps_documents: so that they are held against the grammar when the tests are through.
  explicit HttpClient(int port, bool keeps_documents = true) : port_(port), keeps_documents_(keeps_documents) {}

  Reply get(const std::string& target, const std::string& headers = {}) {
    return ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  }

  Reply put(const std::string& target, const std::string& body, const std::string& headers = {}) {
    return ask("PUT " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + headers + "\r\n" + body);
  }
  Reply remove(const std::string& target, const std::string& headers = {}) {
    return ask("DELETE " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  }

  Reply post(const std::string& target, const std::string& body, const std::string& headers = {}) {
    return ask("POST " + target + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n" + headers + "\r\n" + body);
  }

 private:
  Reply ask(const std::string& request) {
    Reply reply;
    try {
      if (!client_) client_ = std::make_unique<RawClient>(static_cast<std::uint16_t>(port_));
      client_->send(request);
      const std::string bytes = client_->read_response();
      const std::size_t end = bytes.find("\r\n\r\n");
      if (end == std::string::npos || bytes.find("Connection: close") < end) client_.reset();
      if (end == std::string::npos) return reply;
      reply.status = std::stoi(bytes.substr(9, 3));
      reply.head = bytes.substr(0, end + 2);
      reply.body = bytes.substr(end + 4);
      const bool is_atom = reply.header("Content-Type").starts_with("application/atom+xml");
      if (keeps_documents_ && is_atom && !reply.body.empty() && reply.header("Content-Encoding").empty())
        keep_emitted(reply.body);
    } catch (const std::exception&) {
      client_.reset();
    }
    return reply;
  }

  int port_;
  bool keeps_documents_;
  std::unique_ptr<RawClient> client_;
};

}  // namespace courant::test
