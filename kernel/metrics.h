// Metrics: named counters, gauges and histograms, read by the operations port in Prometheus' text form.
//   Counter& published = metrics.counter("courant_entries_published_total", "Entries that got a position");
//   published.add();
// Names follow Prometheus' rules: courant_ first, unit and _total last.
// Threads: any. Registering takes a lock; counting is atomic and takes none.
#pragma once

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

  // All of them in Prometheus' text exposition format 0.0.4.
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace courant
