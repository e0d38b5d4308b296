#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "apps/sim/kql/lexer.hpp"
#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

using Indices = std::vector<std::size_t>;
using ByKey = std::unordered_map<std::string, Indices>;

// Empty texts and nulls are equal to each other, and join nothing.
std::string key_of(const Row& row, const Indices& columns) {
  std::string key;
  for (const std::size_t column : columns) append_key(key, row[column]);
  return key;
}

ByKey rows_by_key(Run& run, const Rows& rows, const Indices& columns) {
  ByKey found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::string key = key_of(*rows[i], columns);
    if (!run.spend(2, key.size() + 96)) break;
    found[std::move(key)].push_back(i);
  }
  return found;
}

enum class Kind : std::uint8_t {
  InnerUnique,
  Inner,
  LeftOuter,
  RightOuter,
  FullOuter,
  LeftAnti,
  LeftSemi,
  RightAnti,
  RightSemi
};
struct KindName {
  std::string_view name;
  Kind kind;
};
constexpr KindName kKinds[] = {
    {"innerunique", Kind::InnerUnique}, {"inner", Kind::Inner},
    {"leftouter", Kind::LeftOuter},     {"rightouter", Kind::RightOuter},
    {"fullouter", Kind::FullOuter},     {"leftanti", Kind::LeftAnti},
    {"anti", Kind::LeftAnti},           {"leftantisemi", Kind::LeftAnti},
    {"leftsemi", Kind::LeftSemi},       {"rightanti", Kind::RightAnti},
    {"rightantisemi", Kind::RightAnti}, {"rightsemi", Kind::RightSemi},
};

struct Join {
  Kind kind = Kind::InnerUnique;
  std::function<Rows(Run&)> left, right;
  Indices left_keys, right_keys;
  std::size_t left_width = 0;
  Indices right_columns;  // that the result has

  // One of the two may be missing.
  Row joined(const Row* a, const Row* b) const {
    Row row = a != nullptr ? *a : Row(left_width);
    row.reserve(left_width + right_columns.size());
    for (const std::size_t column : right_columns) row.push_back(b != nullptr ? (*b)[column] : Value());
    return row;
  }

  // Rows of `rows` that have, or have not, a partner among `others`.
  static Rows filtered(Run& run, const Rows& rows, const Indices& keys, const ByKey& others,
                       bool has_partner) {
    Rows result;
    for (const RowPointer& row : rows) {
      if (!run.spend(2)) break;
      if (others.contains(key_of(*row, keys)) == has_partner) result.push_back(row);
    }
    return result;
  }

  Rows run_join(Run& run) const {
    const Rows a = left(run), b = right(run);
    if (kind == Kind::LeftAnti || kind == Kind::LeftSemi)
      return filtered(run, a, left_keys, rows_by_key(run, b, right_keys), kind == Kind::LeftSemi);
    if (kind == Kind::RightAnti || kind == Kind::RightSemi)
      return filtered(run, b, right_keys, rows_by_key(run, a, left_keys), kind == Kind::RightSemi);
    const ByKey partners = rows_by_key(run, b, right_keys);
    const bool keeps_left = kind == Kind::LeftOuter || kind == Kind::FullOuter;
    std::vector<bool> is_joined(b.size());
    ByKey seen;
    Rows result;
    for (const RowPointer& row : a) {
      std::string key = key_of(*row, left_keys);
      if (!run.spend(2, key.size())) return result;
      const auto found = partners.find(key);
      // Of the left rows with one key only the first counts.
      if (kind == Kind::InnerUnique && !seen.try_emplace(std::move(key)).second) continue;
      if (found == partners.end()) {
        if (keeps_left && !run.add(result, joined(row.get(), nullptr))) return result;
        continue;
      }
      for (const std::size_t index : found->second) {
        is_joined[index] = true;
        if (!run.add(result, joined(row.get(), b[index].get()))) return result;
      }
    }
    if (kind == Kind::RightOuter || kind == Kind::FullOuter)
      for (std::size_t i = 0; i < b.size(); ++i)
        if (!is_joined[i] && !run.add(result, joined(nullptr, b[i].get()))) return result;
    return result;
  }
};

// `$left.A == $right.B`: the names, in that order.
std::optional<std::pair<std::string, std::string>> both_sides(const Expr& expr) {
  if (expr.kind != Expr::Kind::Binary || expr.text != "==") return std::nullopt;
  std::string names[2];
  for (const Expr& side : expr.args) {
    if (side.kind != Expr::Kind::Member || side.args[0].kind != Expr::Kind::Name) return std::nullopt;
    if (side.args[0].text == "$left") names[0] = side.text;
    if (side.args[0].text == "$right") names[1] = side.text;
  }
  if (names[0].empty() || names[1].empty()) return std::nullopt;
  return std::pair(names[0], names[1]);
}

std::string_view option(const Operator& op, const std::string& name) {
  const auto found = op.options.find(name);
  return found != op.options.end() ? std::string_view(found->second) : "";
}

}  // namespace

Result<Plan> Planner::plan_join(const Operator& op, Plan left) {
  FLOW_TRY(Plan right, pipeline(*op.tables[0]));
  operator_ = op.name;
  // The rows of one table, with what another knows of them: without its keys.
  const bool is_lookup = op.name == "lookup";
  Join join;
  if (is_lookup) join.kind = Kind::LeftOuter;
  if (const std::string_view given = option(op, "kind"); !given.empty()) {
    const auto* kind = std::ranges::find(kKinds, given, &KindName::name);
    if (kind == std::end(kKinds)) {
      std::vector<std::string> names;
      for (const KindName& known : kKinds) names.emplace_back(known.name);
      const auto near = nearest_name(given, names);
      return wrong(op.at, fmt::format("the kind '{}' is not known{}", given,
                                      near ? "; did you mean '" + *near + "'?" : ""));
    }
    join.kind = kind->kind;
    if (is_lookup && join.kind != Kind::LeftOuter && join.kind != Kind::Inner)
      return wrong(op.at, fmt::format("the kind of lookup is leftouter or inner, not {}", given));
  }
  for (const NamedExpr& item : op.by) {
    const auto sides = both_sides(item.expr);
    if (!sides && item.expr.kind != Expr::Kind::Name)
      return wrong(item.expr.at, "only equality is allowed: a column of both, or $left.A == $right.B");
    Expr left_name = item.expr, right_name = item.expr;
    left_name.kind = right_name.kind = Expr::Kind::Name;
    if (sides) left_name.text = sides->first, right_name.text = sides->second;
    const auto a = find_column(left.columns, left_name.text), b = find_column(right.columns, right_name.text);
    if (!a) return wrong(item.expr.at, "the left side has no column '" + left_name.text + "'");
    if (!b) return wrong(item.expr.at, "the right side has no column '" + right_name.text + "'");
    const Type x = left.columns[*a].type, y = right.columns[*b].type;
    if (x != y && !(is_number(x) && is_number(y)))
      return wrong(item.expr.at,
                   fmt::format("join keys have different types: {} and {}", type_name(x), type_name(y)));
    join.left_keys.push_back(*a);
    join.right_keys.push_back(*b);
  }
  join.left_width = left.columns.size();
  for (std::size_t column = 0; column < right.columns.size(); ++column)
    if (!is_lookup || std::ranges::find(join.right_keys, column) == join.right_keys.end())
      join.right_columns.push_back(column);
  Plan plan;
  const bool is_right = join.kind == Kind::RightAnti || join.kind == Kind::RightSemi;
  const bool is_left = join.kind == Kind::LeftAnti || join.kind == Kind::LeftSemi;
  plan.columns = is_right ? right.columns : left.columns;
  if (!is_right && !is_left)
    for (const std::size_t column : join.right_columns)
      plan.columns.push_back(
          {free_name(plan.columns, right.columns[column].name), right.columns[column].type});
  join.left = std::move(left.rows);
  join.right = std::move(right.rows);
  plan.rows = [join = std::move(join)](Run& run) { return join.run_join(run); };
  return plan;
}

// Columns are joined by name; where types differ, each type has a column of its own.
Result<Plan> Planner::plan_union(const Operator& op, std::optional<Plan> input) {
  struct Part {
    std::string name;
    Plan plan;
  };
  std::vector<Part> parts;
  if (input) parts.push_back({"union_arg0", std::move(*input)});
  const bool is_fuzzy = option(op, "isfuzzy") == "true";
  for (const auto& table : op.tables) {
    const Operator& source = table->operators[0];
    const bool is_name = source.name == "table" && table->operators.size() == 1;
    std::string name = is_name ? source.items[0].expr.text : "union_arg" + std::to_string(parts.size());
    if (is_name && name.ends_with('*')) {
      const std::string beginning = name.substr(0, name.size() - 1);
      for (const std::string& known : tables_.names()) {
        if (!known.starts_with(beginning)) continue;
        FLOW_TRY(Plan plan, plan_named_table(source.at, known));
        parts.push_back({known, std::move(plan)});
      }
      continue;
    }
    if (is_name && is_fuzzy && tables_.find(name) == nullptr && !let_tables_.contains(name)) continue;
    FLOW_TRY(Plan plan, pipeline(*table));
    operator_ = "union";
    parts.push_back({std::move(name), std::move(plan)});
  }
  if (parts.empty()) return wrong(op.at, "no table has such a name");
  Plan plan;
  const std::string source_column(option(op, "withsource"));
  if (!source_column.empty()) plan.columns.push_back({source_column, Type::Text});
  const bool is_inner = option(op, "kind") == "inner";
  struct Placed {
    std::string name;
    std::function<Rows(Run&)> rows;
    std::vector<std::optional<std::size_t>> places;
  };
  std::vector<Placed> placed;
  for (Part& part : parts) {
    Placed next{part.name, std::move(part.plan.rows), {}};
    for (const Column& column : part.plan.columns) {
      const bool is_shared = std::ranges::all_of(
          parts, [&](const Part& other) { return find_column(other.plan.columns, column.name).has_value(); });
      if (is_inner && !is_shared) {
        next.places.emplace_back();
        continue;
      }
      std::string name = column.name;
      auto place = find_column(plan.columns, name);
      if (place && plan.columns[*place].type != column.type) {
        name += "_" + std::string(type_name(column.type));
        place = find_column(plan.columns, name);
      }
      next.places.emplace_back(place.value_or(plan.columns.size()));
      if (!place) plan.columns.push_back({name, column.type});
    }
    placed.push_back(std::move(next));
  }
  plan.rows = [placed = std::move(placed), width = plan.columns.size(),
               has_source = !source_column.empty()](Run& run) {
    Rows result;
    for (const Placed& part : placed) {
      for (const RowPointer& row : part.rows(run)) {
        Row values(width);
        for (std::size_t i = 0; i < part.places.size(); ++i)
          if (part.places[i]) values[*part.places[i]] = (*row)[i];
        if (has_source) values[0] = Value::text(part.name);
        if (!run.add(result, std::move(values))) return result;
      }
    }
    return result;
  };
  return plan;
}

}  // namespace flow::kql
