// Pages in memory, of the program as a whole: what polling readers are given again is counted, and stays.
#include <fstream>

#include <gtest/gtest.h>

#include "tests/support/courant_server.h"
#include "tests/support/metric.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::page_memory_test {
namespace {

std::string entry(int number) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) + "</id><title>t</title>" +
         "<content>" + std::string(1000, 'c') + "</content></entry>";
}

TEST(PageMemoryTest, WhatIsPolledStaysHoweverManyOddPagesAreAskedFor) {
  const TestDatabase database;
  const TemporaryFolder folder;
  const std::string config = folder.path() / "courant.toml";
  std::ofstream(config) << "[cache]\nbytes = \"1MiB\"\n[[workspaces]]\nname = \"demo\"\nauto_create = true\n";
  const int operations = free_port();
  CourantServer server(
      {"--database", database.url(), "--config", config, "--operations", "127.0.0.1:" + std::to_string(operations)});
  HttpClient client(server.port());
  for (int i = 1; i <= 200; ++i) ASSERT_EQ(client.post("/demo/events", entry(i)).status, 201);
  // On one connection, so that one io thread remembers the answers.
  const auto poll = [&] { return client.get("/demo/events").status; };
  for (int i = 0; i < 3; ++i) ASSERT_EQ(poll(), 200);
  const auto counted = [&](const std::string& name) { return metric_at(operations, name); };
  const double before = counted("courant_http_answers_given_again_total");
  for (int i = 0; i < 200; ++i) {
    for (int again = 0; again < 2; ++again) {
      const std::string odd = "/demo/events?marker=" + std::to_string(i) + "&limit=25";
      ASSERT_EQ(client.get(odd).status, 200);
    }
    ASSERT_EQ(poll(), 200);
  }
  EXPECT_GT(counted("courant_page_cache_evictions_total"), 50) << "the memory was too small for all of it";
  EXPECT_TRUE(wait_until([&] { return counted("courant_http_answers_given_again_total") >= before + 200; }));
  const double made = counted("courant_page_cache_misses_total");
  ASSERT_EQ(client.get("/demo/events", "X-Another: request\r\n").status, 200);
  EXPECT_EQ(counted("courant_page_cache_misses_total"), made) << "it is in memory still";
}

}  // namespace
}  // namespace courant::test::page_memory_test
