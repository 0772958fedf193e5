#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "tests/support/contents.h"
#include "tests/support/courant_server.h"
#include "tests/support/test_database.h"

namespace courant::test::samples_test {
namespace {

namespace fs = std::filesystem;

// Publishes every event of a folder and reads all of them back, as pages and as archive pages; what comes is held
// against the grammars with everything else (check_documents).
void publish_and_read(HttpClient& client, const std::string& folder, const std::string& feed) {
  int count = 0;
  for (const auto& item : fs::directory_iterator(folder)) {
    if (item.path().extension() != ".xml") continue;
    const std::string bytes = contents_of(item.path());
    const Reply reply = client.post("/demo/" + feed, bytes, "Content-Type: application/atom+xml\r\n");
    ASSERT_EQ(reply.status, 201) << item.path() << ": " << reply.body;
    ++count;
    ASSERT_EQ(reply.header("Feed-Position"), std::to_string(count));
  }
  ASSERT_GT(count, 0) << folder;
  for (int marker = 0; marker < count; marker += 10) {
    EXPECT_EQ(client.get("/demo/" + feed + "?limit=10&marker=" + std::to_string(marker)).status, 200);
  }
  for (int page = 1; page <= count / 25; ++page) {
    EXPECT_EQ(client.get("/demo/" + feed + "/archive/" + std::to_string(page)).status, 200);
  }
}

TEST(Samples, OurOwnEventsArePublishedAndRead) {
  TestDatabase database;
  CourantServer server({"--database", database.url()});
  HttpClient client(server.port());
  publish_and_read(client, COURANT_SOURCE_DIR "/tests/data/events", "ours");
}

TEST(Samples, TheRealEventsArePublishedAndReadWhereTheyAreAtHand) {
  const std::string folder = COURANT_SOURCE_DIR "/../shared/data/cloudfeeds";
  if (!fs::exists(folder)) {
    std::puts("the real events (../shared/data/cloudfeeds) are not here: only our own were published");
    return;
  }
  TestDatabase database;
  CourantServer server({"--database", database.url()});
  HttpClient client(server.port());
  publish_and_read(client, folder, "real");
}

}  // namespace
}  // namespace courant::test::samples_test
