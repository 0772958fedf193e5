// The same log gives the same bytes whatever build serves it: digests of archive pages that an auditor has written down
// hold after an upgrade (docs/AUDIT.md).
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <gtest/gtest.h>

#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/program.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"

namespace courant::test::build_independence_test {
namespace {

// "0.1.0", as `courant --version` says.
std::string version_of(const std::string& program) {
  const Ran ran = run_command({program, "--version"});
  EXPECT_EQ(ran.status, 0);
  const std::size_t space = ran.output.find(' ');
  return ran.output.substr(space + 1, ran.output.find('\n') - space - 1);
}

// A copy of the program under test that believes to be of another version.
std::string program_of_another_version(const std::string& version) {
  std::string bytes = contents_of(courant_program());
  std::string other = version;
  for (char& c : other) {
    if (c != '.') c = '9';
  }
  int found = 0;
  for (std::size_t at = 0; (at = bytes.find(version, at)) != std::string::npos; ++found)
    bytes.replace(at, version.size(), other);
  EXPECT_GT(found, 0);
  const std::string path = scratch("courant-of-another-version");
  std::ofstream(path, std::ios::binary) << bytes;
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  EXPECT_EQ(version_of(path), other);
  return path;
}

const std::vector<std::string> kLog = {"/demo/events/archive/1",
                                       "/demo/events/archive/2",
                                       "/demo/events/archive",
                                       "/demo/events?marker=0&direction=forward&limit=10",
                                       "/demo/events?marker=10&direction=backward&limit=10",
                                       "/demo/events/entries/urn:x:7"};

TEST(BuildIndependence, AnotherVersionServesTheSameBytesAndNamesItselfNowhere) {
  const std::string version = version_of(courant_program());
  const std::string other = program_of_another_version(version);
  TestDatabase database;
  const int port = free_port();
  std::map<std::string, Reply> first;
  {
    CourantServer server({"--database", database.url()}, port);
    HttpClient client(port);
    for (int number = 1; number <= 60; ++number) {
      const Reply posted =
          client.post("/demo/events", "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
                                          "</id><title>t</title><content>c</content></entry>");
      ASSERT_EQ(posted.status, 201) << posted.body;
      ASSERT_EQ(posted.head.find(version), std::string::npos) << posted.head;
    }
    for (const std::string& path : kLog) {
      first[path] = client.get(path);
      ASSERT_EQ(first[path].status, 200) << path;
    }
    for (const char* const path : {"/", "/demo", "/demo/events", "/demo/events/categories", "/demo/none", "/hub"}) {
      for (const char* const form : {"*/*", "application/atom+xml", "text/html", "application/feed+json",
                                     "application/rss+xml", "application/cloudevents-batch+json"}) {
        const Reply reply = client.get(path, std::string("Accept: ") + form + "\r\n");
        EXPECT_NE(reply.status, 0) << path << " as " << form;
        EXPECT_EQ((reply.head + reply.body).find(version), std::string::npos) << path << " as " << form;
      }
    }
    server.process().signal(SIGTERM);
    EXPECT_EQ(server.process().wait(), 0);
  }
  sql::Session(database.url()).execute_script("delete from archive_pages");  // so that the other one renders them
  CourantServer server({"--database", database.url()}, port, other);
  HttpClient client(port);
  for (const std::string& path : kLog) {
    const Reply reply = client.get(path);
    EXPECT_EQ(reply.status, 200) << path;
    EXPECT_EQ(reply.body, first[path].body) << path;
    EXPECT_EQ(reply.header("ETag"), first[path].header("ETag")) << path;
    EXPECT_EQ(first[path].body.find(version), std::string::npos) << path;
  }
}

}  // namespace
}  // namespace courant::test::build_independence_test
