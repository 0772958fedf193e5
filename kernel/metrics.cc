#include "kernel/metrics.h"

#include <cmath>
#include <mutex>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace courant {
namespace {

class PrometheusCounter final : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& inner) : inner_(inner) {}
  void add(double amount) override { inner_.Increment(amount); }
  double value() const override { return inner_.Value(); }

 private:
  prometheus::Counter& inner_;
};

class PrometheusGauge final : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& inner) : inner_(inner) {}
  void set(double value) override { inner_.Set(value); }
  void add(double amount) override { inner_.Increment(amount); }
  double value() const override { return inner_.Value(); }

 private:
  prometheus::Gauge& inner_;
};

class PrometheusHistogram final : public Histogram {
 public:
  explicit PrometheusHistogram(prometheus::Histogram& inner) : inner_(inner) {}
  void observe(double value) override { inner_.Observe(value); }
  void add(const std::vector<double>& counts, double sum) override { inner_.ObserveMultiple(counts, sum); }

 private:
  prometheus::Histogram& inner_;
};

// "0.005", not "0.005000".
std::string shortest(double number) {
  std::string text = std::to_string(number);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// The wrapper of one series, made at its first use.
template <class Wrapper, class Inner, class Wrappers>
auto& wrapped(Wrappers& wrappers, Inner& inner) {
  auto& slot = wrappers[&inner];
  if (!slot) slot = std::make_unique<Wrapper>(inner);
  return *slot;
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  std::mutex mutex;  // guards the maps and the looks
  std::map<prometheus::Counter*, std::unique_ptr<Counter>> counters;
  std::map<prometheus::Gauge*, std::unique_ptr<Gauge>> gauges;
  std::map<prometheus::Histogram*, std::unique_ptr<Histogram>> histograms;
  std::vector<std::function<void()>> looks;

  std::vector<prometheus::MetricFamily> collect() {
    std::vector<std::function<void()>> before;
    {
      const std::lock_guard lock(mutex);
      before = looks;
    }
    for (const std::function<void()>& look : before) look();
    return registry.Collect();
  }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
  return wrapped<PrometheusCounter>(state_->counters, family.Add(labels));
}

Gauge& Metrics::gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
  return wrapped<PrometheusGauge>(state_->gauges, family.Add(labels));
}

Histogram& Metrics::histogram(const std::string& name, const std::string& help, const std::vector<double>& upper_bounds,
                              const MetricLabels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& family = prometheus::BuildHistogram().Name(name).Help(help).Register(state_->registry);
  return wrapped<PrometheusHistogram>(state_->histograms, family.Add(labels, upper_bounds));
}

void Metrics::before_reading(std::function<void()> look) {
  const std::lock_guard lock(state_->mutex);
  state_->looks.push_back(std::move(look));
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(state_->collect());
}

std::vector<MetricSample> Metrics::samples() const {
  std::vector<MetricSample> samples;
  for (const prometheus::MetricFamily& family : state_->collect()) {
    for (const prometheus::ClientMetric& metric : family.metric) {
      MetricLabels labels;
      for (const auto& label : metric.label) labels.emplace(label.name, label.value);
      if (family.type != prometheus::MetricType::Histogram) {
        const bool is_counter = family.type == prometheus::MetricType::Counter;
        samples.push_back({family.name, labels, is_counter ? metric.counter.value : metric.gauge.value});
        continue;
      }
      const prometheus::ClientMetric::Histogram& histogram = metric.histogram;
      samples.push_back({family.name + "_count", labels, static_cast<double>(histogram.sample_count)});
      samples.push_back({family.name + "_sum", labels, histogram.sample_sum});
      for (const auto& bucket : histogram.bucket) {
        labels["le"] = std::isinf(bucket.upper_bound) ? "+Inf" : shortest(bucket.upper_bound);
        samples.push_back({family.name + "_bucket", labels, static_cast<double>(bucket.cumulative_count)});
      }
    }
  }
  return samples;
}

}  // namespace courant
