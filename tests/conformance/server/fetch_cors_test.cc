// The CORS protocol of the Fetch standard (a living standard, so its rules are told in our words under the names of its
// sections): what a server owes browsers, as a browser judges it.
#include <fstream>

#include "kernel/text.h"
#include "tests/conformance/server/fixture.h"

namespace courant::test::fetch_cors_test {
namespace {

const std::string kListed = "https://app.example";

class FetchCors : public testing::Test {
 protected:
  FetchCors() {
    std::ofstream(config_) << "[[workspaces]]\nname = 'some'\nauto_create = true\ncors = ['" << kListed
                           << "', 'http://127.0.0.1:8000']\n[[workspaces]]\nname = 'all'\nauto_create = true\n"
                           << "cors = '*'\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config_});
    client_ = std::make_unique<HttpClient>(server_->port());
    for (const char* const feed : {"/some/events", "/all/events"}) {
      EXPECT_EQ(client_->post(feed, "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title></entry>").status, 201);
    }
  }
  Reply preflight(const std::string& target, const std::string& origin, const std::string& method,
                  const std::string& fields = {}) {
    RawClient client(static_cast<std::uint16_t>(server_->port()));
    client.send("OPTIONS " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nOrigin: " + origin +
                "\r\nAccess-Control-Request-Method: " + method + "\r\n" +
                (fields.empty() ? "" : "Access-Control-Request-Headers: " + fields + "\r\n") + "\r\n");
    const std::string bytes = client.read_all();
    return {std::stoi(bytes.substr(9, 3)), bytes.substr(0, bytes.find("\r\n\r\n") + 2), ""};
  }
  static std::string allowed(const Reply& reply) { return reply.header("Access-Control-Allow-Origin"); }
  // Section "CORS check", for a request without credentials: the field is there once, and is `*` or, byte for byte, the
  // origin as the browser writes it.
  static bool passes_cors_check(const Reply& reply, const std::string& origin) {
    const std::string name = "Access-Control-Allow-Origin: ";
    const std::size_t first = reply.head.find(name);
    if (first == std::string::npos || reply.head.find(name, first + 1) != std::string::npos) return false;
    return allowed(reply) == "*" || allowed(reply) == origin;
  }
  static bool lists(const std::string& field, std::string_view name) {
    for (const std::string_view item : split(field, ',')) {
      if (equal_ignoring_case(trim(item), name)) return true;
    }
    return false;
  }

  const std::string config_ = scratch("fetch-cors.toml");
  TestDatabase database_;
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

// "CORS check": an answer without the field, or with another origin, is a network error to the page.
TEST_F(FetchCors, TheOriginIsGivenBackByteForByteOrAsAStar) {
  for (const std::string& origin : {kListed, std::string("http://127.0.0.1:8000")}) {
    EXPECT_TRUE(passes_cors_check(client_->get("/some/events", "Origin: " + origin + "\r\n"), origin));
    EXPECT_TRUE(passes_cors_check(client_->get("/all/events", "Origin: " + origin + "\r\n"), origin));
  }
  for (const std::string origin : {"http://app.example", "https://app.example:8443", "https://APP.example", "null"}) {
    EXPECT_EQ(allowed(client_->get("/some/events", "Origin: " + origin + "\r\n")), "") << origin;
  }
}

// "HTTP responses" of the protocol: `Access-Control-Allow-Credentials` says that an answer may be seen although the
// request carried cookies and the like. None is asked for here, so it is never said, and `*` stays possible.
TEST_F(FetchCors, CredentialsOfTheBrowserAreNeverAskedFor) {
  for (const char* const target : {"/some/events", "/all/events"}) {
    EXPECT_EQ(client_->get(target, "Origin: " + kListed + "\r\n").header("Access-Control-Allow-Credentials"), "");
    EXPECT_EQ(preflight(target, kListed, "GET").header("Access-Control-Allow-Credentials"), "");
  }
}

// "CORS protocol and HTTP caches": where the field depends on the request's origin, `Vary: Origin` stands on every
// answer, to requests without an origin too; where it is `*`, the field stands on every answer, and nothing varies.
TEST_F(FetchCors, CachesAreToldWhatDependsOnTheOrigin) {
  for (const std::string fields : {"", "Origin: https://app.example\r\n", "Origin: https://evil.example\r\n"}) {
    EXPECT_TRUE(lists(client_->get("/some/events", fields).header("Vary"), "Origin")) << fields;
    const Reply all = client_->get("/all/events", fields);
    EXPECT_FALSE(lists(all.header("Vary"), "Origin")) << fields;
    EXPECT_EQ(allowed(all), "*") << fields;
  }
  // "HTTP-network-or-cache fetch": the fields of a 304 replace those of the answer that the browser has kept, so they
  // are those of a 200.
  const std::string fields = "Origin: " + kListed + "\r\n";
  const Reply whole = client_->get("/some/events", fields);
  const Reply unchanged = client_->get("/some/events", fields + "If-None-Match: " + whole.header("ETag") + "\r\n");
  ASSERT_EQ(unchanged.status, 304);
  EXPECT_EQ(allowed(unchanged), kListed);
  EXPECT_EQ(unchanged.header("Vary"), whole.header("Vary"));
}

// "CORS-preflight fetch": the answer must have an ok status (200 to 299) and pass the CORS check; each field that no
// page may send unasked must be listed, `Authorization` by its name, since `*` does not mean it; GET and HEAD need no
// listing.
TEST_F(FetchCors, APreflightLetsThroughTheFieldsOfReaders) {
  const std::vector<std::string> fields = {
      "authorization", "if-modified-since", "if-none-match",    "last-event-id", "prefer",
      "range",         "traceparent",       "feed-position-min"};
  for (const char* const target : {"/some/events", "/all/events"}) {
    for (const char* const method : {"GET", "HEAD"}) {
      std::string asked;
      for (const std::string& field : fields) asked += (asked.empty() ? "" : ",") + field;
      const Reply let = preflight(target, kListed, method, asked);
      EXPECT_TRUE(let.status >= 200 && let.status <= 299) << let.status;
      EXPECT_TRUE(passes_cors_check(let, kListed));
      for (const std::string& field : fields) {
        EXPECT_TRUE(lists(let.header("Access-Control-Allow-Headers"), field)) << field;
      }
      EXPECT_TRUE(lists(let.header("Access-Control-Allow-Methods"), method));
      EXPECT_TRUE(parse_unsigned(let.header("Access-Control-Max-Age"))) << "seconds";
    }
  }
}

// As above: a method that no page may use unasked must be listed, or the preflight fails.
TEST_F(FetchCors, APreflightForWhatChangesSomethingFails) {
  for (const char* const target : {"/some/events", "/all/events"}) {
    for (const char* const method : {"POST", "PUT", "DELETE", "PATCH"}) {
      const Reply refused = preflight(target, kListed, method);
      EXPECT_FALSE(passes_cors_check(refused, kListed)) << method;
      EXPECT_FALSE(lists(refused.header("Access-Control-Allow-Methods"), method));
    }
  }
}

// "CORS-safelisted response-header name": beside seven names (Cache-Control, Content-Language, Content-Length,
// Content-Type, Expires, Last-Modified, Pragma) a page sees what `Access-Control-Expose-Headers` lists.
TEST_F(FetchCors, TheFieldsThatReadersGoByAreSeen) {
  for (const char* const target : {"/some/events", "/all/events"}) {
    const std::string exposed =
        client_->get(target, "Origin: " + kListed + "\r\n").header("Access-Control-Expose-Headers");
    for (const char* const name : {"ETag", "Link", "Location", "Retry-After", "Feed-Position", "Feed-Chain",
                                   "Poll-Interval", "Preference-Applied", "RateLimit", "RateLimit-Policy"}) {
      EXPECT_TRUE(lists(exposed, name)) << name;
    }
  }
}

}  // namespace
}  // namespace courant::test::fetch_cors_test
