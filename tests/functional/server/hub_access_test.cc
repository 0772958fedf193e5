// Subscriptions of who has a token: what they take, what they get, and when they end.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/any_query.h"
#include "tests/support/courant_server.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::hub_access_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
constexpr const char* kMarker = "the-foreign-marker";

std::string entry(int number, const std::string& category, const std::string& words) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><category term='" + category + "'/><content>" + words + "</content></entry>";
}

class HubAccessTest : public testing::Test {
 protected:
  HubAccessTest() {
    all_ = tokens_.make("all", "read,publish,edit,subscribe", "*");
    EXPECT_TRUE(wait_until([&] { return client_.get("/closed/events", bearer(all_)).status == 404; }));
    publish(1, "tid:2", kMarker);
  }

  void publish(int number, const std::string& category, const std::string& words) {
    ASSERT_EQ(client_.post("/closed/events", entry(number, category, words), bearer(all_)).status, 201);
  }
  Reply ask(const std::string& mode, const std::string& topic, const Subscriber& subscriber,
            const std::string& fields) {
    const std::string form = "hub.mode=" + mode + "&hub.topic=" + percent_encode(topic) +
                             "&hub.callback=" + percent_encode(subscriber.callback());
    return client_.post("/hub", form, kForm + fields);
  }
  std::string topic(const std::string& more = {}) const { return server_.url() + "/closed/events" + more; }
  std::int64_t subscriptions() {
    sql::Session session(database_.url());
    return session.run({"test.subscriptions", "select count(*) from subscriptions"})[0].integer(0);
  }
  // A token that every server knows.
  std::string made(const std::string& name, const std::string& scopes, const std::string& on,
                   const std::vector<std::string>& more = {}) {
    std::string token = tokens_.make(name, scopes, on, more);
    EXPECT_TRUE(wait_until([&] {
      const int status = client_.get("/", bearer(token)).status;
      return status == 200;
    }));
    return token;
  }

  TestDatabase database_;
  Tokens tokens_{database_.url()};
  CourantServer server_{with_tokens(database_.url())};
  HttpClient client_{server_.port()};
  std::string all_;
};

TEST_F(HubAccessTest, WhatIsPrivateTakesATokenThatMaySubscribe) {
  const std::string reader = made("reader", "read", "closed/*");
  const std::string elsewhere = made("elsewhere", "read,subscribe", "other/*");
  const Subscriber subscriber;
  for (const char* const mode : {"subscribe", "unsubscribe"}) {
    const Reply stranger = ask(mode, topic(), subscriber, "");
    EXPECT_EQ(stranger.status, 401);
    EXPECT_THAT(stranger.head, HasSubstr("WWW-Authenticate: Bearer"));
    EXPECT_EQ(ask(mode, server_.url() + "/closed/nothing", subscriber, "").status, 401)
        << "and so is what is not there";
    const Reply may_not = ask(mode, topic(), subscriber, bearer(reader));
    EXPECT_EQ(may_not.status, 403);
    EXPECT_THAT(may_not.head, HasSubstr("scope=\"subscribe\""));
    const Reply hidden = ask(mode, topic(), subscriber, bearer(elsewhere));
    const Reply unknown = ask(mode, server_.url() + "/closed/nothing", subscriber, bearer(elsewhere));
    EXPECT_EQ(hidden.status, 403);
    EXPECT_THAT(hidden.body, HasSubstr("is not a topic of this hub"));
    EXPECT_EQ(unknown.status, 403);
    EXPECT_THAT(unknown.body, HasSubstr("is not a topic of this hub"));
  }
  for (const std::string& name : {topic(), server_.url() + "/closed/nothing"}) {
    const std::string ping = "hub.mode=publish&hub.url=" + percent_encode(name);
    EXPECT_EQ(client_.post("/hub", ping, kForm).status, 401);
    EXPECT_EQ(client_.post("/hub", ping, kForm + bearer(elsewhere)).status, 403);
  }
  EXPECT_EQ(ask("subscribe", topic(), subscriber, bearer(all_)).status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  publish(2, "tid:2", "x");
  EXPECT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); }));
}

TEST_F(HubAccessTest, WhatIsPublicTakesNone) {
  ASSERT_EQ(client_.post("/news/events", entry(1, "a", "x"), bearer(all_)).status, 201);
  const Subscriber subscriber;
  EXPECT_EQ(ask("subscribe", server_.url() + "/news/events", subscriber, "").status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  tokens_.make("whatever", "read", "*");
  ASSERT_EQ(client_.post("/news/events", entry(2, "a", "x"), bearer(all_)).status, 201);
  EXPECT_TRUE(subscriber.wait_until([&] { return !subscriber.deliveries().empty(); })) << "changes of tokens end none";
}

TEST_F(HubAccessTest, WhoSeesAPartIsPushedThatPart) {
  const std::string mine = made("mine", "read,subscribe", "closed/*", {"--filter", "cat=tid:1"});
  const Subscriber subscriber;
  ASSERT_EQ(ask("subscribe", topic("?search=%2Btid:1%2Btid:2"), subscriber, bearer(mine)).status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  publish(2, "tid:2", kMarker);
  publish(3, "tid:1", "mine");
  publish(4, "tid:2", kMarker);
  publish(5, "tid:1", "mine");
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{3, 5}; }));

  // The page that the callback was told of widens nothing.
  const std::string url = subscriber.verifications().back().header("Subscription-Page").value_or("");
  ASSERT_NE(url, "");
  const std::string page = url.substr(url.find("/hub/s/"));
  EXPECT_THAT(client_.get(page + "/preview?search=&from=0").body, Not(HasSubstr("urn:x:2")));
  EXPECT_THAT(client_.get(page + "/preview?search=%2Btid:2&from=0").body, Not(HasSubstr("urn:x:2")));
  ASSERT_EQ(client_.post(page, "action=filter&search=%2Btid:2", kForm).status, 200);
  ASSERT_TRUE(subscriber.wait_until([&] { return client_.get(page).body.find("search=%28AND") != std::string::npos; }))
      << client_.get(page).body;
  ASSERT_EQ(client_.post(page, "action=filter&search=", kForm).status, 200);
  ASSERT_TRUE(subscriber.wait_until([&] { return client_.get(page).body.find("%28AND") == std::string::npos; }));
  publish(6, "tid:2", kMarker);
  publish(7, "tid:1", "mine");
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions() == std::vector<int>{3, 5, 7}; }));
  for (const SinkRequest& delivery : subscriber.deliveries()) EXPECT_THAT(delivery.body, Not(HasSubstr(kMarker)));
}

TEST_F(HubAccessTest, ASubscriptionEndsWithItsToken) {
  CourantServer second(with_tokens(database_.url()));
  const std::string reader = made("reader", "read,subscribe", "closed/*");
  const Subscriber losing;
  const Subscriber staying;
  ASSERT_EQ(ask("subscribe", topic(), losing, bearer(reader)).status, 202);
  ASSERT_EQ(ask("subscribe", topic(), staying, bearer(all_)).status, 202);
  ASSERT_TRUE(losing.wait_until([&] { return subscriptions() == 2; }));
  tokens_.revoke("reader");
  ASSERT_TRUE(losing.wait_until([&] { return subscriptions() == 1; }));
  ASSERT_TRUE(losing.wait_until([&] { return losing.verifications().size() == 2; }));
  const std::string told = losing.verifications().back().target;
  EXPECT_THAT(told, HasSubstr("hub.mode=denied"));
  EXPECT_THAT(told, HasSubstr("hub.reason=access"));
  publish(2, "tid:2", kMarker);
  ASSERT_TRUE(staying.wait_until([&] { return !staying.deliveries().empty(); }));
  EXPECT_TRUE(losing.deliveries().empty());
  EXPECT_EQ(ask("subscribe", topic(), losing, bearer(reader)).status, 401);
}

TEST_F(HubAccessTest, ASubscriptionEndsWhenItsTokenExpires) {
  const std::string brief = made("brief", "read,subscribe", "closed/*", {"--expires", "10s"});
  const Subscriber subscriber;
  ASSERT_EQ(ask("subscribe", topic(), subscriber, bearer(brief)).status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriptions() == 0; }));
}

// As long as no process delivers, nobody ends the subscription; its page is nobody's, all the same.
TEST_F(HubAccessTest, ThePageOfASubscriptionIsGoneWithTheToken) {
  const std::string mine = made("mine", "read,subscribe", "closed/*", {"--filter", "cat=tid:1"});
  const Subscriber subscriber;
  ASSERT_EQ(ask("subscribe", topic(), subscriber, bearer(mine)).status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  const std::string url = subscriber.verifications().back().header("Subscription-Page").value_or("/hub/s/none");
  const std::string page = url.substr(url.find("/hub/s/"));
  const std::string config = scratch("delivers_nothing.toml");
  server_.process().signal(SIGTERM);
  server_.process().wait();
  std::string text = contents_of(COURANT_SOURCE_DIR "/tests/data/access.toml");
  text.insert(text.find("[hub]\n") + 6, "deliver = false\n");
  std::ofstream(config) << text;
  const CourantServer quiet(with_tokens(database_.url(), config));
  HttpClient client(quiet.port());
  ASSERT_EQ(client.get(page).status, 200);
  EXPECT_THAT(client.get(page + "/preview?search=%2Btid:2&from=0").body, Not(HasSubstr("urn:x:1")));
  tokens_.revoke("mine");
  ASSERT_TRUE(wait_until([&] { return client.get("/closed/events", bearer(mine)).status == 401; }));
  EXPECT_EQ(subscriptions(), 1);
  EXPECT_EQ(client.get(page).status, 404);
  for (const char* const search : {"", "%2Btid:2"}) {
    const Reply preview = client.get(page + "/preview?from=0&search=" + search);
    EXPECT_EQ(preview.status, 404) << search;
    EXPECT_THAT(preview.body, Not(HasSubstr("urn:x:1"))) << search;
  }
  for (const char* const action : {"action=filter&search=%2Btid:2", "action=pause", "action=test"}) {
    EXPECT_EQ(client.post(page, action, kForm).status, 404) << action;
  }
}

TEST_F(HubAccessTest, WhatIsLostWhileNothingRunsEndsWithTheStart) {
  const std::string reader = made("reader", "read,subscribe", "closed/*");
  const Subscriber subscriber;
  ASSERT_EQ(ask("subscribe", topic(), subscriber, bearer(reader)).status, 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriptions() == 1; }));
  server_.process().signal(SIGKILL);
  server_.process().wait();
  tokens_.revoke("reader");
  server_.start();
  EXPECT_TRUE(subscriber.wait_until([&] { return subscriptions() == 0; }));
}

}  // namespace
}  // namespace courant::test::hub_access_test
