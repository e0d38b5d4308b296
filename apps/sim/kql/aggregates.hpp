// The aggregates of `summarize` that give one value, by name.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "apps/sim/kql/plan.hpp"

namespace flow::kql {

// Takes the values of the aggregate's arguments for each row of a group.
class ValueAggregate {
 public:
  virtual ~ValueAggregate() = default;
  virtual void add(Run& run, const std::vector<Value>& arguments) = 0;
  virtual Value finish(Run& run) = 0;
};

struct AggregateKind {
  std::string_view name;
  std::size_t least, most;       // arguments, without the condition of the `…if` forms
  bool has_condition;            // the last argument
  std::string_view prefix;       // of the column's name, `sum_`; empty: the name itself and `_`
  char gives;                    // l, r, j, or 1: the type of the first argument
  std::string_view first_takes;  // `number`, `any`, or empty: there is none
  std::unique_ptr<ValueAggregate> (*make)();
};

const AggregateKind* find_aggregate(std::string_view name);

}  // namespace flow::kql
