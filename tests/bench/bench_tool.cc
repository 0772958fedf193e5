// The measuring parts of scripts/bench that need a program: yardsticks over libpqxx, and latencies one by one.
//   bench_tool rows DATABASE-URL SECONDS        rows/s of one connection inserting 500-row unnest batches of 1 KiB
//   bench_tool commit DATABASE-URL COUNT        median microseconds of a commit of one such row
//   bench_tool publish PORT PATH COUNT          median microseconds of publishing one entry of 1 KiB, one client
//   bench_tool snapshot DATABASE-URL            holds a snapshot open until standard input ends; says "open"
//   bench_tool batch                            prints a feed document of 500 entries of 1 KiB without ids
//   bench_tool fill PORT PATH COUNT             publishes until the feed has so many entries: every second with the
//   category
//                                               "half", every thousandth with "rare", all with "all"
//   bench_tool slowest PORT PATH                publishes until standard input ends; the slowest in milliseconds
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "kernel/digest.h"
#include "sql/database.h"
#include "tests/support/http_client.h"

namespace courant::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kEntryBytes = 1024;
constexpr std::size_t kBatch = 500;

constexpr sql::Query kTable{"bench_table",
                            "create table if not exists yardstick (id bigint generated always as identity primary key, "
                            "body text compression lz4 not null)"};
constexpr sql::Query kInsertRows{"bench_rows", "insert into yardstick (body) select unnest($1::text[])"};
constexpr sql::Query kInsertRow{"bench_row", "insert into yardstick (body) values ($1::text)"};
constexpr sql::Query kSnapshot{"bench_snapshot", "select count(*) from log_facts"};

// Text that does not compress to nothing.
std::string filler(std::size_t bytes) {
  std::string text = to_hex(random_bytes(bytes / 2 + 1));
  text.resize(bytes);
  return text;
}

std::string entry(const std::string& categories = {}) {
  const std::string head =
      "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title>Bench</title>" + categories + "<content>";
  const std::string tail = "</content></entry>";
  return head + filler(kEntryBytes - head.size() - tail.size()) + tail;
}

std::int64_t median(std::vector<std::int64_t> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

template <class Work>
std::int64_t median_microseconds(int count, Work work) {
  std::vector<std::int64_t> took;
  for (int i = 0; i < count; ++i) {
    const Clock::time_point begin = Clock::now();
    work();
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin).count());
  }
  return median(std::move(took));
}

int rows(const std::string& url, int seconds) {
  sql::Session session(url);
  session.run(kTable);
  std::vector<std::string> batch(kBatch);
  for (std::string& row : batch) row = filler(kEntryBytes);
  std::size_t count = 0;
  const Clock::time_point begin = Clock::now();
  while (Clock::now() - begin < std::chrono::seconds(seconds)) {
    session.run(kInsertRows, sql::Parameters().add(batch));
    count += kBatch;
  }
  const double took = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%.0f\n", static_cast<double>(count) / took);
  return 0;
}

int commit(const std::string& url, int count) {
  sql::Session session(url);
  session.run(kTable);
  const auto work = [&] { session.run(kInsertRow, sql::Parameters().add(filler(kEntryBytes))); };
  std::printf("%lld\n", static_cast<long long>(median_microseconds(count, work)));
  return 0;
}

int publish(int port, const std::string& path, int count) {
  test::HttpClient client(port, false);
  int failed = 0;
  const auto work = [&] {
    if (client.post(path, entry(), "Content-Type: application/atom+xml\r\n").status != 201) ++failed;
  };
  work();
  const std::int64_t took = median_microseconds(count, work);
  if (failed > 0) {
    std::fprintf(stderr, "bench_tool: %d publishes failed\n", failed);
    return 1;
  }
  std::printf("%lld\n", static_cast<long long>(took));
  return 0;
}

std::string batch_of(std::size_t count, std::int64_t first) {
  std::string document = "<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Batch</title>";
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t number = first + static_cast<std::int64_t>(i);
    std::string categories = "<category term=\"all\"/>";
    if (number % 2 == 0) categories += "<category term=\"half\"/>";
    if (number % 1000 == 0) categories += "<category term=\"rare\"/>";
    document += first == 0 ? entry() : entry(categories);
  }
  return document + "</feed>";
}

int fill(int port, const std::string& path, std::int64_t wanted) {
  test::HttpClient client(port, false);
  const std::string at = client.get(path + "?limit=1").header("Feed-Position");
  std::int64_t head = at.empty() ? 0 : std::stoll(at);
  while (head < wanted) {
    const test::Reply reply = client.post(path, batch_of(kBatch, head + 1), "Prefer: return=minimal\r\n");
    if (reply.status != 200) {
      std::fprintf(stderr, "bench_tool: a batch was answered with %d: %s\n", reply.status, reply.body.c_str());
      return 1;
    }
    head = std::stoll(reply.header("Feed-Position"));
    if (head % 50'000 < static_cast<std::int64_t>(kBatch)) {
      std::fprintf(stderr, "%lld of %lld entries\n", static_cast<long long>(head), static_cast<long long>(wanted));
    }
  }
  return 0;
}

int slowest(int port, const std::string& path) {
  std::atomic<bool> is_over{false};
  std::thread waiting([&is_over] {
    std::string line;
    std::getline(std::cin, line);
    is_over = true;
  });
  test::HttpClient client(port, false);
  std::int64_t most = 0;
  int failed = 0;
  while (!is_over) {
    const Clock::time_point begin = Clock::now();
    if (client.post(path, entry(), "Content-Type: application/atom+xml\r\n").status != 201) ++failed;
    most = std::max(most, std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count());
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  waiting.join();
  if (failed > 0) std::fprintf(stderr, "bench_tool: %d publishes failed\n", failed);
  std::printf("%lld\n", static_cast<long long>(most));
  return failed > 0 ? 1 : 0;
}

int snapshot(const std::string& url) {
  sql::Session session(url);
  session.execute_script("begin isolation level repeatable read");
  session.run(kSnapshot);
  std::puts("open");
  std::fflush(stdout);
  std::string line;
  std::getline(std::cin, line);
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 3 && arguments[0] == "rows") return rows(arguments[1], std::stoi(arguments[2]));
  if (arguments.size() == 3 && arguments[0] == "commit") return commit(arguments[1], std::stoi(arguments[2]));
  if (arguments.size() == 4 && arguments[0] == "publish") {
    return publish(std::stoi(arguments[1]), arguments[2], std::stoi(arguments[3]));
  }
  if (arguments.size() == 2 && arguments[0] == "snapshot") return snapshot(arguments[1]);
  if (arguments.size() == 1 && arguments[0] == "batch") {
    std::fputs(batch_of(kBatch, 0).c_str(), stdout);
    return 0;
  }
  if (arguments.size() == 4 && arguments[0] == "fill") {
    return fill(std::stoi(arguments[1]), arguments[2], std::stoll(arguments[3]));
  }
  if (arguments.size() == 3 && arguments[0] == "slowest") return slowest(std::stoi(arguments[1]), arguments[2]);
  std::fputs("bench_tool is run by scripts/bench; see the first lines of its source\n", stderr);
  return 2;
}

}  // namespace
}  // namespace courant::bench

int main(int argc, char** argv) {
  return courant::bench::run({argv + 1, argv + argc});
}
