// What tests of the security suite begin with: the real program with tokens, a public workspace "news", and "closed",
// which is private and whose feed "events" holds one entry that nobody else may learn of.
// Threads: one.
#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test {

class Security : public testing::Test {
 protected:
  static constexpr const char* kHidden = "what-nobody-else-may-learn";
  static constexpr const char* kAtom = "Content-Type: application/atom+xml\r\n";

  Security() {
    all_ = tokens_.make("all", "admin", "*");
    EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(all_)).status == 404; }));
    EXPECT_EQ(client_.post("/closed/events", entry("urn:x:1", kHidden), bearer(all_) + kAtom).status, 201);
    EXPECT_EQ(client_.post("/news/events", entry("urn:x:1", "open"), bearer(all_) + kAtom).status, 201);
  }

  static std::string entry(const std::string& id, const std::string& words) {
    return "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>" + words + "</title><content>" +
           words + "</content></entry>";
  }
  std::uint16_t port() const { return static_cast<std::uint16_t>(server_.port()); }
  // The answer to bytes that no client would send; the connection may then be over.
  std::string raw(const std::string& bytes) const {
    RawClient client(port());
    client.send(bytes);
    return client.read_response();
  }
  static std::string log() { return CourantServer::log(); }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port()};
  std::string all_;  // may everything
};

}  // namespace courant::test
