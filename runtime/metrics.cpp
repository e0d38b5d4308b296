#include "runtime/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace flow {
namespace {

enum class Kind : std::uint8_t { Counter, Gauge, Seconds, Count };
struct Info {
  Kind kind;
  std::string_view name;
  std::string_view labels;
  std::string_view meaning;
};
constexpr Info kInfos[] = {
#define FLOW_METRIC(id, kind, name, labels, meaning) {Kind::kind, name, labels, meaning},
#include "runtime/metrics.def"
#undef FLOW_METRIC
};
const Info& info(Metric metric) {
  return kInfos[static_cast<std::size_t>(metric)];
}

// Upper bounds; the last bucket, which takes all, has none.
constexpr double kSeconds[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                               0.05,   0.1,     0.25,   0.5,   1,      2.5,   10,   30};
constexpr double kCounts[] = {1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 1000, 2000};

const double* bounds(Kind kind) {
  return kind == Kind::Seconds ? kSeconds : kCounts;
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

// `tenant="contoso",flow="isolate"`; all `other` when there are no values.
void write_labels(std::string& out, std::string_view names, Metrics::Labels values, bool is_other) {
  out.clear();
  auto value = values.begin();
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    if (!out.empty()) out += ',';
    out.append(names.substr(0, comma)).append("=\"");
    append_escaped(out, is_other ? "other" : value != values.end() ? *value++ : std::string_view());
    out += '"';
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
}

std::string number(double value) {
  return fmt::format("{}", value);
}

}  // namespace

static_assert(std::size(kSeconds) == std::size(kCounts), "one array of buckets holds either");

Metrics::Series& Metrics::series(Metric metric, Labels labels) {
  static_assert(std::size(kSeconds) + 1 == kBuckets, "one bucket more than bounds");
  AllSeries& of_metric = all_[metric];
  write_labels(key_, info(metric).labels, labels, false);
  auto found = of_metric.find(key_);
  if (found != of_metric.end()) return found->second;
  if (of_metric.size() >= kMaxSeries) write_labels(key_, info(metric).labels, labels, true);
  return of_metric[key_];
}

void Metrics::add(Metric metric, Labels labels, std::uint64_t count) {
  series(metric, labels).count += count;
}

void Metrics::set(Metric metric, Labels labels, double value) {
  series(metric, labels).sum = value;
}

void Metrics::forget(Metric metric) {
  all_.erase(metric);
}

// A clock that was set back in between tells of no time.
void Metrics::observe_us(Metric metric, Labels labels, std::int64_t duration_us) {
  Series& into = series(metric, labels);
  const double seconds = static_cast<double>(std::max<std::int64_t>(duration_us, 0)) / 1e6;
  ++into.buckets[std::lower_bound(std::begin(kSeconds), std::end(kSeconds), seconds) - std::begin(kSeconds)];
  ++into.count;
  into.sum += seconds;
}

void Metrics::observe(Metric metric, std::uint64_t count) {
  Series& into = series(metric, {});
  const auto value = static_cast<double>(count);
  ++into.buckets[std::lower_bound(std::begin(kCounts), std::end(kCounts), value) - std::begin(kCounts)];
  ++into.count;
  into.sum += value;
}

void Metrics::write(std::string& out, Metric metric, std::string_view labels, const Series& series) {
  const auto line = [&](std::string_view suffix, std::string_view more, const std::string& value) {
    const bool has_both = !labels.empty() && !more.empty();
    const bool has_any = !labels.empty() || !more.empty();
    out += fmt::format("{}{}{}{}{}{}{} {}\n", info(metric).name, suffix, has_any ? "{" : "", labels,
                       has_both ? "," : "", more, has_any ? "}" : "", value);
  };
  switch (info(metric).kind) {
    case Kind::Counter: return line("", "", fmt::format("{}", series.count));
    case Kind::Gauge: return line("", "", number(series.sum));
    case Kind::Seconds:
    case Kind::Count: break;
  }
  std::uint64_t below = 0;
  for (std::size_t i = 0; i + 1 < kBuckets; ++i) {
    below += series.buckets[i];
    line("_bucket", fmt::format("le=\"{}\"", bounds(info(metric).kind)[i]), fmt::format("{}", below));
  }
  line("_bucket", "le=\"+Inf\"", fmt::format("{}", series.count));
  line("_sum", "", number(series.sum));
  line("_count", "", fmt::format("{}", series.count));
}

std::string Metrics::text() const {
  std::string out;
  for (const auto& [metric, of_metric] : all_) {
    const Info& told = info(metric);
    const char* const type = told.kind == Kind::Counter ? "counter"
                             : told.kind == Kind::Gauge ? "gauge"
                                                        : "histogram";
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", told.name, told.meaning, told.name, type);
    for (const auto& [labels, series] : of_metric) write(out, metric, labels, series);
  }
  return out;
}

}  // namespace flow
