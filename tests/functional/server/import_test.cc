#include <fstream>
#include <regex>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pugixml.hpp>

#include "sql/database.h"
#include "tests/support/any_query.h"
#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::import_test {
namespace {

// Atom Hopper's database and ours beside each other; the import is run as a user runs it.
class ImportTest : public testing::Test {
 protected:
  ImportTest() {
    make_table("timestamp without time zone not null default current_timestamp");
    // A running server's own feeds are not what an import has brought.
    connect(target_.url())->execute_script("create view imported as select * from " + kPublished);
  }

  void make_table(const std::string& time_type) {
    source_session_->execute_script(
        "drop table if exists entries;"
        "create table entries (id bigserial, entryid text not null unique, creationdate " +
        time_type + ", datelastupdated " + time_type +
        ", entrybody text, feed text, eventtype text, tenantid text, categories character varying[],"
        " primary key (datelastupdated, id))");
  }

  void sql(const std::string& statement) { source_session_->execute_script(statement); }

  // A row as Atom Hopper writes one.
  void add(const std::string& feed, const std::string& id, const std::string& time,
           const std::string& columns = "null, null, '{}'", const std::string& body = "") {
    sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody, eventtype, tenantid, "
        "categories) "
        "values ('" +
        id + "', '" + time + "', '" + time + "', '" + feed + "', '" + (body.empty() ? entry(id) : body) + "', " +
        columns + ")");
  }

  static std::string entry(const std::string& id, const std::string& inside = "") {
    return R"(<?xml version="1.0"?><entry xmlns="http://www.w3.org/2005/Atom"><id>)" + id +
           "</id><title type=\"text\">t</title><author><name>AH</name></author>" + inside +
           "<content type=\"text\">of " + id + "</content><link href=\"http://ah/entries/" + id +
           "\" rel=\"self\"/></entry>";
  }

  Ran import(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = import_arguments();
    arguments.erase(arguments.begin());
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_courant(arguments);
  }

  std::vector<std::string> import_arguments() const {
    return {courant_program(), "import",      "atomhopper", "--source", source_.url(),
            "--database",      target_.url(), "--config",   config_};
  }

  static std::unique_ptr<sql::Session> connect(const std::string& url) {
    sql::DatabaseOptions options;
    options.url = url;
    return sql::Database(options).connect();
  }

  static std::string write(const std::string& name, const std::string& text) {
    std::string path = scratch(name);
    std::ofstream(path) << text;
    return path;
  }

  // One text for each row of a query on our database.
  std::vector<std::string> ours(const std::string& query) {
    const std::unique_ptr<sql::Session> session = connect(target_.url());
    const sql::Rows rows = session->run({"test", query});
    std::vector<std::string> texts;
    for (int i = 0; i < rows.size(); ++i) texts.emplace_back(rows[i].text(0));
    return texts;
  }

  static std::vector<std::string> values(const std::string& document, const char* path) {
    pugi::xml_document parsed;
    parsed.load_string(document.c_str());
    std::vector<std::string> found;
    for (const pugi::xpath_node& node : parsed.select_nodes(path)) {
      found.emplace_back(node.attribute() ? node.attribute().value() : node.node().child_value());
    }
    return found;
  }

  // Positions are dense, leaves and chain hold, and nothing is there twice: all that an outsider can check.
  void expect_verified(CourantServer& server, const std::string& feed) {
    std::remove(scratch("import-verified.json").c_str());
    const Ran verified = run_courant({"verify", server.url() + "/" + feed, "--state", scratch("import-verified.json")});
    EXPECT_EQ(verified.status, 0) << verified.output;
  }

  TestDatabase source_ = TestDatabase::empty();
  TestDatabase target_;
  std::unique_ptr<sql::Session> source_session_ = connect(source_.url());
  std::string config_ = write("import.toml",
                              "[[workspaces]]\nname = \"namespace\"\nauto_create = true\npage_size = 10\n"
                              "[[workspaces]]\nname = \"a-b\"\n");
};

using Texts = std::vector<std::string>;

TEST_F(ImportTest, KeepsIdsOrderAndTimesAndMarkersGoOnWorking) {
  add("namespace/feed", "urn:uuid:2", "2020-03-01 10:00:00.000002");
  add("namespace/feed", "urn:uuid:3", "2020-03-01 10:00:00.5");
  add("namespace/feed", "urn:uuid:1", "2020-03-01 10:00:00.000001");
  add("namespace/feed", "urn:uuid:4", "2020-03-01 10:00:00.5");  // the same instant: by number
  add("a/b/c", "urn:uuid:5", "2019-01-01 00:00:00");
  sql("update entries set creationdate = '2020-02-29 09:00:00' where entryid = 'urn:uuid:3'");

  const Ran ran = import();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("namespace/feed: 4 rows: 4 imported, 0 there before, 0 refused\n"), std::string::npos);
  EXPECT_NE(ran.output.find("a/b/c: 1 rows: 1 imported"), std::string::npos) << ran.output;
  EXPECT_NE(ran.output.find("5 rows of 2 feeds; the counts of the source agree."), std::string::npos) << ran.output;

  CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  const Reply head = client.get("/namespace/feed");
  EXPECT_EQ(values(head.body, "//entry/id"), (Texts{"urn:uuid:4", "urn:uuid:3", "urn:uuid:2", "urn:uuid:1"}));
  EXPECT_EQ(values(head.body, "//entry/updated"),
            (Texts{"2020-03-01T10:00:00.500000Z", "2020-03-01T10:00:00.500000Z", "2020-03-01T10:00:00.000002Z",
                   "2020-03-01T10:00:00.000001Z"}));
  EXPECT_EQ(values(head.body, "//entry/published")[1], "2020-02-29T09:00:00.000000Z");
  EXPECT_EQ(client.get("/a-b/c/entries/urn:uuid:5").status, 200);

  const Reply after = client.get("/namespace/feed?marker=urn:uuid:2&direction=forward");
  EXPECT_EQ(values(after.body, "//entry/id"), (Texts{"urn:uuid:4", "urn:uuid:3"}));
  const Reply since = client.get("/namespace/feed?startingAt=2020-03-01T10:00:00.1Z");
  EXPECT_EQ(values(since.body, "//entry/id"), (Texts{"urn:uuid:4", "urn:uuid:3"}));
  expect_verified(server, "namespace/feed");
}

TEST_F(ImportTest, AFeedThatTheConfigurationMadeBeforeTakesItsHistoryWithItsTimes) {
  config_ = write("import.toml", "[[workspaces]]\nname = \"namespace\"\n[[workspaces.feeds]]\nname = \"feed\"\n");
  CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/namespace/feed").status, 200);

  add("namespace/feed", "urn:uuid:1", "2020-03-01 10:00:00");
  add("namespace/feed", "urn:uuid:2", "2999-01-01 00:00:00");  // a client's date
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(ours("select recorded < '2021-01-01' from imported order by position"), (Texts{"t", "f"}));
  EXPECT_EQ(ours("select recorded <= now() and updated = '2999-01-01' from imported where position = 2"), Texts{"t"});

  // The running server has heard of it.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (client.get("/namespace/feed").header("Feed-Position") != "2") {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
  }
  const Reply posted = client.post("/namespace/feed", entry("urn:uuid:3"));
  EXPECT_EQ(posted.status, 201) << posted.body;
  EXPECT_EQ(posted.header("Feed-Position"), "3");
  EXPECT_EQ(client.post("/namespace/feed", entry("urn:uuid:1")).status, 200) << "a publisher that tries again";
}

TEST_F(ImportTest, CategoriesThatTheTableFindsAnEntryByAreFoundHere) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01", "'server.create', '1234', array['Region:DFW', 'a \"quoted\", one']",
      entry("urn:uuid:1", "<category term=\"REGION:dfw\"/><category term=\"tid:1234\"/>"));
  add("namespace/feed", "urn:uuid:2", "2020-01-02", "null, null, null");
  EXPECT_EQ(import().status, 0);
  CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  const Reply page = client.get("/namespace/feed?search=%2Btype:server.create");
  EXPECT_EQ(values(page.body, "//entry/id"), Texts{"urn:uuid:1"});
  EXPECT_EQ(values(page.body, "//entry/category/@term"),
            (Texts{"a \"quoted\", one", "type:server.create", "REGION:dfw", "tid:1234"}));
  EXPECT_EQ(values(client.get("/namespace/feed?search=(cat=region:dfw)").body, "//entry/id"), Texts{"urn:uuid:1"});
  expect_verified(server, "namespace/feed");
}

TEST_F(ImportTest, ATableWithoutThePrefixColumnsAndWithZonedTimesIsReadAsWell) {
  make_table("timestamptz not null");
  sql("alter table entries drop column eventtype, drop column tenantid");
  sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody, categories) values "
      "('urn:uuid:1', '2020-06-01 12:00:00+02', '2020-06-01 12:00:00.000001+02', 'namespace/feed', '" +
      entry("urn:uuid:1") + "', '{x}')");
  EXPECT_EQ(import({"--time-zone", "America/Chicago"}).status, 0);
  EXPECT_EQ(ours("select atom_time(published) || ' ' || atom_time(updated) from imported"),
            Texts{"2020-06-01T10:00:00.000000Z 2020-06-01T10:00:00.000001Z"});
}

TEST_F(ImportTest, TimesWithoutAZoneAreOfTheZoneThatIsNamed) {
  add("namespace/feed", "urn:uuid:1", "2020-06-01 12:00:00");
  EXPECT_EQ(import({"--time-zone", "America/Chicago"}).status, 0);
  EXPECT_EQ(ours("select atom_time(updated) from imported"), Texts{"2020-06-01T17:00:00.000000Z"});
}

TEST_F(ImportTest, WhatCannotBeTakenIsSaidAndTheRestGoesOn) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("namespace/feed", "urn:uuid:2", "2020-01-02", "null, null, null", "<entry><unclosed></entry>");
  add("namespace/feed", "no \033iri", "2020-01-03");
  add("namespace/feed", "urn:uuid:4", "2020-01-04", "null, null, '{\"control \x01 character\"}'");
  add("namespace/feed", "urn:uuid:5", "2020-01-05", "null, null, array[repeat('x', 2000)]");
  add("namespace/feed", "urn:uuid:6", "2020-01-06", "null, null, null",
      "<html xmlns=\"http://www.w3.org/1999/xhtml\"/>");
  sql("insert into entries (entryid, feed) values ('urn:uuid:7', 'namespace/feed')");
  add("nowhere", "urn:uuid:8", "2020-01-08");
  sql("insert into entries (entryid) values ('urn:uuid:9')");
  add("namespace/feed", "urn:uuid:10", "2020-01-10", "null, null, null",
      entry("urn:uuid:other", "<unknown xmlns=\"http://www.w3.org/2005/Atom\"/>"));

  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  const auto says = [&](const std::string& text) {
    EXPECT_NE(ran.output.find(text), std::string::npos) << text << "\n" << ran.output;
  };
  says("row 2 of namespace/feed (urn:uuid:2) was not imported: ");
  says("(line 1, column ");
  says("row 3 of namespace/feed (no ?iri) was not imported: atom:id must be an absolute IRI");
  says("row 4 of namespace/feed (urn:uuid:4) was not imported: a category's term has characters that XML");
  says("row 5 of namespace/feed (urn:uuid:5) was not imported: a category's term is longer than 1024 bytes");
  says("row 6 of namespace/feed (urn:uuid:6) was not imported: the root element is 'html'");
  says("row 7 of namespace/feed (urn:uuid:7) was not imported: ");
  says("1 rows of the feed \"nowhere\" are left out: it has no workspace");
  says("1 rows of the feed \"\" are left out");
  says("namespace/feed: 8 rows: 2 imported, 0 there before, 6 refused\n");
  EXPECT_EQ(ours("select id from imported order by position"), (Texts{"urn:uuid:1", "urn:uuid:10"}))
      << "the id of the table counts";

  const Ran again = import();
  EXPECT_EQ(again.status, 1) << "they are still not here";
  EXPECT_NE(again.output.find("namespace/feed: 8 rows: 2 imported, 0 there before, 6 refused\n"), std::string::npos);
  EXPECT_EQ(again.output.find("row 2 of"), std::string::npos) << "said once";
  const Ran anew = import({"--again"});
  EXPECT_NE(anew.output.find("namespace/feed: 8 rows: 0 imported, 2 there before, 6 refused\n"), std::string::npos)
      << anew.output;
  EXPECT_NE(anew.output.find("row 2 of"), std::string::npos);
}

TEST_F(ImportTest, ARunForTheRestTakesWhatIsNewAndWhatCameInBehind) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("namespace/feed", "urn:uuid:3", "2020-01-03");
  add("namespace/quiet", "urn:uuid:q", "2019-01-01");
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(import().output.find("again"), std::string::npos);
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"3"});

  add("namespace/feed", "urn:uuid:4", "2020-01-04");
  add("namespace/feed", "urn:uuid:2", "2020-01-02");  // by a client's date, or a transaction that took long
  const Ran ran = import();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("namespace/feed: rows have come in behind"), std::string::npos) << ran.output;
  EXPECT_EQ(ours("select id from imported e join feeds f using (lane, feed) where f.name = 'feed' order by position"),
            (Texts{"urn:uuid:1", "urn:uuid:3", "urn:uuid:4", "urn:uuid:2"}));
  EXPECT_EQ(ours("select imported || ' ' || present from import_places where source_feed = 'namespace/feed'"),
            Texts{"1 3"});

  sql("delete from entries where entryid = 'urn:uuid:1'");  // history that its owner prunes
  add("namespace/feed", "urn:uuid:5", "2020-01-05");
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"6"});
}

TEST_F(ImportTest, RowsThatComeInBehindWhileOthersArePrunedAreTaken) {
  for (const char* const n : {"1", "2", "3", "5"}) {
    add("namespace/feed", std::string("urn:uuid:") + n, std::string("2020-01-0") + n);
  }
  EXPECT_EQ(import().status, 0);
  sql("delete from entries where entryid in ('urn:uuid:1', 'urn:uuid:2')");
  add("namespace/feed", "urn:uuid:4", "2020-01-04");
  const Ran fewer = import();
  EXPECT_EQ(fewer.status, 0) << fewer.output;
  EXPECT_EQ(ours("select id from imported order by position").back(), "urn:uuid:4") << fewer.output;
  EXPECT_NE(fewer.output.find("namespace/feed: 3 rows: 1 imported, 2 there before, 0 refused\n"), std::string::npos)
      << fewer.output;

  sql("delete from entries where entryid = 'urn:uuid:3'");
  add("namespace/feed", "urn:uuid:2b", "2020-01-02");
  const Ran as_many = import();
  EXPECT_EQ(as_many.status, 0) << as_many.output;
  EXPECT_EQ(ours("select id from imported order by position").back(), "urn:uuid:2b") << as_many.output;
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"6"});
  EXPECT_EQ(import().output.find("again"), std::string::npos) << "the places agree again";
}

TEST_F(ImportTest, AFeedThatWasDeletedTakesItsHistoryAgain) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("namespace/feed", "urn:uuid:2", "2020-01-02");
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(run_courant({"delete-feed", "--database", target_.url(), "namespace/feed", "--yes"}).status, 0);
  const Ran ran = import();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("namespace/feed: 2 rows: 2 imported, 0 there before, 0 refused\n"), std::string::npos)
      << ran.output;
  EXPECT_EQ(ours("select id from imported e join feeds f using (lane, feed) where e.position > f.floor_position "
                 "order by position"),
            (Texts{"urn:uuid:1", "urn:uuid:2"}));
  EXPECT_EQ(ours("select created > now() - interval '10 minutes' from feeds"), Texts{"t"})
      << "it is not idle since 2020, though its history is of then";
  EXPECT_NE(import().output.find("2 rows: 2 imported"), std::string::npos) << "its new place is kept";
  CourantServer server({"--database", target_.url(), "--config", config_});
  expect_verified(server, "namespace/feed");
}

TEST_F(ImportTest, WhatRetentionHasDroppedDoesNotComeBack) {
  config_ = write("import.toml",
                  "[[workspaces]]\nname = \"namespace\"\nauto_create = true\npage_size = 2\nretain = \"2 entries\"\n");
  for (const char* const n : {"1", "2", "3", "4", "6"}) {
    add("namespace/feed", std::string("urn:uuid:") + n, std::string("2020-01-0") + n);
  }
  EXPECT_EQ(import().status, 0);
  {
    CourantServer server({"--database", target_.url(), "--config", config_});
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (ours("select count(*) from imported") != Texts{"3"}) ASSERT_LT(std::chrono::steady_clock::now(), give_up);
  }
  add("namespace/feed", "urn:uuid:5", "2020-01-05");  // behind what was read
  const Ran ran = import();
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_EQ(ours("select id from imported order by position"),
            (Texts{"urn:uuid:3", "urn:uuid:4", "urn:uuid:6", "urn:uuid:5"}));
  EXPECT_NE(ran.output.find("namespace/feed: 6 rows: 1 imported, 5 there before, 0 refused\n"), std::string::npos)
      << ran.output;
}

// The import's file names a workspace that the running server's does not.
TEST_F(ImportTest, ServersTakeUpTheWorkspacesThatItMakes) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  const std::string other = write("server.toml", "[[workspaces]]\nname = \"other\"\n");
  CourantServer server({"--database", target_.url(), "--config", other, "--access", "tokens"});
  HttpClient client(server.port());
  EXPECT_EQ(client.get("/namespace/feed").status, 401);
  EXPECT_EQ(import().status, 0);
  EXPECT_TRUE(wait_until([&] { return client.get("/namespace/feed").status == 200; })) << "it is public to read";
}

TEST_F(ImportTest, WhatIsHereAlreadyStaysAsItIs) {
  for (const char* const id : {"urn:uuid:1", "urn:uuid:2", "urn:uuid:3", "urn:uuid:4"}) {
    add("namespace/feed", id, "2020-01-01");
  }
  CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  EXPECT_EQ(client.post("/namespace/feed", entry("urn:uuid:1")).status, 201);
  EXPECT_EQ(client.post("/namespace/feed", entry("urn:uuid:2", "<summary>other</summary>")).status, 201);
  EXPECT_EQ(client.post("/namespace/feed", entry("urn:uuid:3")).status, 201);
  EXPECT_EQ(client.remove("/namespace/feed/entries/urn:uuid:3").status, 204);
  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("(urn:uuid:2) was not imported: other content is stored under its id, at position 2"),
            std::string::npos)
      << ran.output;
  EXPECT_NE(ran.output.find("namespace/feed: 4 rows: 1 imported, 2 there before, 1 refused\n"), std::string::npos);
  EXPECT_EQ(client.get("/namespace/feed/entries/urn:uuid:3").status, 410);
}

TEST_F(ImportTest, ThatItWasDoneIsTold) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("namespace/feed", "urn:uuid:2", "2020-01-02", "null, null, '{}'", "<entry>");
  add("elsewhere/feed", "urn:uuid:3", "2020-01-01");
  EXPECT_EQ(import().status, 1);
  EXPECT_EQ(ours("select count(*) from notices where subject = 'Atom Hopper'"), Texts{"0"}) << "nothing was begun";
  sql("delete from entries where feed = 'elsewhere/feed'");
  EXPECT_EQ(import({"--feed", "namespace/feed"}).status, 1);
  const CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  nlohmann::json told;
  ASSERT_TRUE(wait_until([&] {
    told = nlohmann::json::array();
    const Reply reply = client.get("/_courant/audit?format=cloudevents&limit=100");
    for (const nlohmann::json& event : nlohmann::json::parse(reply.body, nullptr, false)) {
      if (event.is_object() && event["subject"] == "Atom Hopper") told.insert(told.begin(), event);
    }
    return told.size() == 2;
  })) << told;
  EXPECT_EQ(told[0]["type"], "courant.audit.import-begun");
  EXPECT_EQ(told[0]["data"]["feeds"], 1);
  EXPECT_EQ(told[0]["data"]["only"], "namespace/feed");
  EXPECT_EQ(told[0]["data"]["actor"].get<std::string>().find("command line: "), 0U);
  EXPECT_EQ(told[1]["type"], "courant.audit.imported");
  told[1]["data"].erase("actor");
  EXPECT_EQ(
      told[1]["data"],
      nlohmann::json({{"feeds", 1}, {"imported", 1}, {"there_before", 0}, {"refused", 1}, {"counts_agree", true}}));
}

TEST_F(ImportTest, OneFeedAlone) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("namespace/other", "urn:uuid:2", "2020-01-02");
  add("a/b/c", "urn:uuid:3", "2020-01-03");
  EXPECT_EQ(import({"--feed", "namespace/other"}).status, 0);
  EXPECT_EQ(ours("select id from imported"), Texts{"urn:uuid:2"});
  EXPECT_EQ(import({"--feed", "a-b/c"}).status, 0);
  EXPECT_EQ(ours("select id from imported order by id"), (Texts{"urn:uuid:2", "urn:uuid:3"}));
  const Ran unknown = import({"--feed", "namespace/none"});
  EXPECT_EQ(unknown.status, 1);
  EXPECT_NE(unknown.output.find("the source has no feed namespace/none"), std::string::npos);
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"3"});
}

TEST_F(ImportTest, WithoutAFileTheWorkspacesAreThoseThatTheDatabaseKnows) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  const std::vector<std::string> bare = {"import",      "atomhopper", "--source",
                                         source_.url(), "--database", target_.url()};
  EXPECT_EQ(run_courant(bare).status, 1);
  EXPECT_EQ(ours("select name from workspaces"), Texts{}) << "nor is the workspace demo made by the way";
  EXPECT_EQ(import().status, 0);
  add("namespace/feed", "urn:uuid:2", "2020-01-02");
  EXPECT_EQ(run_courant(bare).status, 0);
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"2"});
  EXPECT_EQ(ours("select page_size from feeds"), Texts{"10"});
}

// Databases of two clusters may have the same name and number.
TEST_F(ImportTest, TheSourceIsKnownByItsCluster) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  EXPECT_EQ(import().status, 0);
  EXPECT_EQ(ours("select source like (select system_identifier::text from pg_control_system()) || '/%' from "
                 "import_places"),
            Texts{"t"});
  // One that does not say which it is goes by its address.
  source_session_->execute_script(
      "revoke execute on function pg_control_system() from public; drop role if exists hopper_reader; create role "
      "hopper_reader "
      "login; grant select on entries to hopper_reader");
  std::vector<std::string> arguments = import_arguments();
  arguments.erase(arguments.begin());
  arguments[3] += (arguments[3].find('?') == std::string::npos ? "?user=" : "&user=") + std::string("hopper_reader");
  const Ran ran = run_courant(arguments);
  EXPECT_EQ(ran.status, 0) << ran.output;
  EXPECT_NE(ran.output.find("0 imported, 1 there before"), std::string::npos) << ran.output;
  EXPECT_EQ(ours("select count(*) from import_places where source ~ '^[^/]+:[0-9]+/'"), Texts{"1"});
  source_session_->execute_script("drop owned by hopper_reader; drop role hopper_reader");
}

TEST_F(ImportTest, OneImportAtATimeWorksOnADatabase) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  const std::unique_ptr<sql::Session> other = connect(target_.url());
  other->execute_script("select pg_advisory_lock(1131377011)");
  const Ran ran = run_courant({"import", "atomhopper", "--source", source_.url(), "--config", config_, "--database",
                               target_.url() + "&options=-c%20lock_timeout%3D100%20-c%20timezone%3DUTC"});
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("another import works on this database"), std::string::npos) << ran.output;
  other->execute_script("select pg_advisory_unlock(1131377011)");
  EXPECT_EQ(import().status, 0);
}

TEST_F(ImportTest, AConnectionThatEndsIsNotCalledAnotherImport) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  const std::unique_ptr<sql::Session> other = connect(target_.url());
  other->execute_script("select pg_advisory_lock(1131377011)");
  const std::string output = scratch("import-ended.txt");
  Process importing(import_arguments(), output);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (
      ours("select 'ended' from (select pg_terminate_backend(pid) as ended from pg_locks where locktype = 'advisory' "
           "and objid = 1131377011 and not granted and database = (select oid from pg_database where datname = "
           "current_database())) waiting where ended") != Texts{"ended"}) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
  }
  EXPECT_EQ(importing.wait(), 1);
  const std::string said = contents_of(output);
  EXPECT_EQ(said.find("another import"), std::string::npos) << said;
  EXPECT_NE(said.find("the import stopped: "), std::string::npos) << said;
}

TEST_F(ImportTest, WhatIsNoRowsFaultStopsTheImportAndPassesNoRow) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  EXPECT_EQ(import().status, 0);
  add("namespace/feed", "urn:uuid:2", "2020-01-02");
  add("namespace/feed", "urn:uuid:3", "2020-01-03");
  const std::unique_ptr<sql::Session> session = connect(target_.url());
  session->execute_script(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'permission denied for "
      "table entries' using errcode = '42501'; end $$;"
      "create trigger refuse before insert on entries for each row execute function refuse()");
  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("the import stopped: the database refused what it must do: "), std::string::npos)
      << ran.output;
  EXPECT_EQ(ran.output.find("was not imported"), std::string::npos) << ran.output;
  session->execute_script("drop trigger refuse on entries");
  const Ran next = import();
  EXPECT_EQ(next.status, 0) << next.output;
  EXPECT_NE(next.output.find("namespace/feed: 3 rows: 3 imported, 0 there before, 0 refused\n"), std::string::npos)
      << next.output;
}

// A value that the database refuses leaves out its own row alone.
TEST_F(ImportTest, ARowWhoseValuesTheDatabaseRefusesIsLeftOutAlone) {
  for (const char* const n : {"1", "2", "3"}) add("namespace/feed", std::string("urn:uuid:") + n, "2020-01-01");
  const std::unique_ptr<sql::Session> session = connect(target_.url());
  session->execute_script(
      "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = "
      "'23514'; end $$;"
      "create trigger refuse before insert on entries for each row when (new.id = 'urn:uuid:2') execute function "
      "refuse()");
  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("(urn:uuid:2) was not imported: the database refused it"), std::string::npos) << ran.output;
  EXPECT_EQ(ours("select id from imported order by position"), (Texts{"urn:uuid:1", "urn:uuid:3"}));
}

TEST_F(ImportTest, NothingIsImportedWithoutItsWorkspaceOrTheSource) {
  add("namespace/feed", "urn:uuid:1", "2020-01-01");
  add("elsewhere/feed", "urn:uuid:2", "2020-01-01");
  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("add these workspaces to the configuration and name it with --config: elsewhere"),
            std::string::npos)
      << ran.output;
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"0"});

  add("a-b/c", "urn:uuid:3", "2020-01-01");
  add("a/b/c", "urn:uuid:4", "2020-01-01");
  EXPECT_NE(import().output.find("would both become a-b/c"), std::string::npos);

  sql("drop table entries");
  const Ran no_table = import();
  EXPECT_EQ(no_table.status, 1);
  EXPECT_NE(no_table.output.find("entries"), std::string::npos) << no_table.output;
  const Ran no_source =
      run_courant({"import", "atomhopper", "--source", "postgresql://127.0.0.1:1/x", "--database", target_.url()});
  EXPECT_EQ(no_source.status, 1);
  EXPECT_NE(no_source.output.find("the source cannot be read"), std::string::npos) << no_source.output;
}

TEST_F(ImportTest, KilledAtAnyMomentItGoesOnAndLosesAndDoublesNothing) {
  constexpr int kRows = 20'000;
  sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody, categories) "
      "select 'urn:uuid:' || n, t, t, 'namespace/' || (array['feed', 'two', 'three'])[1 + n % 3], '" +
      std::string(R"(<entry xmlns="http://www.w3.org/2005/Atom"><title>t</title><content>)") +
      "' || n || '</content></entry>', array['n' || n % 7] "
      "from (select n, timestamp '2020-01-01' + (n * 7919 % " +
      std::to_string(kRows) + ") * interval '1 second' as t from generate_series(1, " + std::to_string(kRows) +
      ") n) rows");
  CourantServer server({"--database", target_.url(), "--config", config_});

  const std::unique_ptr<sql::Session> session = connect(target_.url());
  const auto stored = [&] { return session->run({"test.count", "select count(*) from imported"})[0].integer(0); };
  int kills = 0;
  for (;;) {
    const std::int64_t before = stored();
    Process importing(import_arguments(), scratch("import-killed.txt"));
    if (kills == 5 || before >= kRows - 5000) {
      EXPECT_EQ(importing.wait(), 0);
      break;
    }
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (stored() < before + 700 * (kills + 1)) ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    importing.signal(SIGKILL);
    importing.wait();
    ++kills;
  }
  EXPECT_GE(kills, 2) << "it was too quick for this test: give it more rows";
  EXPECT_EQ(stored(), kRows);
  EXPECT_EQ(ours("select sum(imported) || ' ' || sum(present) from import_places"),
            Texts{std::to_string(kRows) + " 0"});
  EXPECT_EQ(ours("select count(distinct id) from imported"), Texts{std::to_string(kRows)});
  EXPECT_EQ(ours("select count(*) from (select recorded, updated, position, lag(updated) over (partition by lane, feed "
                 "order by position) as before from imported) e where before > updated or recorded <> updated"),
            Texts{"0"})
      << "the order of the source, and its times";
  for (const char* const feed : {"namespace/feed", "namespace/two", "namespace/three"}) expect_verified(server, feed);
}

TEST_F(ImportTest, PublishersMayWriteToTheFeedMeanwhile) {
  sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody) "
      "select 'urn:uuid:' || n, t, t, 'namespace/feed', '" +
      entry("urn:sent") +
      "' from (select n, timestamp '2020-01-01' + n * interval '1 second' as t from generate_series(1, 3000) n) rows");
  CourantServer server({"--database", target_.url(), "--config", config_});
  HttpClient client(server.port());
  Process importing(import_arguments(), scratch("import-beside.txt"));
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.post("/namespace/feed", entry("urn:posted:" + std::to_string(i))).status, 201);
  }
  EXPECT_EQ(importing.wait(), 0);
  EXPECT_EQ(ours("select count(*) || ' ' || max(position) from imported"), Texts{"3050 3050"});
  expect_verified(server, "namespace/feed");
}

TEST_F(ImportTest, ADatabaseThatChecksNoEncodingIsReadRowByRow) {
  const std::unique_ptr<sql::Session> cluster = connect(cluster_url());
  cluster->execute_script("drop database if exists import_ascii");
  cluster->execute_script("create database import_ascii encoding 'SQL_ASCII' locale 'C' template template0");
  std::string url = cluster_url();
  url.replace(url.find("/postgres?"), 10, "/import_ascii?");
  source_session_ = connect(url);
  make_table("timestamp not null default current_timestamp");
  add("namespace/feed", "urn:uuid:1", "2020-01-01", "null, null, array[E'a\\xff']");
  add("namespace/feed", "urn:uuid:2", "2020-01-02", "E'\\xff', null, null");
  sql("insert into entries (entryid, feed, entrybody) values (E'urn:\\xff', 'namespace/feed', '<entry/>')");
  sql("insert into entries (entryid, feed, entrybody) values ('urn:uuid:4', 'namespace/feed', "
      "E'<entry>\\xff</entry>')");
  sql("insert into entries (entryid, feed, entrybody) values ('urn:uuid:5', E'namespace/\\xff', '<entry/>')");
  add("namespace/feed", "urn:uuid:6", "2020-01-03");
  const Ran ran =
      run_courant({"import", "atomhopper", "--source", url, "--database", target_.url(), "--config", config_});
  source_session_.reset();
  cluster->execute_script("drop database import_ascii with (force)");
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("namespace/feed: 5 rows: 1 imported, 0 there before, 4 refused\n"), std::string::npos)
      << ran.output;
  EXPECT_EQ(ours("select id from imported"), Texts{"urn:uuid:6"});
}

TEST_F(ImportTest, LargeEntriesAreReadInBoundedPieces) {
  sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody) "
      "select 'urn:uuid:' || n, '2020-01-01', '2020-01-01', 'namespace/feed', "
      "'<entry xmlns=\"http://www.w3.org/2005/Atom\"><title/><content>' || repeat('x', 900000) || '</content></entry>' "
      "from generate_series(1, 40) n");
  sql("insert into entries (entryid, creationdate, datelastupdated, feed, entrybody) select 'urn:uuid:long', "
      "'2020-01-02', '2020-01-02', 'namespace/feed', entrybody || repeat(' ', 300000) from entries limit 1");
  const Ran ran = import();
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.output.find("(urn:uuid:long) was not imported: the document is longer than 1048576 bytes"),
            std::string::npos)
      << ran.output.substr(0, 1000);
  EXPECT_EQ(ours("select count(*) from journal where cardinality(item_positions) > 0"), Texts{"4"});
  EXPECT_EQ(ours("select max(cardinality(item_positions)) from journal"), Texts{"10"});
  EXPECT_EQ(ours("select count(*) from imported"), Texts{"40"});
}

TEST_F(ImportTest, TheConfigurationIsConvertedToOneThatIsAccepted) {
  const Ran ran = run_courant({"import", "atomhopper-config", COURANT_SOURCE_DIR "/tests/data/atom-server.cfg.xml"});
  EXPECT_EQ(ran.status, 0) << ran.output;
  const auto says = [&](const std::string& text) {
    EXPECT_NE(ran.output.find(text), std::string::npos) << text << "\n" << ran.output;
  };
  says("public_url = \"https://feeds.example.org:8443\"\n");
  says("# <provider-filters> (line 8) has no equivalent\n");
  says("name = \"billing\"\ntitle = \"Billing\"\nauthor = \"Billing\"\n");
  says("\n[[workspaces.feeds]]\nname = \"invoices\"\ntitle = \"Invoices\"\nauthor = \"Invoicing\"\n");
  says("\n[[workspaces]]\nname = \"billing-invoices\"\n");
  says("# archived: every feed has its archive\nname = \"archive\"\ntitle = \"Old invoices\"\n");
  says("# auto_create: for the feeds of the pattern \"[0-9]+\"\n");
  says("name = \"servers-events\"\ntitle = \"Servers\"\nauthor = \"Events \\\"R\\\" us\"\nauto_create = true\n");
  const std::string path = write("converted.toml", ran.output);
  EXPECT_EQ(run_courant({"check-config", path}).output, path + " is good.\n");

  config_ = path;
  add("billing/invoices", "urn:uuid:1", "2020-01-01");
  add("servers/events/1234", "urn:uuid:2", "2020-01-01");
  const Ran imported = import();
  EXPECT_EQ(imported.status, 0) << imported.output;
  EXPECT_NE(imported.output.find("servers/events/1234: 1 rows: 1 imported"), std::string::npos);
}

TEST_F(ImportTest, AConfigurationThatCannotBeConvertedIsRefusedWithAReason) {
  const auto convert = [](const std::string& text) {
    return run_courant({"import", "atomhopper-config", write("hopper.cfg.xml", text)});
  };
  EXPECT_EQ(run_courant({"import", "atomhopper-config", "/nowhere.xml"}).status, 1);
  EXPECT_NE(convert("<!DOCTYPE x><x/>").output.find("DOCTYPE"), std::string::npos);
  EXPECT_NE(convert("<beans/>").output.find("its root element is <beans>"), std::string::npos);
  const Ran odd = convert(
      "<atom-hopper-config xmlns='http://atomhopper.org/atom/hopper-config/v1.0'><host domain='x'/>"
      "<workspace title='a&#10;b' resource='/ws/'><feed title='1' resource='/ok'/><feed title='2' resource='/ok/'/>"
      "<feed title='3' resource='/not good'/></workspace>"
      "<workspace title='' resource='/'><feed title='' resource='alone'/></workspace></atom-hopper-config>");
  EXPECT_EQ(odd.status, 1);
  EXPECT_NE(odd.output.find("title = \"a\\u000ab\"\n"), std::string::npos) << odd.output;
  EXPECT_NE(odd.output.find("there is a feed ws/ok already"), std::string::npos) << odd.output;
  EXPECT_NE(odd.output.find("the feed \"/ws/not good\" is left out"), std::string::npos) << odd.output;
  EXPECT_NE(odd.output.find("it has no workspace"), std::string::npos) << odd.output;
}

}  // namespace
}  // namespace courant::test::import_test
