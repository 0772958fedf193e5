// Deletion of a workspace, by command and through the API: only where it has no feeds, and on all servers.
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/any_query.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"
#include "tests/support/tokens.h"
#include "tests/support/wait_until.h"

namespace courant::test::workspace_deletion_test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kJson = "Content-Type: application/json\r\n";

class WorkspaceDeletionTest : public testing::Test {
 protected:
  void make(const std::string& workspace) {
    const Reply made = client_.put("/-/manage/workspaces/" + workspace,
                                   R"({"auto_create": true, "max_bytes": 1000000})", as_admin_ + kJson);
    ASSERT_EQ(made.status, 201) << made.body;
  }
  Reply remove(const std::string& path) { return client_.remove("/-/manage" + path, as_admin_); }
  int publish(const CourantServer& server, const std::string& feed) {
    return HttpClient(server.port())
        .post(feed, "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>x</content></entry>",
              as_admin_)
        .status;
  }
  std::int64_t number_of(const std::string& query) { return test::number_of(session_, query); }
  std::string audit() { return client_.get("/_courant/audit?format=cloudevents&limit=100", as_admin_).body; }

  TestDatabase database_;
  sql::Session session_{database_.url()};
  Tokens tokens_{database_.url()};
  const std::string as_admin_ = bearer(tokens_.make("admin", "admin,publish,read", "*"));
  CourantServer server_{with_tokens(database_.url())};
  CourantServer other_{with_tokens(database_.url())};
  HttpClient client_{server_.port(), false};
};

TEST_F(WorkspaceDeletionTest, ByTheApiWhereItHasNoFeeds) {
  make("plant");
  ASSERT_TRUE(wait_until([&] { return publish(other_, "/plant/line") == 201; }));
  ASSERT_EQ(publish(other_, "/plant/spare"), 201);
  EXPECT_EQ(remove("/workspaces/plant").status, 428);
  EXPECT_EQ(remove("/workspaces/plant?confirm=news").status, 428);
  const Reply refused = remove("/workspaces/plant?confirm=plant");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("the workspace plant has feeds: delete them first: plant/line, plant/spare"));
  EXPECT_EQ(client_.get("/plant/line", as_admin_).status, 200);

  ASSERT_EQ(remove("/feeds/plant/line?confirm=plant/line").status, 204);
  ASSERT_EQ(remove("/feeds/plant/spare?confirm=plant/spare").status, 204);
  EXPECT_EQ(remove("/workspaces/plant?confirm=plant").status, 204);
  EXPECT_EQ(remove("/workspaces/plant?confirm=plant").status, 404) << "twice";
  EXPECT_EQ(client_.get("/-/manage/workspaces/plant", as_admin_).status, 404);
  for (const CourantServer* const server : {&server_, &other_}) {
    EXPECT_TRUE(wait_until([&] { return publish(*server, "/plant/line") == 404; }));
    EXPECT_TRUE(wait_until(
        [&] { return HttpClient(server->port()).get("/", as_admin_).body.find("plant") == std::string::npos; }));
  }
  EXPECT_EQ(number_of("select count(*) from feeds where workspace = 'plant' and deleted is null"), 0);
  EXPECT_TRUE(wait_until([&] { return audit().find("courant.audit.workspace-deleted") != std::string::npos; }));

  make("plant");
  EXPECT_TRUE(wait_until([&] { return publish(other_, "/plant/line") == 201; })) << "made again";
  EXPECT_EQ(client_.get("/plant/line", as_admin_).header("Feed-Position"), "2") << "its feeds go on counting";
}

TEST_F(WorkspaceDeletionTest, ByCommand) {
  make("plant");
  ASSERT_TRUE(wait_until([&] { return publish(server_, "/plant/line") == 201; }));
  const auto command = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"delete-workspace"};
    words.insert(words.end(), more.begin(), more.end());
    return tokens_.run(words);
  };
  const Ran refused = command({"plant", "--yes"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.output, HasSubstr("the workspace plant has feeds: delete them first: plant/line"));
  ASSERT_EQ(tokens_.run({"delete-feed", "plant/line", "--yes"}).status, 0);
  const Ran asked = command({"plant"});
  EXPECT_EQ(asked.status, 2);
  EXPECT_THAT(asked.output, HasSubstr("say --yes"));
  const Ran done = command({"plant", "--yes"});
  EXPECT_EQ(done.status, 0) << done.output;
  EXPECT_THAT(done.output, HasSubstr("A configuration file that names it makes it again"));
  EXPECT_TRUE(wait_until([&] { return publish(server_, "/plant/line") == 404; }));
  EXPECT_TRUE(wait_until([&] { return audit().find("courant.audit.workspace-deleted") != std::string::npos; }));
  const Ran twice = command({"plant", "--yes"});
  EXPECT_EQ(twice.status, 1);
  EXPECT_THAT(twice.output, HasSubstr("there is no workspace plant"));
  EXPECT_THAT(tokens_.run({"export"}).output, Not(HasSubstr("plant")));
}

// Of the workspaces of the file, one comes back with the next start; none does while servers run.
TEST_F(WorkspaceDeletionTest, OneOfTheFileComesBackAtTheNextStart) {
  ASSERT_EQ(remove("/workspaces/news?confirm=news").status, 204);
  EXPECT_TRUE(wait_until([&] { return publish(server_, "/news/events") == 404; }));
  server_.kill_and_restart();
  EXPECT_EQ(publish(server_, "/news/events"), 201);
  EXPECT_TRUE(wait_until([&] { return publish(other_, "/news/events") == 201; }));
}

TEST_F(WorkspaceDeletionTest, TheServersOwnStays) {
  ASSERT_TRUE(wait_until([&] { return audit().find("token-created") != std::string::npos; }));
  EXPECT_EQ(remove("/workspaces/_courant?confirm=_courant").status, 403);
  const Ran ran = tokens_.run({"delete-workspace", "_courant", "--yes"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.output, HasSubstr("what the server tells of itself"));
  EXPECT_EQ(client_.get("/_courant/audit", as_admin_).status, 200);
}

// However publishers of all servers and the deletion meet: no feed is left in a workspace that there is not.
TEST_F(WorkspaceDeletionTest, NoFeedIsMadeInOneThatIsGone) {
  for (int round = 0; round < 8; ++round) {
    const std::string name = "plant" + std::to_string(round);
    make(name);
    ASSERT_TRUE(wait_until([&] { return publish(other_, "/" + name + "/first") == 201; }));
    ASSERT_EQ(remove("/feeds/" + name + "/first?confirm=" + name + "/first").status, 204);
    std::atomic<bool> ends = false;
    std::vector<std::thread> publishers;
    for (const CourantServer* const server : {&server_, &other_}) {
      publishers.emplace_back([&, server] {
        for (int i = 0; !ends; ++i) {
          if (publish(*server, "/" + name + "/" + std::to_string(server->port()) + "-" + std::to_string(i)) == 404)
            return;
        }
      });
    }
    const int status = remove("/workspaces/" + name + "?confirm=" + name).status;
    EXPECT_THAT(status, testing::AnyOf(204, 409));
    ends = status == 409;
    for (std::thread& publisher : publishers) publisher.join();
    EXPECT_EQ(number_of("select count(*) from feeds f where deleted is null and workspace <> '_courant' and not exists "
                        "(select from workspaces w where w.name = f.workspace)"),
              0);
  }
}

}  // namespace
}  // namespace courant::test::workspace_deletion_test
