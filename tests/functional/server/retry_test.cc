// Publishers whose connection dies, or whose database does: they send again, and nothing is lost or doubled.
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "kernel/digest.h"
#include "kernel/text.h"
#include "sql/database.h"
#include "tests/support/any_query.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/raw_client.h"
#include "tests/support/test_database.h"

namespace courant::test::retry_test {
namespace {

class RetryTest : public testing::Test {
 protected:
  static std::string entry(const std::string& id, const std::string& text = "c") {
    const std::string element = id.empty() ? "" : "<id>urn:x:" + id + "</id>";
    return "<entry xmlns='http://www.w3.org/2005/Atom'>" + element + "<title>t</title><content>" + text +
           "</content></entry>";
  }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  static std::string request(const std::string& body, const std::string& headers) {
    return "POST /demo/events HTTP/1.1\r\nHost: localhost\r\n" + headers +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

// The reply is cut at its first byte, its second, ...: the retry is answered with the one entry there is, at its
// position. With an id of the client's, and with an Idempotency-Key.
TEST_F(RetryTest, ACutAtAnyByteOfTheReplyLosesAndDoublesNothing) {
  for (const bool has_key : {false, true}) {
    const auto body_of = [has_key](std::size_t number) {
      return entry(has_key ? "" : "cut-" + std::to_string(number), std::to_string(number));
    };
    const auto headers_of = [has_key](std::size_t number) {
      return has_key ? "Idempotency-Key: k" + std::to_string(number) + "\r\n" : std::string();
    };
    const Reply whole = client_.post("/demo/events", body_of(100'000), headers_of(100'000));
    ASSERT_EQ(whole.status, 201);
    const std::size_t length = whole.head.size() + 2 + whole.body.size();
    std::int64_t position = std::stoll(whole.header("Feed-Position"));
    for (std::size_t cut = 0; cut <= length; ++cut) {
      {
        RawClient raw(static_cast<std::uint16_t>(server_.port()));
        raw.send(request(body_of(cut), headers_of(cut)));
        raw.read_bytes(std::min(cut, length - 64));  // the reply to a short number is a little shorter
      }
      const Reply retry = client_.post("/demo/events", body_of(cut), headers_of(cut));
      ASSERT_TRUE(retry.status == 200 || retry.status == 201) << retry.body;
      ASSERT_EQ(retry.header("Feed-Position"), std::to_string(++position)) << "cut after " << cut << " bytes";
    }
    EXPECT_EQ(number_of("select max(position) from " + kPublished), position);
    EXPECT_EQ(number_of("select count(*) from " + kPublished), position);
  }
}

// The request is cut at any byte: nothing is stored of it, or all, and the retry finds which.
TEST_F(RetryTest, ACutAtAnyByteOfTheRequestStoresAllOrNothing) {
  const std::size_t length = request(entry("r100"), "").size();
  std::int64_t position = 0;
  for (std::size_t cut = 0; cut <= length; ++cut) {
    const std::string id = "r" + std::to_string(cut);
    const std::string whole = request(entry(id), "");
    {
      RawClient raw(static_cast<std::uint16_t>(server_.port()));
      raw.send(whole.substr(0, std::min(cut, whole.size())));
    }
    const Reply retry = client_.post("/demo/events", entry(id));
    ASSERT_TRUE(retry.status == 200 || retry.status == 201) << retry.body;
    ASSERT_EQ(retry.header("Feed-Position"), std::to_string(++position));
  }
}

TEST_F(RetryTest, ARetryAfterEditsIsAnsweredWithTheFirstRevision) {
  const Reply first = client_.post("/demo/events", entry("1", "one"));
  ASSERT_EQ(first.status, 201);
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry("1", "two")).status, 200);
  const Reply retry = client_.post("/demo/events", entry("1", "one"));
  EXPECT_EQ(retry.status, 200);
  EXPECT_EQ(retry.header("Feed-Position"), "1");
  EXPECT_EQ(retry.header("Location"), first.header("Location"));
  EXPECT_EQ(retry.body, first.body);
  const Reply batch = client_.post(
      "/demo/events", "<feed xmlns='http://www.w3.org/2005/Atom'>" + entry("1", "one") + entry("2", "x") + "</feed>");
  EXPECT_EQ(batch.status, 200);
  EXPECT_NE(batch.body.find("position=\"1\""), std::string::npos);
  EXPECT_EQ(batch.body.find(">two<"), std::string::npos);
}

// "Overload: 503 with Retry-After, never a lost 201": the same where the database is away.
TEST_F(RetryTest, WhereTheDatabaseIsAwayPublishersAreToldWhenToComeBack) {
  ASSERT_EQ(client_.post("/demo/events", entry("1")).status, 201);
  const std::string name(session_.run({"name", "select current_database()::text"})[0].text(0));
  sql::Session admin(cluster_url());
  admin.execute_script("alter database " + name + " allow_connections false");
  admin.execute_script("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + name + "'");
  const Reply away = client_.post("/demo/events", entry("2"));
  EXPECT_EQ(away.status, 503) << away.body;
  EXPECT_NE(away.header("Retry-After"), "") << away.head;
  EXPECT_EQ(away.body.find("pg_"), std::string::npos);
  EXPECT_EQ(client_.get("/-/health/live").status, 200);
  admin.execute_script("alter database " + name + " allow_connections true");
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  Reply back = client_.post("/demo/events", entry("2"));
  while (back.status == 503 && std::chrono::steady_clock::now() < give_up)
    back = client_.post("/demo/events", entry("2"));
  EXPECT_TRUE(back.status == 201 || back.status == 200) << back.status << back.body;
  EXPECT_EQ(back.header("Feed-Position"), "2");
}

// PostgreSQL's backends are ended while they commit: whatever a publisher was told 2xx is there once, and what it was
// told 503 is there once when it has sent it again.
TEST_F(RetryTest, BackendsThatAreEndedInTheCommitLoseAndDoubleNothing) {
  constexpr int kPublishers = 8;
  constexpr int kKills = 12;
  constexpr int kEach = 150;  // by each publisher at least; they go on until so many backends were ended
  constexpr int kTooMany = 100 * kEach;
  std::atomic<int> stored = 0;
  std::atomic<int> kills = 0;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> publishers;
  for (int publisher = 0; publisher < kPublishers; ++publisher) {
    publishers.emplace_back([&, publisher] {
      HttpClient client(server_.port());
      for (int number = 0; number < kEach || (kills < kKills && number < kTooMany); ++number) {
        const std::string body = entry(std::to_string(publisher) + "-" + std::to_string(number));
        int status = 0;
        while (status != 201 && status != 200) {
          status = client.post("/demo/f" + std::to_string(number % 3), body).status;
          ASSERT_TRUE(status == 0 || status / 100 == 2 || status == 503) << status;
        }
        ++stored;
      }
    });
  }
  std::thread killer([&] {
    sql::Session session(database_.url());
    int killed_at = 0;
    while (!is_over) {
      std::this_thread::yield();
      if (stored < killed_at + 10) continue;
      const sql::Rows rows =
          session.run({"kill",
                       "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and "
                       "state = 'active' and query like '%from publish%(%' and pid <> pg_backend_pid() limit 1"});
      if (rows.empty()) continue;
      killed_at = stored;
      ++kills;
    }
  });
  for (std::thread& publisher : publishers) publisher.join();
  is_over = true;
  killer.join();
  EXPECT_EQ(number_of("select count(*) from entry_ids join feeds using (lane, feed) where workspace <> '_courant'"),
            stored);
  EXPECT_EQ(number_of("select count(*) from " + kPublished), stored);
  EXPECT_EQ(number_of("select count(*) from (select max(position) - count(*) as gap from entries "
                      "group by lane, feed) g where gap <> 0"),
            0);
  EXPECT_GE(kills, kKills);
}

// Kills a private cluster (immediate shutdown) while a call waits for its commit to be on the disk. False: there was
// none within a minute.
bool kill_in_the_commit(const std::string& folder) {
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < give_up) {
    try {
      sql::Session session("postgresql:///courant?host=" + folder + "/postgres&user=courant");
      while (std::chrono::steady_clock::now() < give_up) {
        const sql::Rows rows =
            session.run({"commits",
                         "select pid::bigint from pg_stat_activity where state = 'active' and query like '%from "
                         "publish%(%' and wait_event in ('WALSync', 'WALWrite')"});
        if (rows.empty()) continue;
        int postmaster = 0;
        std::ifstream(folder + "/postgres/cluster/postmaster.pid") >> postmaster;
        return postmaster > 1 && ::kill(postmaster, SIGQUIT) == 0;
      }
    } catch (const sql::Unavailable&) {
      std::this_thread::yield();  // it has not come back yet
    }
  }
  return false;
}

// The same where all of PostgreSQL dies at once, again and again: its server starts it anew.
TEST(PrivateClusterRetryTest, AClusterThatIsKilledInTheCommitLosesAndDoublesNothing) {
  constexpr int kPublishers = 8;
  constexpr int kKills = 3;
  const DataFolder folder;
  {
    CourantServer server({"--data", folder.path()});
    std::mutex mutex;
    std::map<std::string, std::string> answered;  // id -> position
    std::atomic<bool> is_over{false};
    const auto count = [&] {
      const std::lock_guard lock(mutex);
      return answered.size();
    };
    std::vector<std::thread> publishers;
    for (int publisher = 0; publisher < kPublishers; ++publisher) {
      publishers.emplace_back([&, publisher] {
        HttpClient client(server.port());
        for (int number = 0; !is_over; ++number) {
          const std::string id = "urn:x:" + std::to_string(publisher) + "-" + std::to_string(number);
          const std::string body =
              "<entry xmlns='http://www.w3.org/2005/Atom'><id>" + id + "</id><title>t</title></entry>";
          Reply reply;
          while (reply.status != 201 && reply.status != 200) {
            reply = client.post("/demo/events", body);
            ASSERT_TRUE(reply.status == 0 || reply.status / 100 == 2 || reply.status == 503) << reply.status;
          }
          const std::lock_guard lock(mutex);
          answered[id] = reply.header("Feed-Position");
        }
      });
    }
    for (int kill = 0; kill < kKills; ++kill) {
      for (const std::size_t enough = count() + 40; count() < enough;) std::this_thread::yield();
      EXPECT_TRUE(kill_in_the_commit(folder.path()));
    }
    is_over = true;  // each has its last entry answered yet, by the cluster that has come back
    for (std::thread& publisher : publishers) publisher.join();

    // The last answers may be from before the last kill.
    std::unique_ptr<sql::Session> session;
    for (const auto give_up = std::chrono::steady_clock::now() + kPatience; !session;) {
      try {
        session =
            std::make_unique<sql::Session>("postgresql:///courant?host=" + folder.path() + "/postgres&user=courant");
      } catch (const sql::Unavailable&) {
        ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "the cluster does not come back";
      }
    }
    const sql::Rows rows = rows_of(*session, "select position, id from " + kPublished + " order by position");
    ASSERT_EQ(rows.size(), static_cast<int>(answered.size())) << "every one was answered in the end";
    for (int i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(rows[i].integer(0), i + 1);
      EXPECT_EQ(answered[std::string(rows[i].text(1))], std::to_string(i + 1)) << rows[i].text(1);
    }
    const Ran ran = run_courant(
        {"verify", server.url() + "/demo/events", "--state", scratch("verified/killed-cluster.json"), "--forget"});
    EXPECT_EQ(ran.status, 0) << ran.output;
    server.process().signal(SIGTERM);
    EXPECT_EQ(server.process().wait(), 0);
  }
}

}  // namespace
}  // namespace courant::test::retry_test
