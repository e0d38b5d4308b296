// The pages on what a service tells of itself: its metrics and its log.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "apps/docgen/pages.hpp"
#include "base/text.hpp"

namespace flow {
namespace {

constexpr const char* kHowToRefresh =
    "Made by `flow-docgen docs/generated`; a test compares. Do not edit: change the source named below.\n";

std::string code_list(std::string_view names) {
  std::string out;
  while (!names.empty()) {
    const std::size_t comma = std::min(names.find(','), names.size());
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", names.substr(0, comma));
    names.remove_prefix(std::min(comma + 1, names.size()));
  }
  return out;
}

std::string_view metric_kind(std::string_view kind) {
  if (kind == "Counter") return "counter";
  if (kind == "Gauge") return "gauge";
  return kind == "Seconds" ? "histogram, seconds" : "histogram";
}

}  // namespace

std::string metrics_page() {
  std::string out = "# Metrics\n\n";
  out += kHowToRefresh;
  out += "Source: `runtime/metrics.def`.\n\n";
  out +=
      "What `GET /metrics` of [`flow serve`](../configuration.md#metrics) tells Prometheus. Counters begin "
      "at "
      "0 with the process; a series is there once it has a value.\n\n";
  out += "| Metric | Kind | Labels | Counts |\n|---|---|---|---|\n";
#define FLOW_METRIC(id, kind, name, labels, meaning) \
  out += fmt::format("| `{}` | {} | {} | {} |\n", name, metric_kind(#kind), code_list(labels), cell(meaning));
#include "runtime/metrics.def"
#undef FLOW_METRIC
  return out;
}

std::string log_page() {
  std::string out = "# The log as JSON\n\n";
  out += kHowToRefresh;
  out += "Source: `apps/server/log.def`.\n\n";
  out +=
      "With [`[log] format = \"json\"`](../configuration.md#log) `flow serve` writes one JSON object a line "
      "to "
      "standard output.\n\n";
  out += "## Members\n\n| Member | Type | Is |\n|---|---|---|\n";
#define FLOW_LOG_FIELD(id, name, type, meaning) \
  out += fmt::format("| `{}` | {} | {} |\n", name, type, cell(meaning));
#define FLOW_LOG_EVENT(id, name, level, meaning)
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
  out += "\n## Events\n\n| Event | Level | Means |\n|---|---|---|\n";
#define FLOW_LOG_FIELD(id, name, type, meaning)
#define FLOW_LOG_EVENT(id, name, level, meaning) \
  out += fmt::format("| `{}` | {} | {} |\n", name, lower_ascii(#level), cell(meaning));
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
  return out;
}

}  // namespace flow
