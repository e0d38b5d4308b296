// Turns syntax into a plan: looks names up, settles types, refuses what does not fit. Its messages are the
// service's 400: the operator, what is wrong, and where.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/sim/kql/engine.hpp"
#include "apps/sim/kql/functions.hpp"
#include "apps/sim/kql/plan.hpp"
#include "apps/sim/kql/syntax.hpp"

namespace flow::kql {

using Columns = std::vector<Column>;

std::optional<std::size_t> find_column(const Columns& columns, std::string_view name);
// The name if none has it yet, else with a number behind.
std::string free_name(const Columns& columns, const std::string& name);
bool is_aggregate(std::string_view name);

class Planner {
 public:
  Planner(std::string_view text, const Tables& tables, TimeWindow window)
      : text_(text), tables_(tables), window_(window) {}

  Result<Plan> plan(const Query& query);

 private:
  struct Item {
    std::string name;
    Scalar scalar;
  };

  tl::unexpected<Error> wrong(std::size_t at, const std::string& message) const;

  // plan_expression.cpp
  Result<Scalar> scalar(const Expr& expr, const Columns& columns);
  Result<Scalar> scalar_as(const Expr& expr, const Columns& columns, Type type, std::string_view what);
  Result<Value> constant(const Expr& expr, Run& run);
  Result<Scalar> plan_name(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_access(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_negation(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_binary(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_logic(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_comparison(const Expr& expr, Scalar left, Scalar right);
  Result<Scalar> plan_text_test(const Expr& expr, Scalar left, Scalar right);
  Result<Scalar> plan_between(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_among(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_toscalar(const Expr& expr);
  Status check_comparable(const Expr& expr, Type left, Type right) const;

  // plan_call.cpp
  Result<Scalar> plan_call(const Expr& expr, const Columns& columns);
  Result<Scalar> plan_function(const Expr& expr, const Function& function, const Columns& columns);
  Result<Type> result_type(const Expr& expr, const Function& function, const std::vector<Scalar>& args) const;

  // plan_summarize.cpp
  Result<Plan> plan_summarize(const Operator& op, Plan input);
  Result<Scalar> plan_aggregate_call(const Expr& expr);
  Result<Aggregate> plan_aggregate(const Expr& expr, const Columns& columns, std::string_view given_name);
  Result<Aggregate> plan_extreme(const Expr& expr, const Columns& columns, std::string_view given_name);
  Result<Aggregate> plan_any(const Expr& expr, const Columns& columns, std::string_view given_name);

  // plan_function.cpp: what `let` names with parameters
  Status define(const Let& let);
  Result<Scalar> plan_own_call(const Expr& expr, const Let& function, const Columns& columns);
  Result<Plan> plan_invoke(const Operator& op);
  // The values of the parameters, planned where the call stands.
  Result<std::map<std::string, Scalar>> bind(const Expr& call, const Let& function, const Columns& columns);

  // plan_parse.cpp
  Result<Plan> plan_parse(const Operator& op, Plan input);

  // plan_pipeline.cpp
  Result<Plan> pipeline(const Pipeline& pipeline);
  Result<Plan> plan_operator(const Operator& op, Plan input);
  Result<Plan> plan_source(const Operator& op);
  Result<Plan> plan_table(const Operator& op);
  Result<Plan> plan_named_table(std::size_t at, const std::string& name);
  Result<std::vector<Item>> plan_items(const std::vector<NamedExpr>& items, const Columns& columns);
  Result<Plan> plan_where(const Operator& op, Plan input);
  Result<Plan> plan_project(const Operator& op, Plan input);
  Result<Plan> plan_extend(const Operator& op, Plan input);
  Result<Plan> plan_columns(const Operator& op, Plan input);  // -away, -keep, -reorder
  Result<Plan> plan_rename(const Operator& op, Plan input);
  Result<Plan> plan_distinct(const Operator& op, Plan input);
  Result<Plan> plan_take(const Operator& op, Plan input);
  Result<Plan> plan_sort(const Operator& op, Plan input);
  Result<Plan> plan_count(const Operator& op, Plan input);
  Result<Plan> plan_schema(const Operator& op, Plan input);
  Result<Plan> plan_mv_expand(const Operator& op, Plan input);
  Result<Plan> plan_print(const Operator& op);
  Result<Plan> plan_datatable(const Operator& op);
  Result<Plan> plan_range(const Operator& op);

  // plan_join.cpp
  Result<Plan> plan_join(const Operator& op, Plan left);
  Result<Plan> plan_union(const Operator& op, std::optional<Plan> input);

  std::string_view text_;
  const Tables& tables_;
  TimeWindow window_;
  std::string operator_;  // being planned, for messages
  std::map<std::string, Scalar> let_scalars_;
  std::map<std::string, Plan> let_tables_;
  std::map<std::string, const Let*> let_functions_;
  std::size_t functions_entered_ = 0;  // of one query: a function that calls two, which call two, …
  // While the values of `summarize` are planned: the columns it reads, the aggregates found so far, and where
  // their values will stand.
  struct Summary {
    const Columns* columns = nullptr;
    std::vector<Aggregate> aggregates;
    std::size_t next = 0;
  };
  Summary* summary_ = nullptr;
};

}  // namespace flow::kql
