// Metrics: named counters, gauges and histograms, read by the operations port in Prometheus' text form.
//   Counter& published = metrics.counter("courant_entries_published_total", "Entries that got a position");
//   published.add();
// Names follow Prometheus' rules: courant_ first, unit and _total last.
// Each is described in docs/METRICS.md; a test holds the two against each other.
// Threads: any. Registering takes a lock; counters and gauges are atomic and take none; a histogram has a lock of its
// own, so io threads count for themselves and add what they have counted now and then (http/tally.h).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace courant {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double amount = 1) = 0;
  virtual double value() const = 0;
};

class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;
  virtual double value() const = 0;
};

class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
  // Many at once: how many fell to each bound, with one more place for what is above all of them, and their sum.
  virtual void add(const std::vector<double>& counts, double sum) = 0;
};

// One series as it stands: of a histogram its count and its sum, as name_count and name_sum, and its buckets.
struct MetricSample {
  std::string name;
  MetricLabels labels;
  double value = 0;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The metric of this name and these labels, made at the first call; it lives as long as the Metrics.
  Counter& counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
  // upper_bounds: ascending, without infinity.
  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& upper_bounds,
                       const MetricLabels& labels = {});

  // Called before every reading, on the reader's thread, to set what is looked up and not counted (memory, a queue's
  // length). It must be quick, and what it looks at must live as long as somebody reads.
  void before_reading(std::function<void()> look);

  // All of them in Prometheus' text exposition format 0.0.4.
  std::string text() const;
  // The same as values.
  std::vector<MetricSample> samples() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant
