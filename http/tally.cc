#include "http/tally.h"

#include <algorithm>
#include <string>
#include <utility>

namespace courant::http {
namespace {

// Seconds; fine below the 10 ms that pages take, coarse above.
const std::vector<double> kRequestSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                             0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
const std::vector<double> kWaitSeconds = {0.1, 1, 5, 10, 20, 30, 60, 120};

}  // namespace

Tally::Times::Times(Histogram& the_histogram, const std::vector<double>& the_bounds)
    : histogram(the_histogram), bounds(the_bounds), counts(the_bounds.size() + 1) {}

void Tally::Times::add(std::chrono::nanoseconds time) {
  const double seconds = std::chrono::duration<double>(time).count();
  const auto bound = std::lower_bound(bounds.begin(), bounds.end(), seconds);
  ++counts[static_cast<std::size_t>(bound - bounds.begin())];
  sum += seconds;
  is_new = true;
}

void Tally::Times::flush() {
  if (!std::exchange(is_new, false)) return;
  histogram.add(counts, std::exchange(sum, 0));
  std::fill(counts.begin(), counts.end(), 0);
}

Tally::Tally(Metrics& metrics)
    : metrics_(metrics),
      received_(metrics.counter("courant_http_received_bytes_total", "Bytes that clients have sent")),
      sent_(metrics.counter("courant_http_sent_bytes_total", "Bytes that were sent to clients")),
      streams_(metrics.gauge("courant_http2_streams", "Open streams of HTTP/2")),
      given_again_(metrics.counter("courant_http_answers_given_again_total",
                                   "Answers from memory to requests that came again byte for byte")),
      waited_(
          metrics.histogram("courant_http_wait_seconds",
                            "How long requests were kept that waited for news on their clients' wish", kWaitSeconds),
          kWaitSeconds) {}

Tally::Times& Tally::times_of(std::string_view route) {
  std::unique_ptr<Times>& times = times_[route.data()];
  if (!times) {
    times = std::make_unique<Times>(
        metrics_.histogram("courant_http_request_seconds",
                           "How long requests took from their arrival as a whole until their answer began",
                           kRequestSeconds, {{"route", std::string(route)}}),
        kRequestSeconds);
  }
  return *times;
}

Tally::Series& Tally::series(std::string_view route, Method method, int status) {
  const int status_class = status >= 500 && !is_failure(status) ? 4 : status / 100;
  std::unique_ptr<Series>& series = series_[Key{route.data(), method, status_class}];
  if (!series) {
    Counter& counter = metrics_.counter("courant_http_requests_total", "Requests answered",
                                        {{"route", std::string(route)},
                                         {"method", std::string(name_of(method))},
                                         {"status", std::to_string(status_class) + "xx"}});
    series.reset(new Series{counter, times_of(route)});
  }
  return *series;
}

void Tally::count_waited(Series& series, std::chrono::nanoseconds time) {
  ++series.count;
  waited_.add(time);
}

void Tally::flush() {
  for (const auto& [key, series] : series_) {
    if (series->count > 0) series->counter.add(static_cast<double>(std::exchange(series->count, 0)));
  }
  for (const auto& [route, times] : times_) times->flush();
  waited_.flush();
  received_.add(static_cast<double>(std::exchange(received, 0)));
  sent_.add(static_cast<double>(std::exchange(sent, 0)));
  if (known_ > 0) given_again_.add(static_cast<double>(std::exchange(known_, 0)));
  streams_.add(static_cast<double>(std::exchange(streams, 0)));
}

}  // namespace courant::http
