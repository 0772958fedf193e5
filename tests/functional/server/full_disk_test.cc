#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "kernel/digest.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/small_disk.h"

namespace courant::test::full_disk_test {
namespace {

namespace fs = std::filesystem;

std::string entry(int number) {
  static const std::string filler = to_hex(random_bytes(100'000));
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + std::to_string(number) +
         "</id><title>t</title><content>" + filler.substr(static_cast<std::size_t>(number % 1000)) +
         "</content></entry>";
}

TEST(FullDisk, Gives503sAndLosesNothing) {
  SmallDisk disk("/tmp/courant-small-disk", "220m");
  const std::string ballast = disk.path() + "/ballast";
  std::ofstream(ballast) << std::string(60 << 20, 'x');
  CourantServer server({"--data", disk.path() + "/data"});
  HttpClient client(server.port());

  int number = 0;
  int status = 0;
  while ((status = client.post("/demo/events", entry(number + 1)).status) == 201) {
    ++number;
    ASSERT_LT(number, 5000) << "the disk never got full";
  }
  EXPECT_EQ(status, 503) << "after " << number << " entries";
  EXPECT_GT(number, 10);
  EXPECT_EQ(client.post("/demo/events", entry(number + 1)).status, 503);
  EXPECT_EQ(client.get("/-/health/live").status, 200) << "the server itself goes on";

  fs::remove(ballast);
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  do {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it does not recover: " << status;
    status = client.post("/demo/events", entry(number + 1)).status;
  } while (status != 201 && status != 200);
  ++number;

  for (int i = 1; i <= number; ++i) {
    const Reply reply = client.get("/demo/events/entries/urn:x:" + std::to_string(i));
    ASSERT_EQ(reply.status, 200) << i;
    ASSERT_EQ(reply.header("Feed-Position"), std::to_string(i)) << "each once, without gaps";
  }
  EXPECT_EQ(client.get("/demo/events?limit=1").header("Feed-Position"), std::to_string(number));
}

}  // namespace
}  // namespace courant::test::full_disk_test
