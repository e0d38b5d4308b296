// What hunting has of its own: tables, and how much time its queries took.
#pragma once

#include <deque>
#include <span>
#include <string>

#include "apps/sim/control.hpp"
#include "apps/sim/hunting_tables.hpp"
#include "apps/sim/state.hpp"

namespace flow::sim {

struct Hunting {
  HuntingTables tables;
  std::deque<std::pair<std::int64_t, double>> spent;  // second, seconds of running
  std::int64_t queries = 0, refused = 0;
  std::deque<Json> last;  // queries, for GET /sim/hunting
};

// Made and brought up to date.
Hunting& hunting(State& state);

// A query's running time is counted, not measured: so many rows looked at and functions called are a second.
inline constexpr double kStepsASecond = 250'000;

struct HuntingAnswer {
  kql::Answer answer;
  double seconds = 0;
};
struct HuntingRefusal {
  int status = 400;
  std::string message;
  std::int64_t retry_after = 0;
};
// Runs the query and counts its time, which `minutes` allow `seconds` of.
struct HuntingQuota {
  std::int64_t window_seconds = 3'600;
  double most_seconds = 600;
  double longest_seconds = 200;  // of one query
};
tl::expected<HuntingAnswer, HuntingRefusal> hunt(State& state, const std::string& query,
                                                 const kql::Tables& tables, kql::TimeWindow window,
                                                 const HuntingQuota& quota);

std::span<const SimOperation> hunting_operations();
std::span<const ControlPage> hunting_pages();
// POST and GET /sim/tables/NAME
HttpAnswer control_table(State& state, const HttpQuestion& question, const Target& target);

}  // namespace flow::sim
