// Time tells nothing: whoever may not know is answered without anything being looked for that could be there or not.
// It is shown without measuring: where the database does not answer at all, these answers come all the same.
#include "tests/functional/security/fixture.h"
#include "tests/support/database_relay.h"
#include "tests/support/tokens.h"

namespace courant::test::timing_test {
namespace {

class TimingTest : public Security {
 protected:
  // Whether there is an answer, and which; 0: none came within a second.
  static int status_within_a_second(const CourantServer& server, const std::string& request) {
    RawClient client(static_cast<std::uint16_t>(server.port()));
    client.send(request);
    if (!client.has_answer_within(std::chrono::seconds(1))) return 0;
    return std::stoi(client.read_response().substr(9, 3));
  }
};

TEST_F(TimingTest, WhatIsForbiddenAndWhatIsUnknownAreRefusedWithoutLookingForIt) {
  const std::string narrow = tokens_.make("narrow", "read,publish,edit", "other/mine");
  DatabaseRelay relay(database_.url());
  const CourantServer server(with_tokens(relay.url()));
  HttpClient client(server.port());
  ASSERT_EQ(client.get("/closed/events", bearer(narrow)).status, 404);
  ASSERT_EQ(client.get("/closed/events", bearer(all_)).status, 200);
  relay.freeze(DatabaseRelay::kAll);
  const std::string wrong = "crt_" + std::string(32, 'x');
  const std::string near = all_.substr(0, all_.size() - 1) + (all_.back() == 'x' ? "y" : "x");
  for (const std::string path :
       {"/closed/events", "/closed/unknown", "/unknown/events", "/closed/events/entries/urn:x:1",
        "/closed/events/entries/urn:x:2", "/closed/events/archive/1", "/closed/events?marker=urn:x:1"}) {
    const auto ask = [&](const std::string& method, const std::string& fields) {
      return status_within_a_second(
          server, method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" + fields + "\r\n");
    };
    for (const std::string method : {"GET", "DELETE"}) {
      EXPECT_EQ(ask(method, {}), 401) << method << " " << path;
      EXPECT_EQ(ask(method, bearer(wrong)), 401) << method << " " << path;
      EXPECT_EQ(ask(method, bearer(near)), 401) << method << " " << path;
      EXPECT_EQ(ask(method, bearer(narrow)), 404) << method << " " << path;
    }
  }
  relay.thaw();
}

}  // namespace
}  // namespace courant::test::timing_test
