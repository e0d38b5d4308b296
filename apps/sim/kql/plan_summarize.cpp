#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "apps/sim/kql/aggregates.hpp"
#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

// Calls a ValueAggregate with the values that its arguments have in each row.
class ByValues final : public Accumulator {
 public:
  ByValues(std::shared_ptr<const std::vector<Scalar>> arguments, const AggregateKind& kind)
      : arguments_(std::move(arguments)), has_condition_(kind.has_condition), aggregate_(kind.make()) {}

  void add(Run& run, const RowPointer& row) override {
    if (!run.spend(1)) return;
    if (has_condition_ && !arguments_->back().value(run, *row).is_true()) return;
    values_.clear();
    for (const Scalar& argument : *arguments_) values_.push_back(argument.value(run, *row));
    aggregate_->add(run, values_);
  }
  void finish(Run& run, Row& out) override { out.push_back(aggregate_->finish(run)); }

 private:
  std::shared_ptr<const std::vector<Scalar>> arguments_;
  bool has_condition_;
  std::unique_ptr<ValueAggregate> aggregate_;
  std::vector<Value> values_;
};

// Keeps one row of the group: the first, or that with the largest or smallest value.
class ByRow final : public Accumulator {
 public:
  // `values[0]` is compared when `sign` is not 0; all of them are shown.
  ByRow(std::shared_ptr<const std::vector<Scalar>> values, int sign)
      : values_(std::move(values)), sign_(sign) {}

  void add(Run& run, const RowPointer& row) override {
    if (!run.spend(1)) return;
    if (sign_ == 0) {
      if (row_ == nullptr) row_ = row;
      return;
    }
    Value value = (*values_)[0].value(run, *row);
    const bool is_better = row_ == nullptr || (best_.is_null() && !value.is_null()) ||
                           compare(value, best_).value_or(0) * sign_ > 0;
    if (!is_better) return;
    best_ = std::move(value);
    row_ = row;
  }
  void finish(Run& run, Row& out) override {
    for (const Scalar& value : *values_) out.push_back(row_ != nullptr ? value.value(run, *row_) : Value());
  }

 private:
  std::shared_ptr<const std::vector<Scalar>> values_;
  int sign_;
  Value best_;
  RowPointer row_;
};

bool is_row_aggregate(std::string_view name) {
  return name == "arg_max" || name == "arg_min" || name == "argmax" || name == "argmin" || name == "any" ||
         name == "take_any" || name == "anyif";
}

struct Group {
  Row keys;
  std::vector<std::unique_ptr<Accumulator>> accumulators;
};

}  // namespace

bool is_aggregate(std::string_view name) {
  return find_aggregate(name) != nullptr || is_row_aggregate(name);
}

// An aggregate within an expression: its value will stand in the row of the group.
Result<Scalar> Planner::plan_aggregate_call(const Expr& expr) {
  Summary* const summary = std::exchange(summary_, nullptr);
  auto aggregate = plan_aggregate(expr, *summary->columns, "");
  summary_ = summary;
  if (!aggregate) return tl::unexpected(std::move(aggregate).error());
  if (aggregate->columns.size() != 1)
    return wrong(expr.at, "'" + expr.text + "' gives several columns here; name the one that is meant");
  const Type type = aggregate->columns[0].type;
  const std::size_t place = summary->next++;
  summary->aggregates.push_back(std::move(*aggregate));
  return Scalar{type, false, [place](Run&, const Row& row) { return row[place]; }};
}

Result<Aggregate> Planner::plan_aggregate(const Expr& expr, const Columns& columns,
                                          std::string_view given_name) {
  if (expr.text == "any" || expr.text == "take_any" || expr.text == "anyif")
    return plan_any(expr, columns, given_name);
  if (is_row_aggregate(expr.text)) return plan_extreme(expr, columns, given_name);
  const AggregateKind& kind = *find_aggregate(expr.text);
  const std::size_t conditions = kind.has_condition ? 1 : 0;
  if (expr.args.size() < kind.least + conditions || expr.args.size() > kind.most + conditions)
    return wrong(expr.at, fmt::format("{}(): function expects {} argument{}, {} given", expr.text,
                                      kind.least + conditions, kind.least + conditions == 1 ? "" : "s",
                                      expr.args.size()));
  std::vector<Scalar> arguments;
  for (const Expr& arg : expr.args) {
    const bool is_condition = kind.has_condition && &arg == &expr.args.back();
    FLOW_TRY(Scalar value,
             is_condition ? scalar_as(arg, columns, Type::Bool, "the condition") : scalar(arg, columns));
    arguments.push_back(std::move(value));
  }
  Type type = kind.gives == 'l' ? Type::Long : kind.gives == 'r' ? Type::Real : Type::Dynamic;
  if (kind.first_takes == "number") {
    const Type first = arguments[0].type;
    if (!is_number(first) && first != Type::TimeSpan && first != Type::Dynamic)
      return wrong(expr.at, fmt::format("{}() takes numbers, not {}", expr.text, type_name(first)));
  }
  if (kind.gives == '1')
    type = arguments[0].type == Type::Int && expr.text.starts_with("sum") ? Type::Long : arguments[0].type;
  std::string name(given_name);
  if (name.empty()) {
    name = kind.prefix.empty() ? expr.text + "_" : std::string(kind.prefix);
    if (!expr.args.empty() && expr.args[0].kind == Expr::Kind::Name && kind.least > 0)
      name += expr.args[0].text;
    if (expr.text == "percentile") name += "_" + to_text(expr.args[1].value);
  }
  Aggregate aggregate;
  aggregate.columns = {{name, type}};
  aggregate.make = [shared = std::make_shared<const std::vector<Scalar>>(std::move(arguments)), &kind] {
    return std::make_unique<ByValues>(shared, kind);
  };
  return aggregate;
}

// arg_max(Timestamp, *), arg_min(A, B, C)
Result<Aggregate> Planner::plan_extreme(const Expr& expr, const Columns& columns,
                                        std::string_view given_name) {
  if (expr.args.empty())
    return wrong(expr.at, expr.text + "(): function expects at least 1 argument, 0 given");
  Aggregate aggregate;
  std::vector<Scalar> values;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    const Expr& arg = expr.args[i];
    if (arg.kind == Expr::Kind::Star && i > 0) {
      for (std::size_t k = 0; k < columns.size(); ++k) {
        if (find_column(aggregate.columns, columns[k].name)) continue;
        aggregate.columns.push_back(columns[k]);
        values.push_back({columns[k].type, false, [k](Run&, const Row& row) { return row[k]; }});
      }
      continue;
    }
    FLOW_TRY(Scalar value, scalar(arg, columns));
    std::string name = arg.kind == Expr::Kind::Name ? arg.text : "";
    if (i == 0 && !given_name.empty()) name = given_name;
    if (name.empty())
      name = i == 0 ? (expr.text.ends_with("max") ? "max_" : "min_") : "Column" + std::to_string(i);
    aggregate.columns.push_back({free_name(aggregate.columns, name), value.type});
    values.push_back(std::move(value));
  }
  const int sign = expr.text.ends_with("max") ? 1 : -1;
  aggregate.make = [shared = std::make_shared<const std::vector<Scalar>>(std::move(values)), sign] {
    return std::make_unique<ByRow>(shared, sign);
  };
  return aggregate;
}

// any(A), take_any(*), take_any(A, B)
Result<Aggregate> Planner::plan_any(const Expr& expr, const Columns& columns, std::string_view given_name) {
  if (expr.text == "anyif") return wrong(expr.at, "use take_anyif(…)");
  if (expr.args.empty())
    return wrong(expr.at, expr.text + "(): function expects at least 1 argument, 0 given");
  Aggregate aggregate;
  std::vector<Scalar> values;
  for (const Expr& arg : expr.args) {
    if (arg.kind == Expr::Kind::Star) {
      for (std::size_t k = 0; k < columns.size(); ++k) {
        aggregate.columns.push_back({free_name(aggregate.columns, columns[k].name), columns[k].type});
        values.push_back({columns[k].type, false, [k](Run&, const Row& row) { return row[k]; }});
      }
      continue;
    }
    FLOW_TRY(Scalar value, scalar(arg, columns));
    std::string name = arg.kind == Expr::Kind::Name ? arg.text : "";
    if (expr.text == "any") name = "any_" + name;
    if (name.empty()) name = "any_";
    if (!given_name.empty() && expr.args.size() == 1) name = given_name;
    aggregate.columns.push_back({free_name(aggregate.columns, name), value.type});
    values.push_back(std::move(value));
  }
  aggregate.make = [shared = std::make_shared<const std::vector<Scalar>>(std::move(values))] {
    return std::make_unique<ByRow>(shared, 0);
  };
  return aggregate;
}

Result<Plan> Planner::plan_summarize(const Operator& op, Plan input) {
  FLOW_TRY(std::vector<Item> keys, plan_items(op.by, input.columns));
  Plan plan;
  std::size_t number = 0;
  for (const Item& key : keys) {
    if (key.scalar.type == Type::Dynamic)
      return wrong(op.by[plan.columns.size()].expr.at,
                   "group key is of dynamic type, use an explicit cast as tostring(…)");
    const std::string name = key.name.empty() ? "Column" + std::to_string(++number) : key.name;
    plan.columns.push_back({free_name(plan.columns, name), key.scalar.type});
  }
  // Each item is shown as columns of the group's row: keys, then what the aggregates give.
  Summary summary;
  summary.columns = &input.columns;
  summary.next = keys.size();
  std::vector<Scalar> shown;
  for (const NamedExpr& item : op.items) {
    const bool is_call = item.expr.kind == Expr::Kind::Call && is_aggregate(item.expr.text);
    if (is_call) {
      FLOW_TRY(Aggregate aggregate, plan_aggregate(item.expr, input.columns, item.name));
      const bool is_star = is_row_aggregate(item.expr.text);
      for (const Column& column : aggregate.columns) {
        const std::size_t place = summary.next++;
        // arg_max(Timestamp, *) does not repeat the keys.
        if (is_star && find_column(plan.columns, column.name) &&
            std::ranges::any_of(item.expr.args, [](const Expr& arg) { return arg.kind == Expr::Kind::Star; }))
          continue;
        plan.columns.push_back({free_name(plan.columns, column.name), column.type});
        shown.push_back({column.type, false, [place](Run&, const Row& row) { return row[place]; }});
      }
      summary.aggregates.push_back(std::move(aggregate));
      continue;
    }
    summary_ = &summary;
    auto value = scalar(item.expr, {});  // outside of an aggregate there are no columns
    summary_ = nullptr;
    if (!value) return tl::unexpected(std::move(value).error());
    const std::string name = item.name.empty() ? "Column" + std::to_string(++number) : item.name;
    plan.columns.push_back({free_name(plan.columns, name), value->type});
    shown.push_back(std::move(*value));
  }
  plan.rows = [rows = std::move(input.rows), keys = std::move(keys), shown = std::move(shown),
               aggregates = std::move(summary.aggregates)](Run& run) {
    std::vector<Group> groups;
    std::unordered_map<std::string, std::size_t> index;
    const auto group_of = [&](Row values) -> Group* {
      std::string key;
      for (const Value& value : values) append_key(key, value);
      if (!run.spend(2, key.size() + 8)) return nullptr;
      const auto [found, is_new] = index.try_emplace(std::move(key), groups.size());
      if (is_new) {
        if (!run.spend(1, 128 + values.size() * sizeof(Value) + aggregates.size() * 128)) return nullptr;
        groups.emplace_back().keys = std::move(values);
        for (const Aggregate& aggregate : aggregates) groups.back().accumulators.push_back(aggregate.make());
      }
      return &groups[found->second];
    };
    for (const RowPointer& row : rows(run)) {
      Row values;
      for (const Item& key : keys) values.push_back(key.scalar.value(run, *row));
      Group* const group = group_of(std::move(values));
      if (group == nullptr) return Rows{};
      for (const auto& accumulator : group->accumulators) accumulator->add(run, row);
    }
    if (keys.empty() && !run.is_over()) group_of({});  // a summary of nothing is still one row
    Rows result;
    for (Group& group : groups) {
      Row whole = group.keys;
      for (const auto& accumulator : group.accumulators) accumulator->finish(run, whole);
      Row out = std::move(group.keys);
      for (const Scalar& value : shown) out.push_back(value.value(run, whole));
      if (!run.add(result, std::move(out))) break;
    }
    return result;
  };
  return plan;
}

}  // namespace flow::kql
