// Functions of a query's own: `let f = (x: string) { … };`. A call puts the arguments in the place of the
// parameters; a function sees those and the `let`s before it, and no column.
#include <fmt/format.h>

#include "apps/sim/kql/planner.hpp"

namespace flow::kql {
namespace {

constexpr std::size_t kMostCalls = 1'000;

}  // namespace

Status Planner::define(const Let& let) {
  for (const NamedExpr& parameter : let.parameters)
    if (!type_named(parameter.type)) return wrong(parameter.expr.at, "'" + parameter.type + "' is no type");
  let_functions_[let.name] = &let;
  return {};
}

Result<std::map<std::string, Scalar>> Planner::bind(const Expr& call, const Let& function,
                                                    const Columns& columns) {
  if (++functions_entered_ > kMostCalls) return wrong(call.at, "there are too many calls of functions");
  const std::size_t most = function.parameters.size(), least = most - function.defaults;
  if (call.args.size() < least || call.args.size() > most)
    return wrong(call.at, fmt::format("'{}' takes {}{} arguments, not {}", call.text, most,
                                      least < most ? " or fewer" : "", call.args.size()));
  std::map<std::string, Scalar> bound;
  for (std::size_t i = 0; i < most; ++i) {
    const NamedExpr& parameter = function.parameters[i];
    const Expr& given = i < call.args.size() ? call.args[i] : parameter.expr;
    FLOW_TRY(Scalar value, scalar_as(given, i < call.args.size() ? columns : Columns(),
                                     *type_named(parameter.type), "'" + parameter.name + "'"));
    bound[parameter.name] = std::move(value);
  }
  return bound;
}

// The body is planned without columns; the row that its values are given is the caller's, which is what the
// arguments look into.
Result<Scalar> Planner::plan_own_call(const Expr& expr, const Let& function, const Columns& columns) {
  if (function.table) return wrong(expr.at, fmt::format("'{}' gives a table, not a value", expr.text));
  FLOW_TRY(const auto bound, bind(expr, function, columns));
  const std::map<std::string, Scalar> outer = let_scalars_;
  for (const auto& [name, value] : bound) let_scalars_[name] = value;
  auto itself = let_functions_.extract(expr.text);  // it does not know itself
  Result<Scalar> value = scalar(function.value, {});
  let_functions_.insert(std::move(itself));
  let_scalars_ = outer;
  return value;
}

Result<Plan> Planner::plan_invoke(const Operator& op) {
  const Expr& call = op.items[0].expr;
  const auto found = call.kind == Expr::Kind::Call ? let_functions_.find(call.text) : let_functions_.end();
  if (found == let_functions_.end() || !found->second->table)
    return wrong(op.at, fmt::format("'{}' is no function that gives a table", call.text));
  FLOW_TRY(const auto bound, bind(call, *found->second, {}));
  const std::map<std::string, Scalar> outer = let_scalars_;
  for (const auto& [name, value] : bound) let_scalars_[name] = value;
  const Let& function = *found->second;
  auto itself = let_functions_.extract(found);
  Result<Plan> plan = pipeline(*function.table);
  let_functions_.insert(std::move(itself));
  let_scalars_ = outer;
  return plan;
}

}  // namespace flow::kql
