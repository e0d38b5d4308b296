// The pretend tenant's hunting: a documented subset of KQL over tables that it is given. docs/sim.md has the
// subset as a table. The same query over the same rows at the same time gives the same answer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/kql/run.hpp"
#include "base/result.hpp"

namespace flow::kql {

// What a query can name.
class Tables {
 public:
  virtual ~Tables() = default;
  virtual std::vector<std::string> names() const = 0;
  // Null when there is none.
  virtual std::shared_ptr<const Table> find(std::string_view name) const = 0;
};

// Rows of tables whose time lies outside are not seen. Ticks since 1970; `to` is inside.
struct TimeWindow {
  std::int64_t from = kLeastTicks;
  std::int64_t to = kMostTicks;
};

// The column that says when a row's event was: Timestamp or TimeGenerated; nothing when it has none.
std::optional<std::size_t> time_column(const std::vector<Column>& columns);

struct Answer {
  std::vector<Column> columns;
  Rows rows;
  bool is_cut = false;      // there were more rows than the limits allow
  std::uint64_t steps = 0;  // that it took
};

struct Refusal {
  enum class Kind : std::uint8_t { Query, Time, Memory, Size };
  Kind kind = Kind::Query;
  std::string message;
  std::uint64_t steps = 0;
};

// ISO 8601, as answers of the services write their `timespan`: `P7D`, `start/end`, `start/duration`,
// `duration/end`, or a start alone.
Result<TimeWindow> parse_window(std::string_view text, std::int64_t now_us);

tl::expected<Answer, Refusal> run_query(std::string_view query, const Tables& tables, TimeWindow window,
                                        std::int64_t now_us, const Limits& limits = {});

}  // namespace flow::kql
