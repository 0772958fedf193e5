#include "http/cors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace courant::http {
namespace {

using testing::HasSubstr;

TEST(Cors, TakesOriginsAsBrowsersWriteThem) {
  for (const char* origin :
       {"https://app.example", "http://app.example", "https://app.example:8443", "http://localhost:3000",
        "https://app.example:80", "http://127.0.0.1:1", "http://[::1]:65535", "https://[2001:db8::1]",
        "https://xn--bcher-kva.example", "capacitor://localhost", "chrome-extension://abcdef", "*"}) {
    EXPECT_FALSE(fault_of_origin(origin)) << origin << ": " << fault_of_origin(origin)->detail;
  }
}

TEST(Cors, SaysOfAnythingElseWhatIsWrong) {
  const std::vector<std::pair<const char*, const char*>> wrong = {
      {"", "is written as https://app.example"},
      {"null", "is written as https://app.example"},
      {"app.example", "is written as https://app.example"},
      {"https://", "no host"},
      {"file:///", "no path"},
      {"https://app.example/", "no slash at its end"},
      {"https://app.example/a", "no path"},
      {"https://app.example?a", "no path"},
      {"https://app.example#a", "no path"},
      {"https://user@app.example", "no user"},
      {"https://App.Example", "browsers write it as https://app.example"},
      {"https://App.Example:1", "browsers write it as https://app.example:1"},
      {"HTTPS://app.example", "scheme is written in lower case"},
      {"https://app.example:443", "write https://app.example"},
      {"http://app.example:80", "write http://app.example"},
      {"http://[::1]:80", "write http://[::1]"},
      {"http://[0:0::1]", "browsers write it as http://[::1]"},
      {"http://0x7f.1", "browsers write it as http://127.0.0.1"},
      {"https://app.example:", "a port, 1 to 65535"},
      {"https://app.example:0", "a port, 1 to 65535"},
      {"https://app.example:08080", "a port, 1 to 65535"},
      {"https://app.example:65536", "a port, 1 to 65535"},
      {"https://app.example:a", "a port, 1 to 65535"},
      {"https://b\xc3\xbc"
       "cher.example",
       "xn--"},
      {"https://*.example", "characters that no name has"},
      {"https://a.example, https://b.example", "no path"},
      {"https://a.example https://b.example", "no path"},
      {" https://a.example", "scheme"},
      {"https://a.example ", "characters that no name has"},
  };
  for (const auto& [origin, why] : wrong) {
    const std::optional<Fault> fault = fault_of_origin(origin);
    ASSERT_TRUE(fault) << origin;
    EXPECT_THAT(fault->detail, HasSubstr(why)) << origin;
  }
}

TEST(Cors, AnOriginIsListedAsItIsOrByAStar) {
  Origins some({"https://a.example", "https://b.example:1"});
  EXPECT_TRUE(some.has("https://a.example"));
  EXPECT_FALSE(some.has("https://a.example:1"));
  EXPECT_FALSE(some.has("HTTPS://a.example"));
  EXPECT_FALSE(some.has("null"));
  EXPECT_FALSE(some.has(""));
  EXPECT_FALSE(some.is_any());
  some.add(Origins({"*"}));
  EXPECT_TRUE(some.is_any());
  EXPECT_TRUE(some.has("null"));
}

TEST(Cors, AsksToReadWhoNamesOneOriginAndOneOfTwoMethods) {
  const auto asks = [](std::vector<HeaderView> fields, Method method = Method::kOptions) {
    Request request;
    request.method = method;
    request.headers = std::move(fields);
    return asks_to_read(request);
  };
  const HeaderView origin{"Origin", "https://a.example"};
  const char* const kMethod = "access-control-request-method";
  EXPECT_TRUE(asks({origin, {kMethod, "GET"}}));
  EXPECT_TRUE(asks({origin, {kMethod, "HEAD"}}));
  EXPECT_FALSE(asks({origin, {kMethod, "GET"}}, Method::kGet));
  EXPECT_FALSE(asks({origin}));
  EXPECT_FALSE(asks({{kMethod, "GET"}}));
  EXPECT_FALSE(asks({origin, origin, {kMethod, "GET"}}));
  EXPECT_FALSE(asks({origin, {kMethod, "GET"}, {kMethod, "POST"}}));
  for (const char* const method : {"POST", "PUT", "DELETE", "PATCH", "get", "OPTIONS", "*", ""}) {
    EXPECT_FALSE(asks({origin, {kMethod, method}})) << method;
  }
}

}  // namespace
}  // namespace courant::http
