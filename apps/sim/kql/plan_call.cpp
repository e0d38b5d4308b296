#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/kql/planner.hpp"
#include "base/text.hpp"

namespace flow::kql {
namespace {

std::optional<Type> type_of_letter(char letter) {
  switch (letter) {
    case 's': return Type::Text;
    case 'i': return Type::Int;
    case 'l': return Type::Long;
    case 'r': return Type::Real;
    case 'd': return Type::DateTime;
    case 't': return Type::TimeSpan;
    case 'j': return Type::Dynamic;
    case 'b': return Type::Bool;
    default: return std::nullopt;
  }
}

// How many arguments a function takes, and the letter of each.
struct Shape {
  std::string letters;
  std::size_t least = 0;
  bool repeats = false;

  char letter(std::size_t index) const { return letters[std::min(index, letters.size() - 1)]; }
};
Shape shape_of(std::string_view takes) {
  Shape shape;
  bool is_optional = false;
  for (const char c : takes) {
    if (c == '?') {
      is_optional = true;
    } else if (c == '*') {
      shape.repeats = true;
      if (shape.letters.empty()) is_optional = true;
    } else {
      shape.letters += c;
      if (!is_optional) ++shape.least;
    }
  }
  return shape;
}

// One type for values of which one is chosen.
std::optional<Type> common_type(const std::vector<Type>& types) {
  Type common = types[0];
  for (const Type type : types) {
    if (type == common) continue;
    if (is_number(type) && is_number(common))
      common = type == Type::Real || common == Type::Real ? Type::Real : Type::Long;
    else if (type == Type::Dynamic || common == Type::Dynamic)
      common = Type::Dynamic;
    else
      return std::nullopt;
  }
  return common;
}

bool fits(char letter, Type given) {
  const auto wanted = type_of_letter(letter);
  if (!wanted || given == *wanted || given == Type::Dynamic) return true;
  return is_number(*wanted) && is_number(given);
}

}  // namespace

Result<Scalar> Planner::plan_call(const Expr& expr, const Columns& columns) {
  if (summary_ != nullptr && is_aggregate(expr.text)) return plan_aggregate_call(expr);
  if (expr.text == "ingestion_time" && expr.args.empty()) {
    const auto column = time_column(columns);
    if (!column) return wrong(expr.at, "the table has no time of ingestion");
    return Scalar{Type::DateTime, false, [index = *column](Run&, const Row& row) { return row[index]; }};
  }
  if ((expr.text == "column_ifexists" || expr.text == "columnifexists") && expr.args.size() == 2) {
    Expr name = expr.args[0];
    name.kind = Expr::Kind::Name;
    name.text = std::string(expr.args[0].value.text());
    return find_column(columns, name.text) ? plan_name(name, columns) : scalar(expr.args[1], columns);
  }
  if (const auto own = let_functions_.find(expr.text); own != let_functions_.end())
    return plan_own_call(expr, *own->second, columns);
  if (const Function* function = find_function(expr.text)) return plan_function(expr, *function, columns);
  if (is_aggregate(expr.text))
    return wrong(expr.at, fmt::format("'{}' is an aggregate: it stands in summarize only", expr.text));
  std::vector<std::string> names = function_names();
  for (const auto& [name, let] : let_functions_) names.push_back(name);
  const auto near = nearest_name(expr.text, names);
  return wrong(expr.at, fmt::format("Unknown function: '{}'{}", expr.text,
                                    near ? "; did you mean '" + *near + "'?" : ""));
}

Result<Type> Planner::result_type(const Expr& expr, const Function& function,
                                  const std::vector<Scalar>& args) const {
  if (const auto type = type_of_letter(function.gives)) return *type;
  if (function.name == "bin" || function.name == "floor") {
    const Type value = args[0].type, width = args[1].type;
    const bool is_time = (value == Type::DateTime || value == Type::TimeSpan) && width == Type::TimeSpan;
    const bool are_numbers = is_number(value) && is_number(width);
    if (!is_time && !are_numbers && value != Type::Dynamic)
      return wrong(expr.at, fmt::format("'{}' does not take {} and {}", function.name, type_name(value),
                                        type_name(width)));
    return are_numbers && width == Type::Real ? Type::Real : value;
  }
  std::vector<Type> types;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const bool is_condition = function.gives == '2' && i + 1 < args.size() && i % 2 == 0;
    if (!is_condition) types.push_back(args[i].type);
    if (is_condition && args[i].type != Type::Bool && args[i].type != Type::Dynamic)
      return wrong(expr.args[i].at, "a condition must be of type bool");
  }
  const auto type = common_type(types);
  if (!type)
    return wrong(expr.at, fmt::format("the values that '{}' chooses from have different types", expr.text));
  return *type;
}

Result<Scalar> Planner::plan_function(const Expr& expr, const Function& function, const Columns& columns) {
  const Shape shape = shape_of(function.takes);
  const std::size_t given = expr.args.size();
  const bool is_case_without_else = function.name == "case" && given % 2 == 0;
  if (given < shape.least || (given > shape.letters.size() && !shape.repeats) || is_case_without_else)
    return wrong(expr.at, fmt::format("{}(): function expects {}{} argument{}, {} given", expr.text,
                                      shape.repeats || shape.least < shape.letters.size() ? "at least " : "",
                                      shape.least, shape.least == 1 ? "" : "s", given));
  std::vector<Scalar> args;
  bool is_constant = true;
  std::vector<std::optional<Type>> wanted;
  for (std::size_t i = 0; i < given; ++i) {
    FLOW_TRY(Scalar arg, scalar(expr.args[i], columns));
    const char letter = shape.letter(i);
    if (!fits(letter, arg.type))
      return wrong(expr.args[i].at,
                   fmt::format("{}(): argument {} must be of type {}, not {}", expr.text, i + 1,
                               type_name(*type_of_letter(letter)), type_name(arg.type)));
    const auto type = type_of_letter(letter);
    // Dynamic values become what the function takes.
    wanted.push_back(type && arg.type != *type && !is_number(arg.type) ? type : std::nullopt);
    is_constant = is_constant && arg.is_constant;
    args.push_back(std::move(arg));
  }
  FLOW_TRY(const Type type, result_type(expr, function, args));
  const bool converts = !type_of_letter(function.gives).has_value();
  std::vector<std::function<Value(Run&, const Row&)>> values;
  for (Scalar& arg : args) values.push_back(std::move(arg.value));
  return Scalar{type, is_constant,
                [values = std::move(values), wanted = std::move(wanted), code = function.code, type,
                 converts](Run& run, const Row& row) -> Value {
                  std::vector<Value> given_values;
                  given_values.reserve(values.size());
                  std::size_t bytes = 0;
                  for (std::size_t i = 0; i < values.size(); ++i) {
                    Value value = values[i](run, row);
                    if (wanted[i]) value = convert(value, *wanted[i]);
                    bytes += weight(value);
                    given_values.push_back(std::move(value));
                  }
                  // No function gives much more than it got without asking again.
                  if (!run.spend(1 + bytes / 64, 3 * bytes)) return {};
                  Value result = code(run, given_values);
                  return converts && !result.is_null() ? convert(result, type) : result;
                }};
}

}  // namespace flow::kql
