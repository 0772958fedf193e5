// What the tests of HTTP itself begin with: the real program on all its ports.
// Threads: one.
#pragma once

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_database.h"
#include "tests/support/wire_server.h"

namespace courant::test {

class Wire : public testing::Test {
 protected:
  void serve(const WireSettings& settings = {}) { server_ = std::make_unique<WireServer>(database_.url(), settings); }

  static std::string entry(const std::string& id, const std::string& content = "c") {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>t</title><content>" + content +
           "</content></entry>";
  }
  // A whole request that stores an entry.
  static std::string post_of(const std::string& id, const std::string& more = {}) {
    const std::string body = entry(id);
    return "POST /demo/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/atom+xml\r\n" + more +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static std::string get_of(const std::string& path, const std::string& more = {}) {
    return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
  }
  static int status_of(const std::string& answer) { return read_answer(answer).status; }

  int publish(const std::string& id) {
    return ask(*server_, Way::kPlain, "POST", "/demo/events", {}, entry(id)).status;
  }
  bool is_stored(const std::string& id) {
    return ask(*server_, Way::kPlain, "GET", "/demo/events/entries/urn:x:" + id).status == 200;
  }

  TestDatabase database_;
  std::unique_ptr<WireServer> server_;
};

}  // namespace courant::test
