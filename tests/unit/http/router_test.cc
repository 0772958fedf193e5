#include "http/router.h"

#include <gtest/gtest.h>

#include "http/response_bytes.h"

namespace courant::http {
namespace {

Route route(const std::string& pattern, Method method, Need need) {
  return {pattern, method, nullptr, nullptr, nullptr, need};
}

TEST(Router, NamesARouteThatDoesNotSayWhatItNeeds) {
  Router router;
  router.add(route("/", Method::kGet, Need::kOwn));
  router.add(route("/{a}/{b}/c", Method::kGet, Need::kRead));
  EXPECT_EQ(router.undeclared(), std::nullopt);
  router.add(route("/{a}/{b}/c", Method::kPost, Need::kUndeclared));
  EXPECT_EQ(router.undeclared(), "/{a}/{b}/c");
}

TEST(Router, FindsTheRouteOfARequest) {
  Router router;
  router.add(route("/{a}", Method::kGet, Need::kList));
  router.add(route("/hub", Method::kPost, Need::kOwn));
  Request request;
  request.segments = {"x"};
  request.method = Method::kHead;
  ASSERT_NE(router.find(request), nullptr);
  EXPECT_EQ(router.find(request)->need, Need::kList);
  request.method = Method::kPost;
  EXPECT_EQ(router.find(request), nullptr);
  request.segments = {"hub"};
  EXPECT_EQ(router.find(request)->need, Need::kOwn);
  request.segments = {"x", "y"};
  EXPECT_EQ(router.find(request), nullptr);
}

TEST(MakePrivate, KeepsWhatWasSaidButThatItIsPublic) {
  Response composed;
  composed.head =
      compose_head(200, {{"ETag", "\"1\""}, {"Cache-Control", "public, max-age=9, immutable"}, {"Vary", "Accept"}});
  make_private(composed);
  EXPECT_NE(composed.head->find("\r\nCache-Control: private, max-age=9, immutable\r\n"), std::string::npos)
      << *composed.head;
  EXPECT_NE(composed.head->find("\r\nVary: Accept, Authorization\r\n"), std::string::npos) << *composed.head;
  Response plain;
  plain.with("cache-control", "no-cache");
  make_private(plain);
  EXPECT_EQ(plain.headers[0].second, "private, no-cache");
  EXPECT_EQ(plain.headers[1], std::pair(std::string("Vary"), std::string("Authorization")));
  Response bare;
  make_private(bare);
  make_private(bare);
  EXPECT_EQ(bare.headers[0], std::pair(std::string("Cache-Control"), std::string("private")));
  EXPECT_EQ(bare.headers[1].second, "Authorization");
}

}  // namespace
}  // namespace courant::http
