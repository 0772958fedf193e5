// What /metrics says, against docs/METRICS.md: nothing that is not written there, and all that is.
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/test_database.h"
#include "tests/support/wire_server.h"

namespace courant::test::metrics_test {
namespace {

// How a metric looks from outside.
struct Shape {
  std::string type;
  std::set<std::string> labels;
  bool operator==(const Shape&) const = default;
};
using Shapes = std::map<std::string, Shape>;

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << shape.type;
  for (const std::string& label : shape.labels) out << " " << label;
  return out;
}

// Rows such as: | `name` | counter | route, method | meaning | advice |
Shapes documented() {
  std::ifstream file(COURANT_SOURCE_DIR "/docs/METRICS.md");
  Shapes shapes;
  for (std::string row; std::getline(file, row);) {
    if (!row.starts_with("| `")) continue;
    const std::vector<std::string_view> cells = split(row, '|');
    EXPECT_EQ(cells.size(), 7U) << row;
    const std::string_view name = trim(cells[1]);
    Shape shape{std::string(trim(cells[2])), {}};
    for (const std::string_view label : split(cells[3], ',')) {
      if (!trim(label).empty()) shape.labels.emplace(trim(label));
    }
    EXPECT_FALSE(trim(cells[4]).empty()) << row;
    EXPECT_TRUE(shapes.emplace(name.substr(1, name.size() - 2), shape).second) << name << " stands there twice";
  }
  return shapes;
}

std::set<std::string> labels_of(const std::string& series) {
  std::set<std::string> labels;
  const std::size_t brace = series.find('{');
  if (brace == std::string::npos) return labels;
  // No value holds a comma or an equals sign before a quotation mark but between its own marks.
  for (std::size_t at = brace + 1; at < series.size() && series[at] != '}';) {
    const std::size_t equals = series.find("=\"", at);
    labels.insert(series.substr(at, equals - at));
    std::size_t end = equals + 2;
    while (series[end] != '"') end += series[end] == '\\' ? 2 : 1;
    at = series[end + 1] == ',' ? end + 2 : end + 1;
  }
  return labels;
}

Shapes shown(const std::string& text) {
  Shapes shapes;
  std::istringstream lines(text);
  std::string name;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# HELP ")) {
      EXPECT_GT(line.size(), line.find(' ', 7) + 1) << line << " says nothing";
    } else if (line.starts_with("# TYPE ")) {
      const std::vector<std::string_view> words = split(line, ' ');
      name = words[2];
      shapes[name].type = words[3];
    } else {
      std::set<std::string> labels = labels_of(line.substr(0, line.rfind(' ')));
      if (shapes[name].type == "histogram") labels.erase("le");
      shapes[name].labels.merge(labels);
    }
  }
  return shapes;
}

const char* const kEntry = "<entry xmlns='http://www.w3.org/2005/Atom'><title>t</title><content>c</content></entry>";

class MetricsTest : public testing::Test {
 protected:
  TestDatabase database_;
  WireServer server_{database_.url()};

  std::string series(const std::string& route, const std::string& method, const std::string& status) const {
    return "courant_http_requests_total{method=\"" + method + "\",route=\"" + route + "\",status=\"" + status + "\"}";
  }
  bool reaches(const std::string& metric, double value) const {
    return wait_until([&] { return server_.metric(metric) == value; });
  }
};

TEST_F(MetricsTest, AreThoseOfTheDocumentation) {
  HttpClient client(server_.port());
  EXPECT_EQ(client.post("/demo/events", kEntry).status, 201);
  for (const Way way : kWays) EXPECT_EQ(ask(server_, way, "GET", "/demo/events").status, 200);
  EXPECT_TRUE(reaches(series("/{workspace}/{feed}", "GET", "2xx"), 4));
  HttpClient operations(server_.operations());
  const Shapes is = shown(operations.get("/metrics").body);
  const Shapes written = documented();
  for (const auto& [name, shape] : is) {
    ASSERT_TRUE(written.contains(name)) << name << " is not in docs/METRICS.md";
    EXPECT_EQ(shape, written.at(name)) << name;
  }
  for (const auto& [name, shape] : written) EXPECT_TRUE(is.contains(name)) << name << " is not in /metrics";
}

// Answers that are given again from memory are counted like those that were composed.
TEST_F(MetricsTest, CountEveryRequestByItsRoute) {
  HttpClient client(server_.port());
  client.post("/demo/events", kEntry);
  for (int i = 0; i < 50; ++i) client.get("/demo/events");
  for (int i = 0; i < 10; ++i) client.get("/demo/nothing-" + std::to_string(i));
  PlainHttp2 http2(server_.port());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(http2.http.get("/demo/events").status, 200);
  EXPECT_TRUE(reaches(series("/{workspace}/{feed}", "GET", "2xx"), 100));
  EXPECT_TRUE(reaches(series("/{workspace}/{feed}", "GET", "4xx"), 10));
  EXPECT_TRUE(reaches(series("/{workspace}/{feed}", "POST", "2xx"), 1));
  EXPECT_EQ(server_.metric("courant_http_request_seconds_count{route=\"/{workspace}/{feed}\"}"), 111);
  EXPECT_GT(server_.metric("courant_http_sent_bytes_total"), 100 * std::string(kEntry).size());
  EXPECT_EQ(server_.metric("courant_http2_connections"), 1);
}

TEST_F(MetricsTest, TellWaitsFromWork) {
  HttpClient client(server_.port());
  client.post("/demo/events", kEntry);
  const Reply page = client.get("/demo/events");
  const std::string head = "GET /demo/events HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=50\r\n";
  RawClient waiting(server_.port());
  waiting.send(head + "If-None-Match: " + page.header("ETag") + "\r\n\r\n");
  EXPECT_TRUE(reaches("courant_waiting_readers", 1));
  client.post("/demo/events", kEntry);
  EXPECT_TRUE(waiting.read_response().starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(reaches("courant_http_wait_seconds_count", 1));
  {
    RawClient stream(server_.port());
    stream.send("GET /demo/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    EXPECT_TRUE(reaches("courant_event_streams", 1));
  }
  EXPECT_TRUE(reaches("courant_event_streams", 0));
}

}  // namespace
}  // namespace courant::test::metrics_test
