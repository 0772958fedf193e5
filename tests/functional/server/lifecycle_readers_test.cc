// What readers and writers notice while history is dropped, content is erased, or a new generation begins: readers see
// every position at most once and in order, and are sent on by a link where something is gone; writers notice nothing.
#include <algorithm>
#include <atomic>
#include <fstream>
#include <functional>
#include <map>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pugixml.hpp>

#include "sql/database.h"
#include "tests/support/command.h"
#include "tests/support/courant_server.h"
#include "tests/support/patience.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"

namespace courant::test::lifecycle_readers_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr int kPageSize = 5;
constexpr const char* kFeed = "/demo/events";

std::string entry(const std::string& id, const std::string& text) {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>t</title><content>" + text +
         "</content></entry>";
}

std::string path_of(const std::string& url) {
  return url.substr(url.find('/', url.find("://") + 3));
}

struct Page {
  std::vector<std::int64_t> positions;       // ascending
  std::map<std::string, std::string> links;  // relation -> path and query
};

Page page_of(const std::string& document) {
  pugi::xml_document parsed;
  parsed.load_buffer(document.data(), document.size());
  Page page;
  for (const pugi::xml_node& child : parsed.child("feed").children()) {
    if (const pugi::xml_node log = child.child("c:log")) page.positions.push_back(log.attribute("position").as_llong());
    if (std::string_view(child.name()) == "link")
      page.links[child.attribute("rel").value()] = path_of(child.attribute("href").value());
  }
  std::sort(page.positions.begin(), page.positions.end());
  return page;
}

// The path and query that a Link field leads to; empty: it has no such relation.
std::string link_in(const Reply& reply, const std::string& rel) {
  const std::string field = reply.header("Link");
  const std::size_t end = field.find(">; rel=\"" + rel + "\"");
  if (end == std::string::npos) return {};
  const std::size_t begin = field.rfind('<', end) + 1;
  return path_of(field.substr(begin, end - begin));
}

// Reads one page after the other, from the first on. Where something is gone it goes on by the link that the answer
// names: by `last`, from there to what is newer; or, in a new generation, by `current`, and from there back through the
// archive to where it was.
class Reader {
 public:
  // relation: "previous" or "next-archive", which leads to what is newer.
  Reader(int port, std::string target, std::string relation)
      : client_(port, false), target_(std::move(target)), relation_(std::move(relation)) {}

  // Reads once. False: there is nothing more at the moment.
  bool read() {
    const Reply reply = client_.get(target_);
    if (reply.status == 410) {
      go_on(reply);
      return true;
    }
    if (reply.status == 303) return false;  // an archive page that is not complete yet
    // The log has changed under an archive page that was being made: for a moment it must be asked for again.
    if (reply.status == 503 && !reply.header("Retry-After").empty()) return true;
    EXPECT_EQ(reply.status, 200) << target_ << ": " << reply.body;
    if (reply.status != 200) return false;
    Page page = page_of(reply.body);
    if (is_returning_) {
      const bool is_head = target_ == kFeed;
      if (page.links.contains("prev-archive") && (is_head || page.positions.front() > seen_ + 1)) {
        target_ = page.links["prev-archive"];
        return true;
      }
      if (is_head) return false;
      is_returning_ = false;
      std::erase_if(page.positions, [this](std::int64_t position) { return position <= seen_; });
    }
    for (const std::int64_t position : page.positions) {
      EXPECT_TRUE(has_gap_ ? position > seen_ : position == seen_ + 1)
          << target_ << " shows " << position << " to a reader who has seen " << seen_;
      has_gap_ = false;
      seen_ = position;
    }
    target_ = page.links[relation_];
    return relation_ == "next-archive" || !page.positions.empty();
  }

  std::int64_t seen() const { return seen_; }
  int sent_on() const { return sent_on_; }  // how often something was gone

 private:
  void go_on(const Reply& reply) {
    ++sent_on_;
    if (const std::string last = link_in(reply, "last"); !last.empty()) {
      target_ = last;
      relation_ = "previous";
      has_gap_ = true;
      return;
    }
    EXPECT_EQ(link_in(reply, "current"), kFeed) << reply.head;
    target_ = kFeed;
    is_returning_ = true;
  }

  HttpClient client_;
  std::string target_;
  std::string relation_;
  bool has_gap_ = false;       // positions may be left out before the next one
  bool is_returning_ = false;  // looks for the archive page that it has not read to its end
  std::atomic<std::int64_t> seen_{0};
  std::atomic<int> sent_on_{0};
};

class LifecycleReadersTest : public testing::Test {
 protected:
  ~LifecycleReadersTest() override { end(); }

  // workspace: settings of the workspace demo, in TOML.
  void serve(const std::string& workspace) {
    const std::string config = scratch("lifecycle-readers.toml");
    std::ofstream(config) << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = " << kPageSize << "\n"
                          << workspace << "\n";
    server_ =
        std::make_unique<CourantServer>(std::vector<std::string>{"--database", database_.url(), "--config", config});
    HttpClient client(server_->port());
    for (int number = 1; number <= 30; ++number)
      ASSERT_EQ(client.post(kFeed, entry("early-" + std::to_string(number), "secret")).status, 201);
  }

  // Three writers; two readers who follow `previous`, one who reads the archive.
  void begin() {
    for (int writer = 0; writer < 3; ++writer) writers_.emplace_back([this, writer] { write(writer); });
    for (int i = 0; i < 2; ++i) add_reader("?marker=0&direction=forward&limit=7", "previous", [](const Reader&) {});
    add_reader("/archive/1", "next-archive", [](const Reader&) {});
  }
  // before: what it does before each request.
  void add_reader(const std::string& target, const std::string& relation, std::function<void(const Reader&)> before) {
    readers_.push_back(std::make_unique<Reader>(server_->port(), kFeed + target, relation));
    threads_.emplace_back([this, &reader = *readers_.back(), before = std::move(before)] {
      for (bool is_last_look = false;;) {
        before(reader);
        if (reader.read()) continue;
        if (is_last_look) break;
        is_last_look = are_writers_gone_;
        std::this_thread::yield();
      }
    });
  }
  // Writers stop, readers read what is left.
  void end() {
    is_over_ = true;
    for (std::thread& writer : writers_) writer.join();
    are_writers_gone_ = true;
    for (std::thread& thread : threads_) thread.join();
    writers_.clear();
    threads_.clear();
  }

  // Waits until so much more is written; the test fails where that takes longer than a minute.
  void let_write(int count) {
    const int enough = written_ + count;
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (written_ < enough) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "writers do not get on";
      std::this_thread::yield();
    }
  }
  Ran command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin() + 1, {"--database", database_.url()});
    return run_courant(arguments);
  }

  // Everybody has come to the end, and the log verifies.
  void expect_all_is_well() {
    const std::int64_t head = std::stoll(HttpClient(server_->port()).get(kFeed).header("Feed-Position"));
    for (const auto& reader : readers_) EXPECT_GT(reader->seen(), head - kPageSize);
    for (int i = 0; i < 2; ++i) EXPECT_EQ(readers_[static_cast<std::size_t>(i)]->seen(), head);
    const Ran ran = run_courant(
        {"verify", server_->url() + kFeed, "--state", scratch("verified/lifecycle-readers.json"), "--forget"});
    EXPECT_EQ(ran.status, 0) << ran.output;
  }

  TestDatabase database_;
  std::unique_ptr<CourantServer> server_;
  std::atomic<bool> is_over_{false};
  std::atomic<bool> are_writers_gone_{false};
  std::vector<std::unique_ptr<Reader>> readers_;  // those who follow `previous`, then who reads the archive

 private:
  void write(int writer) {
    HttpClient client(server_->port(), false);
    for (int number = 0; !is_over_; ++number) {
      const std::string id = std::to_string(writer) + "-" + std::to_string(number);
      const Reply posted = client.post(kFeed, entry(id, "first"));
      EXPECT_EQ(posted.status, 201) << posted.body;
      ++written_;
      if (number % 4 != 0) continue;
      const Reply put = client.put(kFeed + ("/entries/urn:x:" + id), entry(id, "second"));
      EXPECT_EQ(put.status / 100, 2) << put.status << put.body;
    }
  }

  std::atomic<int> written_{0};
  std::vector<std::thread> writers_;
  std::vector<std::thread> threads_;
};

TEST_F(LifecycleReadersTest, WhileHistoryIsDroppedReadersAreSentOnAndWritersNoticeNothing) {
  serve("retain = '40 entries'");
  const auto floor_of = [](sql::Session& session) {
    return session.run({"floor", "select floor_position from feeds"})[0].integer(0);
  };
  begin();
  // One who is too slow: what it has not read is dropped before it asks.
  auto own = std::make_shared<sql::Session>(database_.url());
  add_reader("?marker=0&direction=forward&limit=7", "previous", [this, own, floor_of](const Reader& reader) {
    while (!is_over_ && floor_of(*own) <= reader.seen()) std::this_thread::yield();
  });
  sql::Session session(database_.url());
  for (int drop = 0; drop < 3; ++drop) {
    const std::int64_t before = floor_of(session);
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (floor_of(session) == before) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing is dropped";
      std::this_thread::yield();
    }
  }
  end();
  EXPECT_GT(readers_.back()->sent_on(), 0);
  // Until nothing more is to be dropped, so that the verification reads what stays.
  const std::int64_t head = std::stoll(HttpClient(server_->port()).get(kFeed).header("Feed-Position"));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (head - floor_of(session) >= 40 + kPageSize) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "nothing is dropped any more";
    std::this_thread::yield();
  }
  expect_all_is_well();
}

TEST_F(LifecycleReadersTest, WhileContentIsErasedReadersMissNoPosition) {
  serve("redactable = true");
  begin();
  for (int number = 1; number <= 6; ++number) {
    let_write(20);
    const Ran ran = command({"redact", "demo/events", "urn:x:early-" + std::to_string(number * 5)});
    EXPECT_EQ(ran.status, 0) << ran.output;
  }
  end();
  for (const auto& reader : readers_) EXPECT_EQ(reader->sent_on(), 0);
  expect_all_is_well();
  HttpClient client(server_->port());
  for (int page = 1; page <= 6; ++page) {
    const std::string body = client.get(kFeed + ("/archive/" + std::to_string(page))).body;
    EXPECT_THAT(body, HasSubstr("redacted=\"true\"")) << page;
    EXPECT_THAT(body, Not(HasSubstr("early-" + std::to_string(page * 5) + "</id>"))) << page;
  }
}

// Another process may have begun a generation and stored its pages: their bytes do not belong under an older name,
// where caches would keep them.
TEST_F(LifecycleReadersTest, AStoredPageOfAGenerationThatTheServerHasNotHeardOfIsNotServedUnderAnOlderName) {
  serve("");
  HttpClient client(server_->port());
  ASSERT_EQ(client.get("/demo/events/archive/1").status, 200);
  sql::Session(database_.url()).execute_script("update log_facts set generation = 2");  // it is told nothing
  const Reply reply = client.get("/demo/events/archive/1");
  EXPECT_EQ(reply.status, 410) << reply.body;
  EXPECT_EQ(link_in(reply, "current"), kFeed);
}

TEST_F(LifecycleReadersTest, WhileANewGenerationBeginsReadersOfTheArchiveAreSentOnAndReadOn) {
  serve("");
  begin();
  for (int generation = 2; generation <= 4; ++generation) {
    let_write(40);
    const Ran ran = command({"new-generation"});
    EXPECT_EQ(ran.status, 0) << ran.output;
    EXPECT_THAT(ran.output, HasSubstr("Generation " + std::to_string(generation) + ": "));
  }
  let_write(40);
  end();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(readers_[static_cast<std::size_t>(i)]->sent_on(), 0) << "nothing was lost";
  EXPECT_GT(readers_[2]->sent_on(), 0);
  expect_all_is_well();
}

}  // namespace
}  // namespace courant::test::lifecycle_readers_test
