// What a service counts, for Prometheus. One thread writes and renders; nothing here locks, and nothing is
// rendered before it is asked for. The list of metrics is metrics.def.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

namespace flow {

enum class Metric : std::uint8_t {
#define FLOW_METRIC(id, kind, name, labels, meaning) id,
#include "runtime/metrics.def"
#undef FLOW_METRIC
};

class Metrics {
 public:
  // Series of one metric; beyond, all others are one whose labels are `other`.
  static constexpr std::size_t kMaxSeries = 5'000;

  // Values of the metric's labels, in their order.
  using Labels = std::initializer_list<std::string_view>;

  void add(Metric metric, Labels labels = {}, std::uint64_t count = 1);     // a counter
  void set(Metric metric, Labels labels, double value);                     // a gauge
  void forget(Metric metric);                                               // all its series
  void observe_us(Metric metric, Labels labels, std::int64_t duration_us);  // Seconds
  void observe(Metric metric, std::uint64_t count);                         // Count

  // The text format 0.0.4, of the metrics that have a value.
  std::string text() const;

 private:
  static constexpr std::size_t kBuckets = 17;
  struct Series {
    std::uint64_t count = 0;  // of a counter or a histogram
    double sum = 0;           // of a histogram; of a gauge its value
    std::array<std::uint64_t, kBuckets> buckets{};
  };
  using AllSeries = std::map<std::string, Series, std::less<>>;  // by their labels as they are written
  Series& series(Metric metric, Labels labels);
  static void write(std::string& out, Metric metric, std::string_view labels, const Series& series);

  std::map<Metric, AllSeries> all_;
  std::string key_;
};

}  // namespace flow
