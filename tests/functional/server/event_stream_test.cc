// A feed as server-sent events (HTML, "Server-sent events").
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/courant_server.h"
#include "tests/support/scratch.h"
#include "tests/support/test_database.h"
#include "tests/support/wait_until.h"

namespace courant::test::event_stream_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;

std::string entry(const std::string& id, const std::string& term = "t") {
  return "<entry xmlns='http://www.w3.org/2005/Atom'><id>urn:x:" + id + "</id><title>" + id +
         "</title><category term='" + term + "'/><content>two\n\nlines</content></entry>";
}

struct Event {
  std::string id;
  std::string name;
  std::string data;
};

// An event source as browsers read one: of what is dispatched, and the last event id.
class EventSource {
 public:
  // receive_buffer: as RawClient has it.
  EventSource(const CourantServer& server, const std::string& target, const std::string& headers = {},
              int receive_buffer = 0)
      : client_(static_cast<std::uint16_t>(server.port()), kPatience, receive_buffer) {
    client_.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
    head_ = client_.read_response();
  }
  const std::string& head() const { return head_; }
  const std::string& last_id() const { return last_id_; }
  bool has_more_within(std::chrono::milliseconds patience) { return client_.has_answer_within(patience); }

  // The next event with data; an empty one: the stream has ended.
  Event next() {
    Event event;
    for (;;) {
      const std::size_t end = text_.find('\n');
      if (end == std::string::npos) {
        if (!read_chunk()) return {};
        continue;
      }
      const std::string line = text_.substr(0, end);
      text_.erase(0, end + 1);
      if (line.starts_with("id: ")) event.id = last_id_ = line.substr(4);
      if (line.starts_with("event: ")) event.name = line.substr(7);
      if (line.starts_with("data: ")) event.data += line.substr(6) + "\n";
      if (line.empty() && !event.data.empty()) return event;
    }
  }
  // Until the last event id is that.
  void await_id(const std::string& id) {
    while (last_id_ != id) {
      const std::size_t end = text_.find("\n\n");
      if (end == std::string::npos) {
        if (!read_chunk()) return;
        continue;
      }
      const std::string block = text_.substr(0, end + 1);
      text_.erase(0, end + 2);
      const std::size_t at = block.find("id: ");
      if (at != std::string::npos) last_id_ = block.substr(at + 4, block.find('\n', at) - at - 4);
    }
  }

 private:
  bool read_chunk() {
    std::string size;
    while (!size.ends_with("\r\n")) {
      const std::string byte = client_.read_bytes(1);
      if (byte.empty()) return false;
      size += byte;
    }
    const std::size_t length = std::stoul(size, nullptr, 16);
    text_ += client_.read_bytes(length);
    client_.read_bytes(2);
    return length > 0;
  }

  RawClient client_;
  std::string head_;
  std::string text_;
  std::string last_id_;
};

class EventStreamTest : public testing::Test {
 protected:
  void publish(const std::string& id, const std::string& term = "t") {
    ASSERT_EQ(client_.post("/demo/events", entry(id, term)).status, 201);
  }
  TestDatabase database_;
  CourantServer server_{{"--database", database_.url()}};
  HttpClient client_{server_.port()};
};

TEST_F(EventStreamTest, BeginsAtTheHeadAndGoesOn) {
  publish("1");
  EventSource source(server_, "/demo/events", "Accept: text/event-stream\r\n");
  EXPECT_THAT(source.head(), StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(source.head(), HasSubstr("Content-Type: text/event-stream\r\n"));
  EXPECT_THAT(source.head(), HasSubstr("Cache-Control: no-store\r\n"));
  source.await_id("1");
  publish("2");
  const Event event = source.next();
  EXPECT_EQ(event.id, "2");
  EXPECT_EQ(event.name, "entry");
  EXPECT_THAT(event.data, HasSubstr("<id>urn:x:2</id>"));
  EXPECT_THAT(event.data, HasSubstr("two\n\nlines"));
  publish("3");
  EXPECT_EQ(source.next().id, "3");
}

TEST_F(EventStreamTest, ResumesFromTheLogBehindTheLastEvent) {
  for (int i = 1; i <= 250; ++i) publish(std::to_string(i));
  for (const std::string headers : {"Last-Event-ID: 3\r\n", ""}) {
    EventSource source(
        server_, headers.empty() ? "/demo/events?format=events&lastEventId=3" : "/demo/events?format=events", headers);
    for (int i = 4; i <= 250; ++i) ASSERT_EQ(source.next().id, std::to_string(i));
  }
  EventSource whole(server_, "/demo/events?format=events&lastEventId=0");
  EXPECT_EQ(whole.next().id, "1");
}

TEST_F(EventStreamTest, DeletionsAndEditsAreEvents) {
  publish("1");
  EventSource source(server_, "/demo/events?format=events&lastEventId=1");
  ASSERT_EQ(client_.put("/demo/events/entries/urn:x:1", entry("1", "edited")).status, 200);
  EXPECT_EQ(source.next().name, "entry");
  ASSERT_EQ(client_.remove("/demo/events/entries/urn:x:1").status, 204);
  const Event deletion = source.next();
  EXPECT_EQ(deletion.id, "3");
  EXPECT_EQ(deletion.name, "deleted");
  EXPECT_THAT(deletion.data, HasSubstr("at:deleted-entry"));
}

TEST_F(EventStreamTest, DataCanBeJson) {
  publish("1");
  ASSERT_EQ(client_.remove("/demo/events/entries/urn:x:1").status, 204);
  EventSource source(server_, "/demo/events?format=events&lastEventId=0&data=json");
  const nlohmann::json item = nlohmann::json::parse(source.next().data);
  EXPECT_EQ(item["id"], "urn:x:1");
  EXPECT_EQ(item["_courant"]["position"], 1);
  const nlohmann::json deleted = nlohmann::json::parse(source.next().data);
  EXPECT_EQ(deleted["id"], "urn:x:1");
  EXPECT_EQ(deleted["_courant"]["position"], 2);
  EXPECT_EQ(client_.get("/demo/events?format=events&data=yaml").status, 400);
}

TEST_F(EventStreamTest, AFilteredStreamTellsHowFarItHasLooked) {
  publish("1", "gold");
  for (int i = 2; i <= 5; ++i) publish(std::to_string(i), "lead");
  EventSource source(server_, "/demo/events?search=%2Bgold&format=events&lastEventId=0");
  EXPECT_EQ(source.next().id, "1");
  source.await_id("5");
  publish("6", "lead");
  publish("7", "gold");
  EXPECT_EQ(source.next().id, "7");
}

TEST_F(EventStreamTest, WhatCannotBeResumedIsSaid) {
  publish("1");
  EXPECT_EQ(client_.get("/demo/events?format=events&lastEventId=x").status, 400);
  const Reply beyond = client_.get("/demo/events?format=events&lastEventId=99");
  EXPECT_EQ(beyond.status, 400);
  EXPECT_THAT(beyond.body, HasSubstr("beyond the newest entry"));
  EXPECT_EQ(client_.get("/demo/none?format=events").status, 404);
}

// RFC 9110 13.1.2: the condition is about a current representation, which a stream does not have.
TEST_F(EventStreamTest, IsNoUnchangedPage) {
  publish("1");
  for (const std::string& known : {std::string("*"), client_.get("/demo/events").header("ETag")}) {
    EventSource source(server_, "/demo/events", "Accept: text/event-stream\r\nIf-None-Match: " + known + "\r\n");
    EXPECT_THAT(source.head(), StartsWith("HTTP/1.1 200 ")) << known;
    source.await_id("1");
  }
}

// Nothing is kept for a reader that does not read: he is read to from the log, from where he is.
TEST_F(EventStreamTest, AReaderThatStopsGetsEverythingInOrderOnceHeGoesOn) {
  publish("1");
  EventSource source(server_, "/demo/events?format=events", "", 4096);
  source.await_id("1");
  // More than sockets hold.
  constexpr int kBatches = 8;
  constexpr int kInOne = 50;
  const std::string text(20'000, 'x');
  for (int batch = 0; batch < kBatches; ++batch) {
    std::string feed = "<feed xmlns='http://www.w3.org/2005/Atom'>";
    for (int i = 0; i < kInOne; ++i) {
      feed += "<entry><id>urn:x:" + std::to_string(batch) + "." + std::to_string(i) + "</id><title>t</title><content>" +
              text + "</content></entry>";
    }
    ASSERT_EQ(client_.post("/demo/events", feed + "</feed>").status, 200);
  }
  for (int position = 2; position <= 1 + kBatches * kInOne; ++position) {
    const Event event = source.next();
    ASSERT_EQ(event.id, std::to_string(position));
    ASSERT_THAT(event.data, HasSubstr(text));
  }
  publish("2");
  EXPECT_EQ(source.next().id, std::to_string(2 + kBatches * kInOne));
}

TEST_F(EventStreamTest, ManyFollowersGetEveryEventOnce) {
  publish("1");
  std::vector<std::unique_ptr<EventSource>> sources;
  for (int i = 0; i < 50; ++i) sources.push_back(std::make_unique<EventSource>(server_, "/demo/events?format=events"));
  for (const auto& source : sources) source->await_id("1");
  for (int i = 2; i <= 30; ++i) publish(std::to_string(i));
  for (const auto& source : sources) {
    for (int i = 2; i <= 30; ++i) ASSERT_EQ(source->next().id, std::to_string(i));
  }
}

// HTTP/1.0 knows no chunks: the stream lasts until the connection ends.
TEST_F(EventStreamTest, ReachesClientsOfHttp10) {
  publish("1");
  RawClient client(static_cast<std::uint16_t>(server_.port()));
  client.send("GET /demo/events?format=events&lastEventId=0 HTTP/1.0\r\nHost: localhost\r\n\r\n");
  const std::string head = client.read_response();
  EXPECT_THAT(head, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_EQ(client.read_bytes(12), "retry: 2000\n");
}

TEST_F(EventStreamTest, AServerThatStopsEndsStreamsWhole) {
  publish("1");
  EventSource source(server_, "/demo/events?format=events");
  source.await_id("1");
  server_.process().signal(SIGTERM);
  EXPECT_EQ(source.next().id, "") << "the last chunk, then the end";
  server_.process().wait();
}

// What retention has dropped is not sent, and who missed it is told where to go on.
TEST(StreamsOfWhatIsKept, WhoIsBehindRetentionIsToldSo) {
  const std::string config = scratch("kept.toml");
  std::ofstream(config) << "[[workspaces]]\nname = 'demo'\nauto_create = true\npage_size = 5\nretain = '10 entries'\n";
  const TestDatabase database;
  const CourantServer server({"--database", database.url(), "--config", config});
  HttpClient client(server.port());
  for (int i = 1; i <= 23; ++i) ASSERT_EQ(client.post("/demo/events", entry(std::to_string(i))).status, 201);
  ASSERT_TRUE(wait_until([&] { return client.get("/demo/events?marker=9").status == 410; }));
  const Reply gone = client.get("/demo/events?format=events&lastEventId=9");
  EXPECT_EQ(gone.status, 410);
  EXPECT_EQ(gone.header("Link"), client.get("/demo/events?marker=9").header("Link"));
  EXPECT_THAT(gone.header("Link"), HasSubstr("/demo/events?marker=last>; rel=\"last\""));
  // Who has come from there, and not from the beginning of time, has missed something.
  EXPECT_EQ(client.get("/demo/events?format=events", "Last-Event-ID: 0\r\n").status, 410);
  // The whole log is what is there of it.
  EventSource whole(server, "/demo/events?format=events&lastEventId=0");
  EXPECT_THAT(whole.head(), StartsWith("HTTP/1.1 200 "));
  for (int i = 11; i <= 23; ++i) ASSERT_EQ(whole.next().id, std::to_string(i));
  EventSource from_there(server, "/demo/events?format=events&lastEventId=10");
  EXPECT_EQ(from_there.next().id, "11");
}

}  // namespace
}  // namespace courant::test::event_stream_test
