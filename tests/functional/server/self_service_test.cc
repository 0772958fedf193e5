// The page of a subscription: what its owner finds out there and changes, and that nobody else does.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "kernel/digest.h"
#include "tests/support/any_query.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/subscriber.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::self_service_test {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kForm = "Content-Type: application/x-www-form-urlencoded\r\n";
constexpr const char* kHtml = "Accept: text/html,*/*;q=0.5\r\n";

std::string entry(int number, const std::string& category = "c") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><category term='" + category + "'/><content>c</content></entry>";
}

class SelfServiceTest : public testing::Test {
 protected:
  SelfServiceTest() { serve(); }

  // Again: with other settings of [hub], in TOML.
  void serve(const std::string& hub = "callback_allow = ['127.0.0.0/8']") {
    stop();
    const std::string config = scratch("self_service.toml");
    std::ofstream(config) << "[hub]\nretry = ['0s', '50ms']\ndelivery_timeout = '1s'\n"
                          << hub << "\n[[workspaces]]\nname = 'demo'\nauto_create = true\n";
    server_ = std::make_unique<CourantServer>(
        std::vector<std::string>{"--database", database_.url(), "--config", config}, port_);
    client_ = std::make_unique<HttpClient>(server_->port());
  }
  void stop() {
    if (!server_) return;
    server_->process().signal(SIGTERM);
    EXPECT_EQ(server_->process().wait(), 0);
    server_.reset();
  }
  std::string topic(const std::string& more = {}) const { return server_->url() + "/demo/events" + more; }
  void publish(int number, const std::string& category = "c") {
    ASSERT_EQ(client_->post("/demo/events", entry(number, category)).status, 201) << number;
  }
  void publish_all(int first, int last) {
    for (int number = first; number <= last; ++number) publish(number);
  }
  // Asks, waits until it is verified, and gives the path of the page that its callback was told.
  std::string subscribe(const Subscriber& subscriber, const std::string& more = {}) {
    const std::size_t before = subscriber.verifications().size();
    EXPECT_EQ(subscriber.ask(*server_, "subscribe", topic(), more), 202);
    EXPECT_TRUE(subscriber.wait_until([&] {
      return subscriber.verifications().size() > before && number_of("select count(*) from hub_requests") == 0;
    }));
    return page_of(subscriber.verifications().back());
  }
  static std::string page_of(const SinkRequest& verification) {
    const std::string url = verification.header("Subscription-Page").value_or("http://none/none");
    return url.substr(url.find('/', url.find("//") + 2));
  }
  json state(const std::string& page) {
    const Reply reply = client_->get(page);
    if (reply.status != 200) throw std::runtime_error("no page: " + std::to_string(reply.status) + reply.body);
    return json::parse(reply.body);
  }
  // Asks for a change, and waits until it has been taken up.
  json change(const std::string& page, const std::string& form) {
    const Reply reply = client_->post(page, form, kForm);
    EXPECT_EQ(reply.status, 200) << form << ": " << reply.body;
    json seen;
    EXPECT_TRUE(wait_until([&] {
      seen = state(page);
      return seen["waiting"].empty();
    })) << form
        << ": " << seen;
    return seen;
  }
  int status_of(const std::string& page, const std::string& form) { return client_->post(page, form, kForm).status; }
  sql::Rows rows_of(const std::string& query) { return test::rows_of(session_, query); }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  bool wait_for_error(const std::string& page, const std::string& words) {
    return wait_until([&] {
      const json seen = state(page);
      return seen["state"] == "failing" && seen["explanation"].get<std::string>().find(words) != std::string::npos;
    });
  }

  const int port_ = free_port();
  TestDatabase database_;
  sql::Session session_{database_.url()};
  std::unique_ptr<CourantServer> server_;
  std::unique_ptr<HttpClient> client_;
};

TEST_F(SelfServiceTest, OnlyTheCallbackIsToldThePage) {
  publish(1);
  Subscriber subscriber;
  const std::string form = "hub.mode=subscribe&hub.topic=" + percent_encode(topic()) +
                           "&hub.callback=" + percent_encode(subscriber.callback());
  const Reply asked = client_->post("/hub", form, kForm);
  EXPECT_EQ(asked.status, 202);
  EXPECT_THAT(asked.head + asked.body, Not(HasSubstr("/hub/s/")));
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  const std::string page = page_of(subscriber.verifications().at(0));
  EXPECT_EQ(page.size(), std::string("/hub/s/").size() + 43);
  EXPECT_EQ(number_of("select count(*) from subscriptions where position('" + page.substr(7) +
                      "' in subscriptions::text) > 0"),
            0)
      << "what is kept does not lead to the page";

  const Reply shown = client_->get(page);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.header("Content-Type"), "application/json");
  EXPECT_EQ(shown.header("Cache-Control"), "no-store");
  EXPECT_EQ(shown.header("Referrer-Policy"), "no-referrer");
  const json seen = json::parse(shown.body);
  EXPECT_EQ(seen["state"], "current");
  EXPECT_EQ(seen["topic"], topic());
  EXPECT_EQ(seen["callback"], subscriber.callback());
  EXPECT_EQ(seen["cursor"], 1);
  EXPECT_EQ(seen["lag_entries"], 0);
  EXPECT_EQ(seen["lag_seconds"], 0);
  EXPECT_TRUE(seen["last_success"].is_null());

  publish(2);
  ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == 2; }));
  EXPECT_EQ(state(page)["last_success"]["to"], 2);
}

// The page of before is good until the new one is confirmed, and no longer.
TEST_F(SelfServiceTest, EachVerificationTellsANewPage) {
  publish(1);
  std::atomic<bool> checks{false};
  std::string first, second;
  int first_meanwhile = 0, second_meanwhile = 0;
  Subscriber* that = nullptr;
  Subscriber subscriber(nullptr, [&] {
    if (!checks) return;
    second = page_of(that->verifications().back());
    HttpClient other(server_->port());
    first_meanwhile = other.get(first).status;
    second_meanwhile = other.get(second).status;
  });
  that = &subscriber;
  first = subscribe(subscriber);
  checks = true;
  EXPECT_EQ(subscribe(subscriber), second);
  EXPECT_NE(first, second);
  EXPECT_EQ(first_meanwhile, 200);
  EXPECT_EQ(second_meanwhile, 404);
  EXPECT_EQ(client_->get(first).status, 404);
  EXPECT_EQ(client_->get(second).status, 200);
}

TEST_F(SelfServiceTest, WhoReadsThePageFindsOutWhyNothingComes) {
  publish(1);
  std::atomic<int> status{500};
  Gate gate;
  std::atomic<bool> is_slow{false};
  Subscriber subscriber([&](const SinkRequest&) {
    if (is_slow) gate.wait();
    return SinkReply{.status = status};
  });
  const GateOpener opener{gate};
  const std::string page = subscribe(subscriber);
  publish(2);
  EXPECT_TRUE(wait_for_error(page, "the callback answered 500")) << state(page);
  const json seen = state(page);
  EXPECT_EQ(seen["lag_entries"], 1);
  EXPECT_GE(seen["failures"], 1);
  EXPECT_EQ(seen["last_failures"].back()["error"], "the callback answered 500");

  is_slow = true;
  EXPECT_TRUE(wait_for_error(page, "no whole answer came in time")) << state(page);

  serve("callback_allow = ['192.0.2.0/24']");
  EXPECT_TRUE(wait_for_error(page, "no address that may be called")) << state(page);

  // What listens there speaks no TLS.
  stop();
  rows_of("update subscriptions set callback = replace(callback, 'http:', 'https:')");
  serve();
  EXPECT_TRUE(wait_for_error(page, "no trusted TLS connection")) << state(page);
}

TEST_F(SelfServiceTest, APausedSubscriptionGetsNothingAndThenEverythingInOrder) {
  publish(1);
  Subscriber paused, other;
  const std::string page = subscribe(paused);
  subscribe(other);
  EXPECT_EQ(change(page, "action=pause")["state"], "paused");
  publish_all(2, 6);
  ASSERT_TRUE(other.wait_until([&] { return other.positions().size() == 5; }));
  EXPECT_THAT(paused.deliveries(), IsEmpty());
  EXPECT_EQ(state(page)["lag_entries"], 5);
  server_->kill_and_restart();
  client_ = std::make_unique<HttpClient>(server_->port());
  publish(7);
  ASSERT_TRUE(other.wait_until([&] { return !other.positions().empty() && other.positions().back() == 7; }));
  EXPECT_THAT(paused.deliveries(), IsEmpty()) << "also after a restart";
  change(page, "action=resume");
  ASSERT_TRUE(paused.wait_until([&] { return paused.positions().size() == 6; }));
  EXPECT_THAT(paused.positions(), ElementsAre(2, 3, 4, 5, 6, 7));
}

TEST_F(SelfServiceTest, ATestIsSignedAndMovesNothing) {
  publish(1);
  std::atomic<int> status{500};
  Subscriber subscriber([&](const SinkRequest&) { return SinkReply{.status = status}; });
  const std::string page = subscribe(subscriber, "&hub.secret=shh");
  change(page, "action=test");
  ASSERT_TRUE(wait_until([&] { return state(page)["last_failures"].size() == 1; }));
  EXPECT_EQ(state(page)["failures"], 0) << "deliveries are not put off for it";
  status = 204;
  change(page, "action=test");
  ASSERT_TRUE(wait_until([&] { return state(page)["last_success"].is_object(); }));
  const std::vector<SinkRequest> tests = subscriber.deliveries();
  ASSERT_EQ(tests.size(), 2U);
  EXPECT_NE(tests[0].header("webhook-id"), tests[1].header("webhook-id"));
  for (const SinkRequest& test : tests) {
    EXPECT_THAT(test.header("webhook-id").value_or(""), HasSubstr("_test_"));
    EXPECT_EQ(test.header("Feed-Position"), "1");
    EXPECT_EQ(test.header("Feed-Position-Previous"), "1");
    EXPECT_EQ(test.header("Content-Type"), "application/atom+xml;type=feed;charset=utf-8");
    EXPECT_EQ(test.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "shh", test.body)));
    EXPECT_THAT(test.body, Not(HasSubstr("<entry")));
  }
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 1; }));
  EXPECT_EQ(subscriber.deliveries().back().header("Feed-Position-Previous"), "1");
}

TEST_F(SelfServiceTest, AReplayBringsEverythingAfterAPositionAgain) {
  publish_all(1, 2);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  publish(3);
  publish(4);
  ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == 4; }));
  const std::size_t before = subscriber.deliveries().size();
  change(page, "action=replay&position=1");
  ASSERT_TRUE(subscriber.wait_until([&] {
    const std::vector<SinkRequest> deliveries = subscriber.deliveries();
    return deliveries.size() > before && deliveries.back().header("Feed-Position") == "4";
  }));
  EXPECT_EQ(subscriber.deliveries().at(before).header("Feed-Position-Previous"), "1");
  EXPECT_THAT(subscriber.positions(), ElementsAre(3, 4, 2, 3, 4));
  EXPECT_EQ(status_of(page, "action=replay&position=5"), 400) << "not forward";
  EXPECT_EQ(status_of(page, "action=replay"), 400);
  EXPECT_EQ(status_of(page, "action=replay&position=-1"), 400);
}

// Also while a document is under way, which must not undo it.
TEST_F(SelfServiceTest, AReplayWaitsForTheDocumentThatIsUnderWay) {
  publish_all(1, 2);
  Gate gate;
  Subscriber subscriber(one_waits_at(gate, 2));
  const GateOpener opener{gate};
  const std::string page = subscribe(subscriber);
  publish(3);
  ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == 3; }));
  publish(4);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  EXPECT_EQ(status_of(page, "action=replay&position=0"), 200);
  gate.open();
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == 6; }));
  EXPECT_THAT(subscriber.positions(), ElementsAre(3, 4, 1, 2, 3, 4));
}

TEST_F(SelfServiceTest, ReplayReachesNoFurtherBackThanWhatIsKept) {
  publish_all(1, 3);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  rows_of("update feeds set floor_position = 2");
  rows_of("delete from entries where position <= 2");
  EXPECT_EQ(state(page)["kept_after"], 2);
  const Reply refused = client_->post(page, "action=replay&position=1", kForm);
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("from 2 to 3"));
}

TEST_F(SelfServiceTest, EntriesAreGatheredAndSentTogether) {
  publish(1);
  Subscriber gathering, prompt;
  const std::string page = subscribe(gathering);
  subscribe(prompt);
  EXPECT_EQ(change(page, "action=pace&documents_per_minute=0&gather_seconds=2")["gather_seconds"], 2);
  for (int number = 2; number <= 5; ++number) {
    publish(number);
    ASSERT_TRUE(prompt.wait_until([&] { return prompt.positions().size() == static_cast<std::size_t>(number - 1); }));
  }
  ASSERT_TRUE(gathering.wait_until([&] { return gathering.positions().size() == 4; }));
  EXPECT_LT(gathering.deliveries().size(), prompt.deliveries().size());
  EXPECT_THAT(gathering.positions(), ElementsAre(2, 3, 4, 5));
}

TEST_F(SelfServiceTest, NoMoreDocumentsAMinuteThanWanted) {
  publish(1);
  Subscriber slow, prompt;
  const std::string page = subscribe(slow);
  subscribe(prompt);
  change(page, "action=pace&documents_per_minute=1&gather_seconds=0");
  for (int number = 2; number <= 5; ++number) {
    publish(number);
    ASSERT_TRUE(prompt.wait_until([&] { return prompt.positions().size() == static_cast<std::size_t>(number - 1); }));
  }
  ASSERT_TRUE(slow.wait_until([&] { return slow.deliveries().size() == 1; }));
  EXPECT_THAT(state(page)["explanation"].get<std::string>(), HasSubstr("1 documents a minute"));
  change(page, "action=pace&documents_per_minute=0&gather_seconds=0");
  ASSERT_TRUE(slow.wait_until([&] { return slow.positions().size() == 4; })) << "at once, when it is taken back";
  for (const char* const form : {"action=pace", "action=pace&documents_per_minute=1&gather_seconds=3601",
                                 "action=pace&documents_per_minute=-1&gather_seconds=0",
                                 "action=pace&documents_per_minute=1e9&gather_seconds=0"}) {
    EXPECT_EQ(status_of(page, form), 400) << form;
  }
}

// X-Hub-Signature has room for one signature: that of the old secret, which whoever checks it knows.
TEST_F(SelfServiceTest, WhileSecretsOverlapBothSign) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber, "&hub.secret=old");
  const json seen = change(page, "action=secret&secret=new&overlap_seconds=3600");
  EXPECT_TRUE(seen["old_secret_until"].is_string());
  EXPECT_THAT(client_->get(page).body, Not(HasSubstr("\"new\"")));
  const auto signatures = [](const SinkRequest& delivery, const std::vector<std::string>& secrets) {
    std::string all;
    for (const std::string& secret : secrets) {
      all += (all.empty() ? "v1," : " v1,") +
             to_base64(hmac(
                 HmacAlgorithm::kSha256, secret,
                 *delivery.header("webhook-id") + "." + *delivery.header("webhook-timestamp") + "." + delivery.body));
    }
    return all;
  };
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 1; }));
  const SinkRequest both = subscriber.deliveries()[0];
  EXPECT_EQ(both.header("webhook-signature"), signatures(both, {"new", "old"}));
  EXPECT_EQ(both.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "old", both.body)));
  change(page, "action=retire-secret");
  publish(3);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 2; }));
  const SinkRequest after = subscriber.deliveries()[1];
  EXPECT_EQ(after.header("webhook-signature"), signatures(after, {"new"}));
  EXPECT_EQ(after.header("X-Hub-Signature"), "sha256=" + to_hex(hmac(HmacAlgorithm::kSha256, "new", after.body)));

  change(page, "action=secret&secret=newer&overlap_seconds=1");
  ASSERT_TRUE(wait_until([&] { return state(page)["old_secret_until"].is_null(); })) << "the time is over";
  publish(4);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 3; }));
  EXPECT_EQ(subscriber.deliveries()[2].header("webhook-signature"), signatures(subscriber.deliveries()[2], {"newer"}));
  EXPECT_EQ(status_of(page, "action=secret&secret=" + std::string(200, 's')), 400);
  EXPECT_EQ(status_of(page, "action=secret"), 400);
  EXPECT_EQ(number_of("select count(*) from subscriptions where position('newer'::bytea in secret) > 0"), 0);
}

// A renewal by the hub brings no secret of its own.
TEST_F(SelfServiceTest, ARenewalKeepsWhatTheOwnerHasSet) {
  publish(1);
  serve("callback_allow = ['127.0.0.0/8']\nlease_min = '1s'");
  Subscriber subscriber;
  const std::string page = subscribe(subscriber, "&hub.secret=old&hub.lease_seconds=20&hub.verify=async");
  change(page, "action=pace&documents_per_minute=0&gather_seconds=1");
  change(page, "action=secret&secret=new&overlap_seconds=0");
  ASSERT_TRUE(subscriber.wait_until(
      [&] { return subscriber.verifications().size() == 2 && number_of("select count(*) from hub_requests") == 0; }));
  publish(2);
  ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.deliveries().size() == 1; }));
  const SinkRequest delivery = subscriber.deliveries()[0];
  EXPECT_EQ(delivery.header("X-Hub-Signature"), "sha1=" + to_hex(hmac(HmacAlgorithm::kSha1, "new", delivery.body)));
  EXPECT_EQ(state(page_of(subscriber.verifications().at(1)))["gather_seconds"], 1);
}

TEST_F(SelfServiceTest, AFilterIsTriedOutAndThenChangedAtAPosition) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  for (int number = 2; number <= 7; ++number) publish(number, number % 2 == 0 ? "even" : "odd");
  ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == 7; }));
  const json tried = state(page + "/preview?search=%2Beven&from=1&to=6")["preview"];
  EXPECT_EQ(tried["entries"], 3);
  EXPECT_EQ(tried["from"], 1);
  EXPECT_EQ(tried["to"], 6);
  EXPECT_THAT(tried["first"].get<std::vector<std::string>>(), ElementsAre("urn:x:2", "urn:x:4", "urn:x:6"));
  EXPECT_EQ(state(page + "/preview?search=")["preview"]["entries"], 7);
  EXPECT_EQ(client_->get(page + "/preview?search=bad").status, 400);
  EXPECT_EQ(client_->get(page + "/preview?search=%2Beven&to=8").status, 400);

  // Up to 9 everything comes, behind it what is even.
  EXPECT_EQ(status_of(page, "action=filter&search=%2Beven&position=9"), 200);
  // A later change that has been taken up shows that the hub knows of the one before it.
  EXPECT_EQ(status_of(page, "action=pace&documents_per_minute=0&gather_seconds=0"), 200);
  ASSERT_TRUE(wait_until([&] { return state(page)["waiting"] == json::array({"filter"}); }));
  for (int number = 8; number <= 13; ++number) publish(number, number % 2 == 0 ? "even" : "odd");
  ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == 13; }));
  EXPECT_THAT(subscriber.positions(), ElementsAre(2, 3, 4, 5, 6, 7, 8, 9, 10, 12));
  const json seen = state(page);
  EXPECT_EQ(seen["topic"], topic("?search=%2Beven"));
  EXPECT_THAT(seen["waiting"], IsEmpty());
  int previous = 1;
  for (const SinkRequest& delivery : subscriber.deliveries()) {
    EXPECT_EQ(delivery.header("Feed-Position-Previous"), std::to_string(previous));
    previous = std::stoi(delivery.header("Feed-Position").value_or("0"));
  }

  // At once, and back.
  change(page, "action=filter&search=");
  ASSERT_TRUE(wait_until([&] { return state(page)["topic"] == topic(); }));
  publish(14, "odd");
  ASSERT_TRUE(wait_until([&] { return !subscriber.positions().empty() && subscriber.positions().back() == 14; }));
  EXPECT_EQ(number_of("select count(*) from hub_changes"), 0);
}

TEST_F(SelfServiceTest, AFilterThatIsSubscribedToAlreadyIsAConflict) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic("?search=%2Beven")), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select count(*) from subscriptions") == 2; }));
  EXPECT_EQ(status_of(page, "action=filter&search=%2Beven"), 409);
  EXPECT_EQ(status_of(page, "action=filter&search="), 400) << "it has none";
  EXPECT_EQ(status_of(page, "action=filter&search=bad"), 400);
  EXPECT_EQ(status_of(page, "action=filter"), 400);
}

// Each process answers for all subscriptions, whoever delivers them.
TEST_F(SelfServiceTest, TheProcessThatIsAskedNeedNotBeTheOneThatDelivers) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  CourantServer other({"--database", database_.url(), "--public-url", server_->url()});
  ASSERT_TRUE(wait_until([&] {
    return number_of("select count(*) from hub_shards where owner <> ''") == 64 &&
           number_of("select count(distinct owner) from hub_shards") == 2;
  }));
  for (const int port : {server_->port(), other.port()}) {
    HttpClient client(port);
    const auto change_there = [&](const std::string& form) {
      EXPECT_EQ(client.post(page, form, kForm).status, 200) << form;
      EXPECT_TRUE(wait_until([&] { return state(page)["waiting"].empty(); }));
    };
    const std::size_t before = subscriber.positions().size();
    const int next = static_cast<int>(number_of("select max(position) from " + kPublished)) + 1;
    change_there("action=pause");
    publish(next);
    change_there("action=resume");
    ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == before + 1; }));
    ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == next; }));
    EXPECT_EQ(json::parse(client.get(page).body)["cursor"], next);
    change_there("action=replay&position=" + std::to_string(next - 1));
    ASSERT_TRUE(subscriber.wait_until([&] { return subscriber.positions().size() == before + 2; }));
    ASSERT_TRUE(wait_until([&] { return state(page)["cursor"] == next; }));
  }
}

TEST_F(SelfServiceTest, WhoDoesNotKnowTheTokenLearnsNothing) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  const std::string token = page.substr(7);
  std::string other = token;
  other[0] = other[0] == 'A' ? 'B' : 'A';
  std::string answer;
  for (const std::string& wrong :
       {other, token + "A", token.substr(1), std::string(43, '.'), std::string(43, '*'), std::string("%00") + token,
        std::string(5000, 'A'), "%27" + token.substr(1), token.substr(0, 42) + "%C3%A4"}) {
    const Reply got = client_->get("/hub/s/" + wrong);
    EXPECT_THAT(got.status, testing::AnyOf(404, 400, 414, 431)) << wrong;
    EXPECT_EQ(client_->post("/hub/s/" + wrong, "action=pause", kForm).status, got.status) << wrong;
    EXPECT_EQ(client_->get("/hub/s/" + wrong + "/preview?search=").status, got.status) << wrong;
    if (got.status != 404) continue;
    const std::string detail = json::parse(got.body)["detail"];
    if (answer.empty()) answer = detail;
    EXPECT_EQ(detail, answer) << wrong;
  }
  EXPECT_EQ(client_->get("/hub/s/").status, 404);
  EXPECT_EQ(client_->get("/hub/s/" + token + "/more").status, 404);
  EXPECT_EQ(state(page)["state"], "current");
}

TEST_F(SelfServiceTest, OtherMethodsAndFormsAreRefused) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  EXPECT_EQ(client_->put(page, "action=pause", kForm).status, 405);
  EXPECT_EQ(client_->put(page, "").header("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(client_->remove(page).status, 405);
  RawClient head(static_cast<std::uint16_t>(server_->port()));
  head.send("HEAD " + page + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = head.read_all();
  EXPECT_EQ(answer.find("HTTP/1.1 200 "), 0U);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
  EXPECT_EQ(client_->post(page, "{}", "Content-Type: application/json\r\n").status, 415);
  EXPECT_EQ(client_->post(page, "action=dance", kForm).status, 400);
  EXPECT_EQ(client_->post(page, "", kForm).status, 400);
  EXPECT_EQ(client_->post(page, "action=%zz", kForm).status, 400);
  EXPECT_EQ(client_->post(page, "action=pause&x=" + std::string(100'000, 'x'), kForm).status, 413);
  EXPECT_EQ(client_->get(page, "Accept: image/png\r\n").status, 406);
  EXPECT_EQ(client_->post(page, "action=pause", std::string(kForm) + "Origin: https://evil.example\r\n").status, 403);
  EXPECT_EQ(state(page)["state"], "current");
}

TEST_F(SelfServiceTest, PeopleGetAPageWithForms) {
  publish(1);
  Subscriber subscriber([](const SinkRequest&) { return SinkReply{.status = 500}; });
  const std::string page = subscribe(subscriber);
  publish(2);
  ASSERT_TRUE(wait_for_error(page, "500"));
  const Reply shown = client_->get(page, kHtml);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.header("Content-Type"), "text/html; charset=utf-8");
  EXPECT_EQ(shown.header("Cache-Control"), "no-store");
  // Fetch: under no-referrer a form is sent with "Origin: null", which is no origin of ours.
  EXPECT_EQ(shown.header("Referrer-Policy"), "same-origin");
  EXPECT_THAT(shown.header("Content-Security-Policy"), HasSubstr("default-src 'none'"));
  EXPECT_THAT(shown.header("Content-Security-Policy"), HasSubstr("form-action 'self'"));
  EXPECT_THAT(shown.body, HasSubstr("the callback answered 500"));
  EXPECT_THAT(shown.body, HasSubstr("<form method=\"post\" action=\"" + server_->url() + page + "\">"));
  const Reply paused =
      client_->post(page, "action=pause", std::string(kForm) + kHtml + "Origin: " + server_->url() + "\r\n");
  EXPECT_EQ(paused.status, 303);
  EXPECT_EQ(paused.header("Location"), server_->url() + page);
  EXPECT_THAT(client_->get(page, kHtml).body, HasSubstr("value=\"resume\""));
  EXPECT_THAT(client_->get(page + "/preview?search=%2Bc", kHtml).body, HasSubstr("<li>urn:x:1</li>"));
}

// The browser says from where the form was sent, which the server must take for its own page.
TEST_F(SelfServiceTest, AButtonPressedInABrowserWorks) {
  publish(1);
  Subscriber subscriber;
  const std::string page = subscribe(subscriber);
  const std::string output = scratch("self-service-browser.txt");
  const std::string profile = scratch("self-service-browser");
  std::filesystem::remove(output);
  std::filesystem::remove_all(profile);
  Process browser({"/usr/bin/python3", COURANT_SOURCE_DIR "/tests/support/browser_press.py", server_->url() + page,
                   profile, "pause"},
                  output);
  EXPECT_EQ(browser.wait(), 0);
  EXPECT_THAT(contents_of(output), HasSubstr("heading Subscription: paused"));
  EXPECT_EQ(state(page)["state"], "paused");
}

TEST_F(SelfServiceTest, NothingOfOthersTakesEffectOnThePage) {
  const std::string evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%26x=%27";
  publish(1);
  Subscriber subscriber;
  const std::string filter = "?search=%2B%3Cscript%3Ealert(1)%3C/script%3E%22%26";
  ASSERT_EQ(subscriber.ask(*server_, "subscribe", topic(filter), "", "cb?x=" + evil), 202);
  ASSERT_TRUE(subscriber.wait_until([&] { return number_of("select count(*) from subscriptions") == 1; }));
  const std::string page = page_of(subscriber.verifications().at(0));
  stop();  // a server writes back what it remembers of the subscription
  rows_of(
      "update subscriptions set callback = callback || '<script>\"', self = self || '\"><script>', record = "
      "'{\"failures\":[{\"ended\":\"2026-01-01T00:00:00Z\",\"status\":500,\"latency_ms\":1,"
      "\"error\":\"<script>alert(1)</script>\",\"bytes\":1,\"from\":1,\"to\":2}]}'");
  serve();
  for (const std::string& path : {page, page + "/preview?search=%2B%22%3E%3Cscript%3Ealert(1)%3C/script%3E"}) {
    const Reply shown = client_->get(path, kHtml);
    EXPECT_EQ(shown.status, 200) << shown.body;
    EXPECT_THAT(shown.body, Not(HasSubstr("<script")));
    EXPECT_THAT(shown.body, HasSubstr("&lt;script&gt;"));
  }
  EXPECT_EQ(state(page)["last_failures"][0]["error"], "<script>alert(1)</script>");
}

}  // namespace
}  // namespace courant::test::self_service_test
