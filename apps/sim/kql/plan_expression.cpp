#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "apps/sim/kql/lexer.hpp"
#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

Scalar constant_scalar(Value value, Type type) {
  return {type, true, [value = std::move(value)](Run&, const Row&) { return value; }};
}

// Texts of any value that can stand before `has` and its kin.
std::string text_of(const Value& value) {
  return to_text(value);
}

using Compare = bool (*)(int order);
Compare comparison(std::string_view op) {
  if (op == "<") return [](int order) { return order < 0; };
  if (op == "<=") return [](int order) { return order <= 0; };
  if (op == ">") return [](int order) { return order > 0; };
  if (op == ">=") return [](int order) { return order >= 0; };
  return nullptr;
}

// Equal as keys of a join are: null texts are empty ones.
bool are_equal(const Value& a, const Value& b) {
  if (a.is_null() != b.is_null()) return weight(a) + weight(b) == 0 && (a.get<Text>() || b.get<Text>());
  return compare(a, b).value_or(1) == 0;
}

// A list of texts that `in`, has_any and has_all look among.
struct Choices {
  std::vector<Value> values;
  std::set<std::string> keys;
};

std::string key_of(const Value& value, bool ignores_case) {
  std::string key;
  append_key(key, value);
  return ignores_case ? lower_ascii(key) : key;
}

// A dynamic list stands for its items.
void add_choice(const Value& value, bool ignores_case, Choices& choices) {
  if (const Json* json = value.json(); json != nullptr && json->is_list()) {
    for (const Json& item : json->items()) add_choice(plain(Value::dynamic(item)), ignores_case, choices);
    return;
  }
  choices.values.push_back(value);
  choices.keys.insert(key_of(value, ignores_case));
}

bool is_among(Run& run, std::string_view op, const Value& value, const Choices& choices) {
  if (op == "in") return choices.keys.contains(key_of(value, false));
  if (op == "in~") return choices.keys.contains(key_of(value, true));
  const std::string text = text_of(value);
  run.spend(1 + choices.values.size() * (1 + text.size() / 16));
  const auto has = [&](const Value& part) { return has_term(text, text_of(part)); };
  return op == "has_all" ? std::ranges::all_of(choices.values, has)
                         : std::ranges::any_of(choices.values, has);
}

}  // namespace

std::optional<std::size_t> find_column(const Columns& columns, std::string_view name) {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == name) return i;
  return std::nullopt;
}

tl::unexpected<Error> Planner::wrong(std::size_t at, const std::string& message) const {
  return error(fmt::format("{}{} (line {}). Fix semantic errors in your query.",
                           operator_.empty() ? "" : "'" + operator_ + "' operator: ", message,
                           place_of(text_, at)));
}

Result<Scalar> Planner::scalar(const Expr& expr, const Columns& columns) {
  switch (expr.kind) {
    case Expr::Kind::Literal: return constant_scalar(expr.value, expr.type);
    case Expr::Kind::Name: return plan_name(expr, columns);
    case Expr::Kind::Star: return wrong(expr.at, "'*' is no value");
    case Expr::Kind::Member:
    case Expr::Kind::Index: return plan_access(expr, columns);
    case Expr::Kind::Call: return plan_call(expr, columns);
    case Expr::Kind::Unary: return plan_negation(expr, columns);
    case Expr::Kind::Binary: return plan_binary(expr, columns);
    case Expr::Kind::Among: return plan_among(expr, columns);
    case Expr::Kind::Between:
    case Expr::Kind::NotBetween: return plan_between(expr, columns);
    case Expr::Kind::Table: return plan_toscalar(expr);
  }
  return wrong(expr.at, "this is no value");
}

Result<Scalar> Planner::scalar_as(const Expr& expr, const Columns& columns, Type type,
                                  std::string_view what) {
  FLOW_TRY(Scalar given, scalar(expr, columns));
  if (given.type == type || (is_number(given.type) && is_number(type))) return given;
  if (given.type != Type::Dynamic)
    return wrong(expr.at,
                 fmt::format("{} must be of type {}, not {}", what, type_name(type), type_name(given.type)));
  return Scalar{type, given.is_constant, [inner = std::move(given.value), type](Run& run, const Row& row) {
                  return convert(inner(run, row), type);
                }};
}

Result<Value> Planner::constant(const Expr& expr, Run& run) {
  FLOW_TRY(const Scalar given, scalar(expr, {}));
  return given.value(run, {});
}

Result<Scalar> Planner::plan_name(const Expr& expr, const Columns& columns) {
  if (const auto column = find_column(columns, expr.text)) {
    return Scalar{columns[*column].type, false,
                  [index = *column](Run&, const Row& row) { return row[index]; }};
  }
  if (const auto let = let_scalars_.find(expr.text); let != let_scalars_.end()) return let->second;
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  for (const auto& [name, let] : let_scalars_) names.push_back(name);
  const auto near = nearest_name(expr.text, names);
  return wrong(expr.at, fmt::format("Failed to resolve scalar expression named '{}'{}", expr.text,
                                    near ? "; did you mean '" + *near + "'?" : ""));
}

// A member of a dynamic value, by name or by number.
Result<Scalar> Planner::plan_access(const Expr& expr, const Columns& columns) {
  FLOW_TRY(Scalar object, scalar(expr.args[0], columns));
  if (object.type != Type::Dynamic)
    return wrong(expr.at, fmt::format("a value of type {} has no members; parse_json(…) makes it dynamic",
                                      type_name(object.type)));
  Scalar key = constant_scalar(Value::text(expr.text), Type::Text);
  if (expr.kind == Expr::Kind::Index) {
    FLOW_TRY(key, scalar(expr.args[1], columns));
  }
  const bool is_constant = object.is_constant && key.is_constant;
  return Scalar{
      Type::Dynamic, is_constant,
      [object = std::move(object.value), key = std::move(key.value)](Run& run, const Row& row) -> Value {
        const Value whole = object(run, row);
        const Value name = plain(key(run, row));
        const Json* json = whole.json();
        if (json == nullptr || !run.spend(1 + json->members().size() / 8)) return {};
        const Json* found = json->find(name.text());
        if (const auto index = name.integer()) {
          const auto size = static_cast<std::int64_t>(json->items().size());
          const std::int64_t at = *index < 0 ? *index + size : *index;
          found = at >= 0 && at < size ? &json->items()[static_cast<std::size_t>(at)] : nullptr;
        }
        // Shares the whole value, and so costs nothing.
        return found != nullptr && !found->is_null() ? Value(Dynamic(*whole.get<Dynamic>(), found)) : Value();
      }};
}

Result<Scalar> Planner::plan_negation(const Expr& expr, const Columns& columns) {
  FLOW_TRY(Scalar operand, scalar(expr.args[0], columns));
  if (!is_number(operand.type) && operand.type != Type::TimeSpan && operand.type != Type::Dynamic)
    return wrong(expr.at, fmt::format("'-' does not take {}", type_name(operand.type)));
  const Value zero = operand.type == Type::TimeSpan ? Value(TimeSpan{0}) : Value(std::int64_t{0});
  const Type type = operand.type == Type::Dynamic ? Type::Real : operand.type;
  return Scalar{type, operand.is_constant,
                [inner = std::move(operand.value), zero](Run& run, const Row& row) {
                  return arithmetic('-', zero, inner(run, row));
                }};
}

Result<Scalar> Planner::plan_binary(const Expr& expr, const Columns& columns) {
  if (expr.text == "and" || expr.text == "or") return plan_logic(expr, columns);
  FLOW_TRY(Scalar left, scalar(expr.args[0], columns));
  FLOW_TRY(Scalar right, scalar(expr.args[1], columns));
  const std::string_view bare =
      std::string_view(expr.text).substr(expr.text.starts_with('!') && expr.text != "!=" ? 1 : 0);
  if (text_test(bare) != nullptr || expr.text == "!~" || expr.text == "matches regex")
    return plan_text_test(expr, std::move(left), std::move(right));
  const bool is_comparison = expr.text == "==" || expr.text == "!=" || comparison(expr.text) != nullptr;
  if (is_comparison) return plan_comparison(expr, std::move(left), std::move(right));
  const char op = expr.text[0];
  const auto type = arithmetic_type(op, left.type, right.type);
  if (!type)
    return wrong(expr.at, fmt::format("'{}' does not take {} and {}", expr.text, type_name(left.type),
                                      type_name(right.type)));
  const bool is_constant = left.is_constant && right.is_constant;
  return Scalar{*type, is_constant,
                [left = std::move(left.value), right = std::move(right.value), op](Run& run, const Row& row) {
                  return arithmetic(op, left(run, row), right(run, row));
                }};
}

// Null is neither true nor false: `false and null` is false, `true and null` is null.
Result<Scalar> Planner::plan_logic(const Expr& expr, const Columns& columns) {
  const bool decides = expr.text == "or";
  bool is_constant = true;
  std::vector<std::function<Value(Run&, const Row&)>> operands;
  for (const Expr& arg : expr.args) {
    FLOW_TRY(Scalar operand, scalar_as(arg, columns, Type::Bool, "an operand of '" + expr.text + "'"));
    is_constant = is_constant && operand.is_constant;
    operands.push_back(std::move(operand.value));
  }
  return Scalar{Type::Bool, is_constant,
                [operands = std::move(operands), decides](Run& run, const Row& row) -> Value {
                  bool has_null = false;
                  for (const auto& operand : operands) {
                    const Value value = operand(run, row);
                    if (value.is_null())
                      has_null = true;
                    else if (value.is_true() == decides)
                      return decides;
                  }
                  return has_null ? Value() : Value(!decides);
                }};
}

Status Planner::check_comparable(const Expr& expr, Type left, Type right) const {
  if (left == right || (is_number(left) && is_number(right)) || left == Type::Dynamic ||
      right == Type::Dynamic)
    return {};
  return wrong(expr.at, fmt::format("Cannot compare values of types {} and {}. Try adding explicit casts",
                                    type_name(left), type_name(right)));
}

Result<Scalar> Planner::plan_comparison(const Expr& expr, Scalar left, Scalar right) {
  FLOW_TRY_STATUS(check_comparable(expr, left.type, right.type));
  const bool is_constant = left.is_constant && right.is_constant;
  const bool is_not = expr.text == "!=";
  if (const Compare holds = comparison(expr.text)) {
    return Scalar{
        Type::Bool, is_constant,
        [left = std::move(left.value), right = std::move(right.value), holds](Run& run, const Row& row) {
          const auto order = compare(left(run, row), right(run, row));
          return order ? Value(holds(*order)) : Value();
        }};
  }
  return Scalar{
      Type::Bool, is_constant,
      [left = std::move(left.value), right = std::move(right.value), is_not](Run& run, const Row& row) {
        const Value a = left(run, row), b = right(run, row);
        if (a.is_null() && b.is_null()) return Value();
        return Value(are_equal(a, b) != is_not);
      }};
}

Result<Scalar> Planner::plan_text_test(const Expr& expr, Scalar left, Scalar right) {
  for (const Scalar* side : {&left, &right})
    if (side->type != Type::Text && side->type != Type::Dynamic)
      return wrong(expr.at, fmt::format("'{}' takes texts, not {}", expr.text, type_name(side->type)));
  const bool is_constant = left.is_constant && right.is_constant;
  if (expr.text == "matches regex") {
    const FunctionCode code = find_function("matches regex")->code;
    Run probe({.steps = 10'000}, 0);
    const Expr& pattern = expr.args[1];
    if (pattern.kind == Expr::Kind::Literal && probe.pattern(pattern.value.text()) == nullptr)
      return wrong(pattern.at, "the regular expression is not valid");
    return Scalar{
        Type::Bool, is_constant,
        [left = std::move(left.value), right = std::move(right.value), code](Run& run, const Row& row) {
          const std::vector<Value> args = {Value::text(text_of(left(run, row))), right(run, row)};
          run.spend(1 + args[0].text().size() / 16);
          return code(run, args);
        }};
  }
  const bool is_not = expr.text.starts_with('!');
  const TextTest test = expr.text == "!~" ? text_test("=~") : text_test(expr.text.substr(is_not ? 1 : 0));
  return Scalar{
      Type::Bool, is_constant,
      [left = std::move(left.value), right = std::move(right.value), test, is_not](Run& run, const Row& row) {
        const Value a = left(run, row), b = right(run, row);
        // Texts are looked at where they are; only dynamic values become texts first.
        const std::string x = a.json() != nullptr ? text_of(a) : std::string();
        const std::string y = b.json() != nullptr ? text_of(b) : std::string();
        const std::string_view text = a.json() != nullptr ? x : a.text();
        const std::string_view part = b.json() != nullptr ? y : b.text();
        if (!run.spend(1 + text.size() * part.size() / 256)) return Value(false);
        return Value(test(text, part) != is_not);
      }};
}

Result<Scalar> Planner::plan_between(const Expr& expr, const Columns& columns) {
  FLOW_TRY(Scalar value, scalar(expr.args[0], columns));
  FLOW_TRY(Scalar low, scalar(expr.args[1], columns));
  FLOW_TRY(Scalar high, scalar(expr.args[2], columns));
  // between (start .. 2h) is from start to two hours later.
  if (value.type == Type::DateTime && low.type == Type::DateTime && high.type == Type::TimeSpan) {
    high = Scalar{Type::DateTime, low.is_constant && high.is_constant,
                  [start = low.value, span = high.value](Run& run, const Row& row) {
                    return arithmetic('+', start(run, row), span(run, row));
                  }};
  }
  FLOW_TRY_STATUS(check_comparable(expr.args[1], value.type, low.type));
  FLOW_TRY_STATUS(check_comparable(expr.args[2], value.type, high.type));
  const bool is_not = expr.kind == Expr::Kind::NotBetween;
  return Scalar{Type::Bool, value.is_constant && low.is_constant && high.is_constant,
                [value = value.value, low = low.value, high = high.value, is_not](Run& run, const Row& row) {
                  const Value given = value(run, row);
                  const auto above = compare(given, low(run, row)), below = compare(given, high(run, row));
                  if (!above || !below) return Value();
                  return Value((*above >= 0 && *below <= 0) != is_not);
                }};
}

Result<Scalar> Planner::plan_among(const Expr& expr, const Columns& columns) {
  FLOW_TRY(Scalar value, scalar(expr.args[0], columns));
  const bool is_not = expr.text.starts_with('!');
  const std::string op = expr.text.substr(is_not ? 1 : 0);
  const bool ignores_case = op == "in~";
  if (op.starts_with("has_") && value.type != Type::Text && value.type != Type::Dynamic)
    return wrong(expr.at, fmt::format("'{}' takes texts, not {}", expr.text, type_name(value.type)));
  const auto choices = std::make_shared<std::optional<Choices>>();
  std::function<Choices(Run&, const Row&)> gather;
  bool is_constant = true;
  const bool is_let = expr.args.size() == 2 && expr.args[1].kind == Expr::Kind::Name &&
                      let_tables_.contains(expr.args[1].text) && !find_column(columns, expr.args[1].text);
  if (expr.query || is_let) {
    FLOW_TRY(Plan table, is_let ? Result<Plan>(let_tables_.at(expr.args[1].text)) : pipeline(*expr.query));
    if (table.columns.empty()) return wrong(expr.at, "the table has no columns");
    gather = [rows = std::move(table.rows), ignores_case](Run& run, const Row&) {
      Choices found;
      for (const RowPointer& row : rows(run))
        if (run.spend(1, 64)) add_choice((*row)[0], ignores_case, found);
      return found;
    };
  } else {
    std::vector<std::function<Value(Run&, const Row&)>> items;
    for (std::size_t i = 1; i < expr.args.size(); ++i) {
      FLOW_TRY(Scalar item, scalar(expr.args[i], columns));
      if (!(item.type == Type::Dynamic))
        FLOW_TRY_STATUS(check_comparable(expr.args[i], value.type, item.type));
      is_constant = is_constant && item.is_constant;
      items.push_back(std::move(item.value));
    }
    gather = [items = std::move(items), ignores_case](Run& run, const Row& row) {
      Choices found;
      for (const auto& item : items)
        if (run.spend(1)) add_choice(item(run, row), ignores_case, found);
      return found;
    };
  }
  return Scalar{Type::Bool, is_constant && value.is_constant,
                [value = std::move(value.value), gather = std::move(gather), choices, is_constant, op,
                 is_not](Run& run, const Row& row) {
                  if (!*choices || !is_constant) *choices = gather(run, row);
                  run.spend(1);
                  return Value(is_among(run, op, value(run, row), **choices) != is_not);
                }};
}

// The first value of the first row, computed when it is first wanted.
Result<Scalar> Planner::plan_toscalar(const Expr& expr) {
  FLOW_TRY(Plan table, pipeline(*expr.query));
  if (table.columns.empty()) return wrong(expr.at, "the table has no columns");
  const auto kept = std::make_shared<std::optional<Value>>();
  return Scalar{table.columns[0].type, true, [rows = std::move(table.rows), kept](Run& run, const Row&) {
                  if (!*kept) {
                    const Rows found = rows(run);
                    *kept = found.empty() ? Value() : (*found[0])[0];
                  }
                  return **kept;
                }};
}

}  // namespace flow::kql
