#include "http/tally.h"

#include <gtest/gtest.h>

#include "http/router.h"
#include "tests/unit/http/served.h"

namespace courant::http {
namespace {

using namespace std::chrono_literals;

double value_of(const Metrics& metrics, const std::string& name, const MetricLabels& labels) {
  for (const MetricSample& sample : metrics.samples()) {
    if (sample.name == name && sample.labels == labels) return sample.value;
  }
  return -1;
}

TEST(Tally, TellsTheMetricsWhenItIsFlushed) {
  Metrics metrics;
  Tally tally(metrics);
  constexpr std::string_view kRoute = "/{feed}";
  Tally::Series& series = tally.series(kRoute, Method::kGet, 204);
  Tally::count(series, 3ms);
  tally.count_known(series);
  tally.count_waited(series, 7s);
  tally.sent += 10;
  const MetricLabels labels = {{"route", "/{feed}"}, {"method", "GET"}, {"status", "2xx"}};
  EXPECT_EQ(value_of(metrics, "courant_http_requests_total", labels), 0);
  tally.flush();
  EXPECT_EQ(value_of(metrics, "courant_http_requests_total", labels), 3);
  EXPECT_EQ(value_of(metrics, "courant_http_sent_bytes_total", {}), 10);
  EXPECT_EQ(value_of(metrics, "courant_http_request_seconds_count", {{"route", "/{feed}"}}), 2);
  EXPECT_DOUBLE_EQ(value_of(metrics, "courant_http_request_seconds_sum", {{"route", "/{feed}"}}), 0.003);
  EXPECT_EQ(value_of(metrics, "courant_http_request_seconds_bucket", {{"route", "/{feed}"}, {"le", "0.0025"}}), 1);
  EXPECT_EQ(value_of(metrics, "courant_http_request_seconds_bucket", {{"route", "/{feed}"}, {"le", "0.005"}}), 2);
  EXPECT_DOUBLE_EQ(value_of(metrics, "courant_http_wait_seconds_sum", {}), 7);
  tally.flush();
  EXPECT_EQ(value_of(metrics, "courant_http_requests_total", labels), 3) << "what was told is told once";
}

TEST(Tally, HasOneSeriesForAllStatusesOfAClass) {
  Metrics metrics;
  Tally tally(metrics);
  constexpr std::string_view kRoute = "/{feed}";
  EXPECT_EQ(&tally.series(kRoute, Method::kGet, 200), &tally.series(kRoute, Method::kGet, 206));
  EXPECT_NE(&tally.series(kRoute, Method::kGet, 200), &tally.series(kRoute, Method::kGet, 304));
  EXPECT_NE(&tally.series(kRoute, Method::kGet, 200), &tally.series(kRoute, Method::kHead, 200));
}

class Routes : public Served {
 protected:
  double count(const std::string& route, const std::string& method, const std::string& status) {
    return value_of(metrics_, "courant_http_requests_total",
                    {{"route", route}, {"method", method}, {"status", status}});
  }
};

TEST_F(Routes, AreCountedByPatternWhateverIsAskedFor) {
  serve();
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    ask("GET /demo/" + number + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ask("GET /nowhere/" + number + "/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ask("X" + number + " /demo/a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    ask("nonsense\r\n\r\n");
  }
  // Each io thread tells what it has counted when its time comes.
  const auto becomes_20 = [&](const char* route, const char* method, const char* status) {
    return test::wait_until([&] { return count(route, method, status) == 20; });
  };
  EXPECT_TRUE(becomes_20("(refused)", "GET", "4xx"));
  EXPECT_TRUE(becomes_20("/demo/{name}", "GET", "2xx"));
  EXPECT_TRUE(becomes_20("(none)", "GET", "4xx"));
  EXPECT_TRUE(becomes_20("/demo/{name}", "other", "4xx")) << "501, which strangers can ask for, alerts nobody";
}

}  // namespace
}  // namespace courant::http
