// `parse` and `parse-where`, kind=simple: columns are what stands between the texts of a pattern.
#include <fmt/format.h>

#include <algorithm>

#include "apps/sim/kql/planner.hpp"

namespace flow::kql {
namespace {

struct Part {
  std::string literal;  // when not empty
  bool is_column = false;
  Type type = Type::Text;
  std::size_t place = 0;  // of the column
};

// What a number looks like at the beginning of a text, as far as it goes.
std::size_t number_length(std::string_view text, bool is_real) {
  std::size_t length = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  while (length < text.size() &&
         ((text[length] >= '0' && text[length] <= '9') || (is_real && text[length] == '.')))
    ++length;
  return length;
}

// Fills the columns of `row`; false when the text does not have the pattern's form to its end. Each text of
// the pattern is found where it first occurs, the last one, if nothing may follow it, at the end.
bool take_apart(std::string_view text, const std::vector<Part>& parts, Row& row) {
  const Part* open = nullptr;  // a column or `*` that ends where the next text begins
  const auto close = [&](std::string_view value) {
    if (open != nullptr && open->is_column) {
      Value converted = convert(Value::text(std::string(value)), open->type);
      if (converted.is_null()) return false;
      row[open->place] = std::move(converted);
    }
    open = nullptr;
    return true;
  };
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const Part& part = parts[i];
    if (part.literal.empty()) {
      if (open != nullptr) {  // of a number, which ends by itself
        const std::size_t length = open->is_column ? number_length(text, open->type == Type::Real) : 0;
        if (!close(text.substr(0, length))) return false;
        text.remove_prefix(length);
      }
      open = &part;
      continue;
    }
    std::size_t at =
        open == nullptr ? (text.starts_with(part.literal) ? 0 : text.npos) : text.find(part.literal);
    const bool is_last = i + 1 == parts.size();
    if (is_last && open != nullptr && text.ends_with(part.literal)) at = text.size() - part.literal.size();
    if (at == text.npos || !close(text.substr(0, at))) return false;
    text.remove_prefix(at + part.literal.size());
  }
  if (open == nullptr) return text.empty();
  return close(text);
}

}  // namespace

Result<Plan> Planner::plan_parse(const Operator& op, Plan input) {
  if (const auto kind = op.options.find("kind"); kind != op.options.end() && kind->second != "simple")
    return wrong(op.at, fmt::format("the kind '{}' is not supported, only simple", kind->second));
  FLOW_TRY(Scalar text, scalar_as(op.items[0].expr, input.columns, Type::Text, "what is parsed"));
  Plan plan;
  plan.columns = input.columns;
  std::vector<Part> parts;
  std::vector<std::size_t> places;
  for (const NamedExpr& given : op.by) {
    Part part;
    if (!given.name.empty()) {
      const auto type = type_named(given.type);
      if (!type) return wrong(given.expr.at, "'" + given.type + "' is no type");
      const bool is_open = !parts.empty() && parts.back().literal.empty();
      if (is_open && !(parts.back().is_column && is_number(parts.back().type)))
        return wrong(given.expr.at,
                     "what stands before '" + given.name + "' has no end: a text must stand between");
      part = {.literal = {}, .is_column = true, .type = *type, .place = 0};
      part.place = find_column(plan.columns, given.name).value_or(plan.columns.size());
      if (part.place == plan.columns.size()) plan.columns.push_back({given.name, *type});
      plan.columns[part.place].type = *type;
      if (std::ranges::find(places, part.place) != places.end())
        return wrong(given.expr.at, "the column '" + given.name + "' stands in the pattern twice");
      places.push_back(part.place);
    } else if (given.expr.kind == Expr::Kind::Star) {
      const bool is_open = !parts.empty() && parts.back().literal.empty();
      if (is_open && !(parts.back().is_column && is_number(parts.back().type)))
        return wrong(given.expr.at, "what stands before '*' has no end: a text must stand between");
    } else {
      part.literal = std::string(given.expr.value.text());
    }
    parts.push_back(std::move(part));
  }
  plan.rows = [rows = std::move(input.rows), text = std::move(text.value), parts = std::move(parts),
               places = std::move(places), width = plan.columns.size(), drops = op.name == "parse-where",
               types = plan.columns](Run& run) {
    Rows result;
    for (const RowPointer& row : rows(run)) {
      const Value whole = text(run, *row);
      if (!run.spend(1 + parts.size(), weight(whole))) break;
      Row values = *row;
      values.resize(width);
      for (const std::size_t place : places)
        values[place] = types[place].type == Type::Text ? Value::text("") : Value();
      if (!take_apart(whole.text(), parts, values)) {
        if (drops) continue;
        for (const std::size_t place : places)
          values[place] = types[place].type == Type::Text ? Value::text("") : Value();
      }
      if (!run.add(result, std::move(values))) break;
    }
    return result;
  };
  return plan;
}

}  // namespace flow::kql
