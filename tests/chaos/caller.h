// How the chaos run talks to the two servers: one keep-alive connection to each, made anew when it was lost.
// Threads: one.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "tests/support/http_client.h"

namespace courant::chaos {

struct Ask {
  std::string method = "GET";
  std::string target;
  std::string headers = {};  // whole lines
  std::string body = {};
};

using Ports = std::array<int, 2>;

class Caller {
 public:
  Caller(Ports ports, std::chrono::seconds patience) : ports_(ports), patience_(patience) {}

  // nullopt: no whole answer came; whether the server has done what was asked is not known.
  std::optional<test::Reply> ask(int server, const Ask& ask);
  // The same of both at the same time.
  std::array<std::optional<test::Reply>, 2> ask_both(const Ask& ask);

 private:
  void send(int server, const Ask& ask);
  std::optional<test::Reply> receive(int server);

  const Ports ports_;
  const std::chrono::seconds patience_;
  std::array<std::unique_ptr<test::RawClient>, 2> connections_;
};

// Answers that say nothing of the request's fate, or that the server cannot work now: the same is sent again later.
bool is_doubtful(const std::optional<test::Reply>& reply);

// A header that is a number; -1: it is not there.
std::int64_t number_of(const test::Reply& reply, const std::string& name);

}  // namespace courant::chaos
