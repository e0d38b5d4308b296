#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/sim/kql/lexer.hpp"
#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

constexpr std::size_t kMostColumns = 1'000;

// The names that functions keep for their results: `bin(Timestamp, 1h)` is still Timestamp.
constexpr std::string_view kKeepNames[] = {
    "bin",        "floor",       "tostring",     "toint",       "tolong",    "toreal",
    "todouble",   "tobool",      "todatetime",   "totimespan",  "todynamic", "parse_json",
    "startofday", "startofweek", "startofmonth", "startofyear", "endofday",  "toguid"};

bool matches_pattern(std::string_view pattern, std::string_view name) {
  if (!pattern.ends_with('*')) return pattern == name;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

// Empty when the expression has no name of its own.
std::string own_name(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::Name: return expr.text;
    case Expr::Kind::Member: {
      const std::string base = own_name(expr.args[0]);
      return base.empty() ? expr.text : base + "_" + expr.text;
    }
    case Expr::Kind::Index: return own_name(expr.args[0]);
    case Expr::Kind::Call: {
      const bool keeps = std::ranges::find(kKeepNames, std::string_view(expr.text)) != std::end(kKeepNames);
      return keeps && !expr.args.empty() ? own_name(expr.args[0]) : "";
    }
    default: return "";
  }
}

Row picked(const Row& row, const std::vector<std::size_t>& indices) {
  Row result;
  result.reserve(indices.size());
  for (const std::size_t index : indices) result.push_back(row[index]);
  return result;
}

Plan picking(Plan input, std::vector<std::size_t> indices) {
  Plan plan;
  for (const std::size_t index : indices) plan.columns.push_back(input.columns[index]);
  plan.rows = [rows = std::move(input.rows), indices = std::move(indices)](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run))
      if (!run.add(result, picked(*row, indices))) break;
    return result;
  };
  return plan;
}

// Whether `a` comes before `b` by values[i] of each.
int order_of(const Value& a, const Value& b, const SortKey& key) {
  const Value x = plain(a), y = plain(b);
  if (x.is_null() || y.is_null()) {
    if (x.is_null() == y.is_null()) return 0;
    return x.is_null() == key.nulls_first ? -1 : 1;
  }
  const int order = compare(x, y).value_or(0);
  return key.is_descending ? -order : order;
}

// What is found once, however often it is read. Plans are copied, this is not: else a plan that names another
// twice, and so on, would grow without end.
template <class Found, class Find>
struct Kept {
  Find find;
  std::optional<Found> found;
};

std::function<Rows(Run&)> kept(std::function<Rows(Run&)> rows) {
  using Cell = Kept<Rows, std::function<Rows(Run&)>>;
  return [cell = std::make_shared<Cell>(Cell{std::move(rows), {}})](Run& run) {
    if (!cell->found) cell->found = cell->find(run);
    return run.spend(cell->found->size(), cell->found->size() * sizeof(RowPointer)) ? *cell->found : Rows{};
  };
}

std::function<Value(Run&, const Row&)> kept(std::function<Value(Run&, const Row&)> value) {
  using Cell = Kept<Value, std::function<Value(Run&, const Row&)>>;
  return [cell = std::make_shared<Cell>(Cell{std::move(value), {}})](Run& run, const Row&) {
    if (!cell->found) cell->found = cell->find(run, {});
    return *cell->found;
  };
}

}  // namespace

std::string free_name(const Columns& columns, const std::string& name) {
  std::string free = name;
  for (int number = 1; find_column(columns, free); ++number) free = name + std::to_string(number);
  return free;
}

Result<Plan> Planner::plan(const Query& query) {
  for (const Let& let : query.lets) {
    operator_ = "let";
    if (let_scalars_.contains(let.name) || let_tables_.contains(let.name) ||
        let_functions_.contains(let.name))
      return wrong(let.at, "a value named '" + let.name + "' was already defined");
    if (let.is_function) {
      FLOW_TRY_STATUS(define(let));
      continue;
    }
    const bool is_table_name =
        let.value.kind == Expr::Kind::Name && !let_scalars_.contains(let.value.text) &&
        (tables_.find(let.value.text) != nullptr || let_tables_.contains(let.value.text));
    if (let.table || is_table_name) {
      FLOW_TRY(Plan table, let.table ? pipeline(*let.table) : plan_named_table(let.at, let.value.text));
      table.rows = kept(std::move(table.rows));
      let_tables_[let.name] = std::move(table);
      continue;
    }
    FLOW_TRY(Scalar value, scalar(let.value, {}));
    value.value = kept(std::move(value.value));
    value.is_constant = true;
    let_scalars_[let.name] = std::move(value);
  }
  operator_.clear();
  return pipeline(*query.main);
}

Result<Plan> Planner::pipeline(const Pipeline& pipeline) {
  const std::string outer = operator_;
  Summary* const outer_summary = std::exchange(summary_, nullptr);
  FLOW_TRY(Plan plan, plan_source(pipeline.operators[0]));
  for (std::size_t i = 1; i < pipeline.operators.size(); ++i) {
    operator_ = pipeline.operators[i].name;
    FLOW_TRY(plan, plan_operator(pipeline.operators[i], std::move(plan)));
    if (plan.columns.size() > kMostColumns)
      return wrong(pipeline.operators[i].at, "there are too many columns");
  }
  operator_ = outer;
  summary_ = outer_summary;
  return plan;
}

Result<Plan> Planner::plan_operator(const Operator& op, Plan input) {
  using Make = Result<Plan> (Planner::*)(const Operator&, Plan);
  static const std::map<std::string_view, Make> kOperators = {
      {"where", &Planner::plan_where},
      {"project", &Planner::plan_project},
      {"extend", &Planner::plan_extend},
      {"project-away", &Planner::plan_columns},
      {"project-keep", &Planner::plan_columns},
      {"project-reorder", &Planner::plan_columns},
      {"project-rename", &Planner::plan_rename},
      {"summarize", &Planner::plan_summarize},
      {"distinct", &Planner::plan_distinct},
      {"top", &Planner::plan_sort},
      {"sort", &Planner::plan_sort},
      {"take", &Planner::plan_take},
      {"count", &Planner::plan_count},
      {"getschema", &Planner::plan_schema},
      {"join", &Planner::plan_join},
      {"lookup", &Planner::plan_join},
      {"parse", &Planner::plan_parse},
      {"parse-where", &Planner::plan_parse},
      {"mv-expand", &Planner::plan_mv_expand},
  };
  if (op.name == "serialize") return input;
  if (op.name == "union") return plan_union(op, std::move(input));
  const auto found = kOperators.find(op.name);
  if (found == kOperators.end()) return wrong(op.at, "it stands at the beginning of a query only");
  return (this->*found->second)(op, std::move(input));
}

Result<Plan> Planner::plan_source(const Operator& op) {
  if (op.name == "table") return plan_table(op);
  if (op.name == "subquery") return pipeline(*op.tables[0]);
  if (op.name == "invoke") return plan_invoke(op);
  operator_ = op.name;
  if (op.name == "union") return plan_union(op, std::nullopt);
  if (op.name == "print") return plan_print(op);
  if (op.name == "datatable") return plan_datatable(op);
  if (op.name == "range") return plan_range(op);
  return wrong(op.at, "it needs a table before it");
}

Result<Plan> Planner::plan_table(const Operator& op) {
  const std::string& name = op.items[0].expr.text;
  if (!name.ends_with('*')) return plan_named_table(op.at, name);
  Operator all;
  all.at = op.at;
  auto alone = std::make_shared<Pipeline>();
  alone->operators.push_back(op);
  all.tables.push_back(std::move(alone));
  return plan_union(all, std::nullopt);
}

Result<Plan> Planner::plan_named_table(std::size_t at, const std::string& name) {
  if (const auto let = let_tables_.find(name); let != let_tables_.end()) return let->second;
  const std::shared_ptr<const Table> table = tables_.find(name);
  if (table == nullptr) {
    const auto near = nearest_name(name, tables_.names());
    return wrong(at, fmt::format("Failed to resolve table or column expression named '{}'{}", name,
                                 near ? "; did you mean '" + *near + "'?" : ""));
  }
  Plan plan;
  plan.columns = table->columns;
  plan.rows = [table, window = window_, time = time_column(table->columns)](Run& run) {
    Rows rows;
    for (const RowPointer& row : table->rows) {
      if (!run.spend(1, sizeof(RowPointer))) break;
      const DateTime* at_time = time ? (*row)[*time].get<DateTime>() : nullptr;
      if (at_time == nullptr || (at_time->ticks >= window.from && at_time->ticks <= window.to))
        rows.push_back(row);
    }
    return rows;
  };
  return plan;
}

Result<std::vector<Planner::Item>> Planner::plan_items(const std::vector<NamedExpr>& items,
                                                       const Columns& columns) {
  std::vector<Item> planned;
  for (const NamedExpr& item : items) {
    FLOW_TRY(Scalar value, scalar(item.expr, columns));
    planned.push_back({item.name.empty() ? own_name(item.expr) : item.name, std::move(value)});
  }
  return planned;
}

Result<Plan> Planner::plan_where(const Operator& op, Plan input) {
  FLOW_TRY(Scalar predicate, scalar_as(op.items[0].expr, input.columns, Type::Bool, "the condition"));
  Plan plan;
  plan.columns = std::move(input.columns);
  plan.rows = [rows = std::move(input.rows), predicate = std::move(predicate.value)](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run)) {
      if (!run.spend(1)) break;
      if (predicate(run, *row).is_true()) result.push_back(row);
    }
    return result;
  };
  return plan;
}

Result<Plan> Planner::plan_project(const Operator& op, Plan input) {
  FLOW_TRY(std::vector<Item> items, plan_items(op.items, input.columns));
  Plan plan;
  std::size_t number = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    std::string& name = items[i].name;
    if (name.empty()) name = free_name(plan.columns, "Column" + std::to_string(++number));
    if (find_column(plan.columns, name)) {
      if (!op.items[i].name.empty())
        return wrong(op.items[i].expr.at, "a column named '" + name + "' already exists");
      name = free_name(plan.columns, name);
    }
    plan.columns.push_back({name, items[i].scalar.type});
  }
  plan.rows = [rows = std::move(input.rows), items = std::move(items)](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run)) {
      Row values;
      values.reserve(items.size());
      for (const Item& item : items) values.push_back(item.scalar.value(run, *row));
      if (!run.add(result, std::move(values))) break;
    }
    return result;
  };
  return plan;
}

// A name that is there is replaced where it stands.
Result<Plan> Planner::plan_extend(const Operator& op, Plan input) {
  FLOW_TRY(std::vector<Item> items, plan_items(op.items, input.columns));
  Plan plan;
  plan.columns = input.columns;
  std::vector<std::size_t> places;
  std::size_t number = 0;
  for (Item& item : items) {
    if (item.name.empty()) item.name = free_name(plan.columns, "Column" + std::to_string(++number));
    const auto place = find_column(plan.columns, item.name);
    places.push_back(place.value_or(plan.columns.size()));
    if (place)
      plan.columns[*place].type = item.scalar.type;
    else
      plan.columns.push_back({item.name, item.scalar.type});
  }
  plan.rows = [rows = std::move(input.rows), items = std::move(items), places = std::move(places),
               count = plan.columns.size()](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run)) {
      Row values = *row;
      values.resize(count);
      for (std::size_t i = 0; i < items.size(); ++i) values[places[i]] = items[i].scalar.value(run, *row);
      if (!run.add(result, std::move(values))) break;
    }
    return result;
  };
  return plan;
}

Result<Plan> Planner::plan_columns(const Operator& op, Plan input) {
  std::vector<bool> is_named(input.columns.size());
  std::vector<std::size_t> named;
  for (const NamedExpr& item : op.items) {
    bool is_known = item.expr.text.ends_with('*');
    for (std::size_t i = 0; i < input.columns.size(); ++i) {
      if (!matches_pattern(item.expr.text, input.columns[i].name)) continue;
      is_known = true;
      if (!is_named[i]) named.push_back(i);
      is_named[i] = true;
    }
    if (is_known) continue;
    FLOW_TRY_STATUS(plan_name(item.expr, input.columns));
    return wrong(item.expr.at, "'" + item.expr.text + "' is no column");
  }
  std::vector<std::size_t> indices;
  if (op.name == "project-reorder") indices = named;
  for (std::size_t i = 0; i < input.columns.size(); ++i)
    if (is_named[i] == (op.name == "project-keep")) indices.push_back(i);
  return picking(std::move(input), std::move(indices));
}

Result<Plan> Planner::plan_rename(const Operator& op, Plan input) {
  Columns renamed = input.columns;
  for (const NamedExpr& item : op.items) {
    if (item.name.empty() || item.expr.kind != Expr::Kind::Name)
      return wrong(item.expr.at, "it wants new = old");
    FLOW_TRY_STATUS(plan_name(item.expr, input.columns));
    const auto place = find_column(input.columns, item.expr.text);
    if (!place) return wrong(item.expr.at, "'" + item.expr.text + "' is no column");
    if (find_column(renamed, item.name))
      return wrong(item.expr.at, "a column named '" + item.name + "' already exists");
    renamed[*place].name = item.name;
  }
  input.columns = std::move(renamed);
  return input;
}

Result<Plan> Planner::plan_distinct(const Operator& op, Plan input) {
  const bool is_all = op.items.size() == 1 && op.items[0].expr.kind == Expr::Kind::Star;
  Plan plan = std::move(input);
  if (!is_all) {
    FLOW_TRY(plan, plan_project(op, std::move(plan)));
  }
  plan.rows = [rows = std::move(plan.rows)](Run& run) {
    Rows result;
    std::set<std::string> seen;
    for (const RowPointer& row : rows(run)) {
      std::string key;
      for (const Value& value : *row) append_key(key, value);
      if (!run.spend(2, key.size() + 64)) break;
      if (seen.insert(std::move(key)).second) result.push_back(row);
    }
    return result;
  };
  return plan;
}

Result<Plan> Planner::plan_take(const Operator& op, Plan input) {
  FLOW_TRY(const Scalar count, scalar_as(op.items[0].expr, {}, Type::Long, "the number of rows"));
  input.rows = [rows = std::move(input.rows), count = count.value](Run& run) {
    Rows result = rows(run);
    const std::int64_t most = std::max<std::int64_t>(0, count(run, {}).integer().value_or(0));
    if (static_cast<std::uint64_t>(most) < result.size()) result.resize(static_cast<std::size_t>(most));
    return result;
  };
  return input;
}

// Also `top`, which keeps the first rows.
Result<Plan> Planner::plan_sort(const Operator& op, Plan input) {
  std::vector<Scalar> keys;
  for (const SortKey& key : op.order) {
    FLOW_TRY(Scalar value, scalar(key.expr, input.columns));
    if (value.type == Type::Dynamic)
      return wrong(key.expr.at, "order over expressions of dynamic type is not supported; use tostring(…)");
    keys.push_back(std::move(value));
  }
  std::vector<SortKey> order;
  for (const SortKey& key : op.order) order.push_back({{}, key.is_descending, key.nulls_first});
  input.rows = [rows = std::move(input.rows), keys = std::move(keys), order = std::move(order)](Run& run) {
    struct Keyed {
      Row keys;
      RowPointer row;
    };
    std::vector<Keyed> keyed;
    for (RowPointer& row : rows(run)) {
      if (!run.spend(20, 64 + keys.size() * sizeof(Value))) return Rows{};
      Row values;
      for (const Scalar& key : keys) values.push_back(key.value(run, *row));
      keyed.push_back({std::move(values), std::move(row)});
    }
    std::ranges::stable_sort(keyed, [&](const Keyed& a, const Keyed& b) {
      for (std::size_t i = 0; i < order.size(); ++i)
        if (const int sign = order_of(a.keys[i], b.keys[i], order[i]); sign != 0) return sign < 0;
      return false;
    });
    Rows result;
    for (Keyed& entry : keyed) result.push_back(std::move(entry.row));
    return result;
  };
  return op.name == "top" ? plan_take(op, std::move(input)) : Result<Plan>(std::move(input));
}

Result<Plan> Planner::plan_count(const Operator&, Plan input) {
  Plan plan;
  plan.columns = {{"Count", Type::Long}};
  plan.rows = [rows = std::move(input.rows)](Run& run) {
    Rows result;
    run.add(result, {static_cast<std::int64_t>(rows(run).size())});
    return result;
  };
  return plan;
}

Result<Plan> Planner::plan_schema(const Operator&, Plan input) {
  Plan plan;
  plan.columns = {{"ColumnName", Type::Text},
                  {"ColumnOrdinal", Type::Int},
                  {"DataType", Type::Text},
                  {"ColumnType", Type::Text}};
  plan.rows = [columns = std::move(input.columns)](Run& run) {
    Rows result;
    for (std::size_t i = 0; i < columns.size(); ++i)
      run.add(result, {Value::text(columns[i].name), static_cast<std::int64_t>(i),
                       Value::text("System." + std::string(wire_type_name(columns[i].type))),
                       Value::text(std::string(type_name(columns[i].type)))});
    return result;
  };
  return plan;
}

// Each item of the lists on a row of its own; of several lists the first items stand together, and so on.
Result<Plan> Planner::plan_mv_expand(const Operator& op, Plan input) {
  struct Expansion {
    Scalar list;
    std::size_t place = 0;
    Type type = Type::Dynamic;
  };
  std::vector<Expansion> expansions;
  Plan plan;
  plan.columns = input.columns;
  for (const NamedExpr& item : op.items) {
    Expansion expansion;
    FLOW_TRY(expansion.list, scalar(item.expr, input.columns));
    if (expansion.list.type != Type::Dynamic)
      return wrong(item.expr.at, fmt::format("expanded expression expected to have dynamic type, not {}",
                                             type_name(expansion.list.type)));
    if (!item.type.empty()) {
      const auto type = type_named(item.type);
      if (!type) return wrong(item.expr.at, "'" + item.type + "' is no type");
      expansion.type = *type;
    }
    std::string name = item.name.empty() ? own_name(item.expr) : item.name;
    if (name.empty()) name = free_name(plan.columns, "Column1");
    expansion.place = find_column(plan.columns, name).value_or(plan.columns.size());
    if (expansion.place == plan.columns.size()) plan.columns.push_back({name, expansion.type});
    plan.columns[expansion.place].type = expansion.type;
    expansions.push_back(std::move(expansion));
  }
  const auto limit_option = op.options.find("limit");
  const std::size_t limit =
      limit_option != op.options.end()
          ? static_cast<std::size_t>(std::max<std::int64_t>(
                0, convert(Value::text(limit_option->second), Type::Long).integer().value_or(0)))
          : SIZE_MAX;
  plan.rows = [rows = std::move(input.rows), expansions = std::move(expansions), limit,
               count = plan.columns.size()](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run)) {
      std::vector<Json::List> lists;
      std::size_t most = 1;
      for (const Expansion& expansion : expansions) {
        const Value value = expansion.list.value(run, *row);
        if (!run.spend(1, weight(value))) return result;
        Json::List list;
        if (const Json* json = value.json()) {
          if (json->is_list()) list = json->items();
          for (const sim::Member& member : json->members())
            list.push_back(Json::object({{member.name, member.value}}));
          if (!json->is_list() && !json->is_object()) list.push_back(*json);
        }
        most = std::max(most, list.size());
        lists.push_back(std::move(list));
      }
      for (std::size_t i = 0; i < std::min(most, limit); ++i) {
        Row values = *row;
        values.resize(count);
        for (std::size_t k = 0; k < expansions.size(); ++k)
          values[expansions[k].place] =
              i < lists[k].size() ? convert(Value::dynamic(lists[k][i]), expansions[k].type) : Value();
        if (!run.add(result, std::move(values))) return result;
      }
    }
    return result;
  };
  return plan;
}

Result<Plan> Planner::plan_print(const Operator& op) {
  Plan nothing;
  nothing.rows = [](Run& run) {
    Rows rows;
    run.add(rows, {});
    return rows;
  };
  Operator named = op;
  for (std::size_t i = 0; i < named.items.size(); ++i)
    if (named.items[i].name.empty()) named.items[i].name = "print_" + std::to_string(i);
  return plan_project(named, std::move(nothing));
}

Result<Plan> Planner::plan_datatable(const Operator& op) {
  Plan plan;
  for (const NamedExpr& column : op.by) {
    const auto type = type_named(column.type);
    if (!type) return wrong(column.expr.at, "'" + column.type + "' is no type");
    if (find_column(plan.columns, column.name))
      return wrong(column.expr.at, "a column named '" + column.name + "' already exists");
    plan.columns.push_back({column.name, *type});
  }
  if (op.items.size() % plan.columns.size() != 0)
    return wrong(
        op.at, fmt::format("{} values do not fill rows of {} columns", op.items.size(), plan.columns.size()));
  std::vector<Scalar> values;
  for (const NamedExpr& item : op.items) {
    FLOW_TRY(Scalar value, scalar(item.expr, {}));
    values.push_back(std::move(value));
  }
  plan.rows = [values = std::move(values), columns = plan.columns](Run& run) {
    Rows rows;
    for (std::size_t at = 0; at < values.size(); at += columns.size()) {
      Row row;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        const Value value = values[at + i].value(run, {});
        row.push_back(value.is_null() ? value : convert(value, columns[i].type));
      }
      if (!run.add(rows, std::move(row))) break;
    }
    return rows;
  };
  return plan;
}

Result<Plan> Planner::plan_range(const Operator& op) {
  std::vector<Scalar> bounds;
  for (const NamedExpr& item : op.items) {
    FLOW_TRY(Scalar bound, scalar(item.expr, {}));
    bounds.push_back(std::move(bound));
  }
  if (!arithmetic_type('+', bounds[0].type, bounds[2].type)) return wrong(op.at, "the step does not fit");
  FLOW_TRY_STATUS(check_comparable(op.items[1].expr, bounds[0].type, bounds[1].type));
  Plan plan;
  plan.columns = {{op.by[0].name, bounds[0].type}};
  plan.rows = [bounds = std::move(bounds)](Run& run) {
    Rows rows;
    const Value last = bounds[1].value(run, {}), step = bounds[2].value(run, {});
    const Value nothing = arithmetic('-', step, step);
    const int direction = compare(step, nothing).value_or(0);
    Value value = bounds[0].value(run, {});
    while (direction != 0 && compare(value, last).value_or(direction) * direction <= 0 &&
           run.add(rows, {value}))
      value = arithmetic('+', value, step);
    return rows;
  };
  return plan;
}

}  // namespace flow::kql
