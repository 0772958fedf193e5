// What a publisher sends can never run in our origin (docs/API.md, "HTTP itself"): nosniff (the Fetch standard), a
// policy that allows nothing (Content Security Policy 3), media as attachments (RFC 6266).
#include "kernel/digest.h"
#include "tests/conformance/server/wire.h"

namespace courant::test::content_policy_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kNothing = "default-src 'none'; sandbox";

class ContentPolicy : public Wire {
 protected:
  ContentPolicy() {
    serve({.workspace = "page_size = 2\n"});
    for (const std::string id : {"1", "2", "3"}) EXPECT_EQ(publish(id), 201);
  }

  static int count_of(const Http2Answer& answer, const std::string& name) {
    int count = 0;
    for (const auto& [field, value] : answer.headers) count += field == name ? 1 : 0;
    return count;
  }
  static void expect_inert(const Http2Answer& answer, const std::string& what) {
    EXPECT_EQ(answer.header("x-content-type-options"), "nosniff") << what;
    EXPECT_EQ(answer.header("content-security-policy"), kNothing) << what;
    EXPECT_EQ(count_of(answer, "content-security-policy"), 1) << what;
  }
};

TEST_F(ContentPolicy, WhatIsNotOurHtmlIsInert) {
  for (const Way way : kWays) {
    for (const std::string path :
         {"/", "/demo", "/demo/events", "/demo/events?format=json", "/demo/events?format=rss", "/demo/events?limit=1",
          "/demo/events/entries/urn:x:1", "/demo/events/archive", "/demo/events/archive/1", "/demo/events/categories",
          "/-/health/live", "/-/health/ready", "/nowhere", "/demo/none", "/demo/events?marker=none", "/demo/../a"}) {
      const Http2Answer answer = ask(*server_, way, "GET", path);
      EXPECT_GE(answer.status, 200) << path << way;
      expect_inert(answer, path);
    }
    const std::string etag = ask(*server_, way, "GET", "/demo/events").header("etag");
    const Http2Answer unchanged = ask(*server_, way, "GET", "/demo/events", {{"if-none-match", etag}});
    EXPECT_EQ(unchanged.status, 304);
    // RFC 9111 section 3.2: what a 304 says replaces what is stored; a page would get the policy of what is no page.
    EXPECT_EQ(count_of(unchanged, "content-security-policy"), 0);
    EXPECT_EQ(unchanged.header("x-content-type-options"), "nosniff");
    expect_inert(ask(*server_, way, "HEAD", "/demo/events"), "HEAD");
    expect_inert(ask(*server_, way, "OPTIONS", "/demo/events"), "OPTIONS");
    expect_inert(ask(*server_, way, "POST", "/demo/events", {}, entry("4")), "POST");
    expect_inert(ask(*server_, way, "POST", "/demo/events", {}, "<entry>"), "422");
    expect_inert(ask(*server_, way, "DELETE", "/demo/events/entries/urn:x:4"), "DELETE");
    expect_inert(ask(*server_, way, "BREW", "/"), "501");
  }
  RawClient client(server_->port());
  client.send(get_of("/demo/events?format=events"));
  expect_inert(read_answer(client.read_response()), "events");
}

// Our own pages have no script, so none is allowed: also not one that a publisher might get past the sanitiser.
TEST_F(ContentPolicy, OurHtmlRunsNoScript) {
  for (const Way way : kWays) {
    for (const std::string path : {"/", "/demo", "/demo/events/archive", "/demo/events/entries/urn:x:1", "/nowhere"}) {
      const Http2Answer page = ask(*server_, way, "GET", path, {{"accept", "text/html"}});
      EXPECT_THAT(page.header("content-type"), StartsWith("text/html")) << path;
      EXPECT_EQ(page.header("x-content-type-options"), "nosniff");
      EXPECT_THAT(page.header("content-security-policy"), StartsWith("default-src 'none';"));
      EXPECT_THAT(page.header("content-security-policy"), Not(HasSubstr("script-src"))) << path;
      EXPECT_THAT(page.header("content-security-policy"), Not(HasSubstr("unsafe"))) << path;
      EXPECT_THAT(page.body, Not(HasSubstr("<script"))) << path;
      EXPECT_THAT(page.body, Not(HasSubstr("<style"))) << path;
    }
  }
}

// The page of a feed has one that follows it, which is known by its digest: also not a file runs there that a publisher
// has put on this server.
TEST_F(ContentPolicy, APageOfAFeedRunsOneScript) {
  const std::string script = ask(*server_, Way::kPlain, "GET", "/-/live.js").body;
  const std::string digest = "sha256-" + to_base64(bytes_of(sha256(script)));
  for (const Way way : kWays) {
    for (const std::string path : {"/demo/events", "/demo/events/archive/1?format=html", "/demo/events?limit=1"}) {
      Http2Answer page = ask(*server_, way, "GET", path, {{"accept", "text/html"}});
      const std::string policy = page.header("content-security-policy");
      EXPECT_THAT(policy, StartsWith("default-src 'none';")) << path;
      EXPECT_THAT(policy, HasSubstr("; script-src '" + digest + "'; connect-src 'self';")) << path;
      EXPECT_THAT(policy, HasSubstr("require-trusted-types-for 'script'")) << path;
      EXPECT_THAT(policy, Not(HasSubstr("unsafe"))) << path;
      const bool is_live = path.find("archive") == std::string::npos;
      EXPECT_EQ(page.body.find("integrity=\"" + digest + "\"") != std::string::npos, is_live) << path;
      const Http2Answer unchanged =
          ask(*server_, way, "GET", path, {{"accept", "text/html"}, {"if-none-match", page.header("etag")}});
      EXPECT_EQ(unchanged.status, 304) << path;
      EXPECT_EQ(unchanged.header("content-security-policy"), policy) << "caches take over what a 304 says: " << path;
    }
  }
}

// Whatever type a publisher gives it, even that of a page.
TEST_F(ContentPolicy, MediaAreAttachments) {
  for (const std::string type :
       {"image/png", "text/html", "image/svg+xml", "application/xhtml+xml", "text/javascript"}) {
    const Http2Answer posted =
        ask(*server_, Way::kPlain, "POST", "/media/files", {{"content-type", type}}, "<script>alert(1)</script>");
    ASSERT_EQ(posted.status, 201) << posted.body;
    const std::size_t at = posted.body.find("src=\"") + 5;
    const std::string media = WireServer::target_of(posted.body.substr(at, posted.body.find('"', at) - at));
    for (const Way way : kWays) {
      const Http2Answer answer = ask(*server_, way, "GET", media, {{"accept", "text/html"}});
      EXPECT_EQ(answer.status, 200) << type;
      EXPECT_THAT(answer.header("content-disposition"), StartsWith("attachment")) << type;
      expect_inert(answer, type);
    }
  }
}

}  // namespace
}  // namespace courant::test::content_policy_test
