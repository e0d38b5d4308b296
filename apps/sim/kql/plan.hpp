// A query whose names and types are settled: functions that can be run. Made by the Planner, once for one
// run.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/sim/kql/run.hpp"

namespace flow::kql {

struct Scalar {
  Type type = Type::Text;
  bool is_constant = false;  // the same for all rows
  std::function<Value(Run&, const Row&)> value;
};

struct Plan {
  std::vector<Column> columns;
  std::function<Rows(Run&)> rows;
};

// Gathers rows of one group; finish() appends as many values as the aggregate has columns.
class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual void add(Run& run, const RowPointer& row) = 0;
  virtual void finish(Run& run, Row& out) = 0;
};

struct Aggregate {
  std::vector<Column> columns;
  std::function<std::unique_ptr<Accumulator>()> make;
};

}  // namespace flow::kql
