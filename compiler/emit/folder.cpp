#include "compiler/emit/folder.hpp"

#include <cmath>

#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow {
namespace {

Constant boolean(bool value) {
  return {.type = kBoolType, .number = value ? 1 : 0, .real = 0, .text = {}};
}
Constant number(TypeId type, std::int64_t value) {
  return {.type = type, .number = value, .real = 0, .text = {}};
}
Constant real(double value) {
  return {.type = kFloatType, .number = 0, .real = value, .text = {}};
}

// Nothing where the machine would raise a fault.
std::optional<std::int64_t> calculated(NodeKind op, std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  switch (op) {
    case NodeKind::OpAdd: return __builtin_add_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case NodeKind::OpSubtract:
      return __builtin_sub_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case NodeKind::OpMultiply:
      return __builtin_mul_overflow(x, y, &result) ? std::nullopt : std::optional(result);
    case NodeKind::OpDivide:
      if (y == 0 || (y == -1 && x == INT64_MIN)) return std::nullopt;
      return x / y;
    default:
      if (y == 0) return std::nullopt;
      return y == -1 ? 0 : x % y;
  }
}

std::optional<double> calculated(NodeKind op, double x, double y) {
  double result = 0;
  switch (op) {
    case NodeKind::OpAdd: result = x + y; break;
    case NodeKind::OpSubtract: result = x - y; break;
    case NodeKind::OpMultiply: result = x * y; break;
    default:
      if (y == 0) return std::nullopt;
      result = x / y;
  }
  return std::isfinite(result) ? std::optional(result) : std::nullopt;
}

template <class T>
bool is_so(NodeKind op, const T& x, const T& y) {
  switch (op) {
    case NodeKind::OpEqual: return x == y;
    case NodeKind::OpNotEqual: return x != y;
    case NodeKind::OpLess: return x < y;
    case NodeKind::OpLessEqual: return x <= y;
    case NodeKind::OpGreater: return x > y;
    default: return x >= y;
  }
}

}  // namespace

std::optional<Constant> Folder::value(NodeId node) {
  return checked_.is_json_made[node] != 0 ? std::nullopt : own_value(node);
}

std::optional<Constant> Folder::own_value(NodeId node) {
  if (unknown_.contains(node)) return std::nullopt;
  std::optional<Constant> found = raw_value(node);
  if (found && checked_.is_unwrapped[node] != 0 && found->type == kNullType) found.reset();
  if (found && checked_.is_widened[node] != 0) found = real(static_cast<double>(found->number));
  if (!found) unknown_.insert(node);
  return found;
}

std::optional<Constant> Folder::raw_value(NodeId node) {
  if (auto found = literal(node)) return found;
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return value(tree_.kid(node, 0));
    case NodeKind::Ident:
    case NodeKind::Field: return name(node);
    default: break;
  }
  if (!follows_) return std::nullopt;
  switch (tree_.kind(node)) {
    case NodeKind::Text:
    case NodeKind::TextBlock: return text(node);
    case NodeKind::Sum:
    case NodeKind::Product:
    case NodeKind::Negate: return arithmetic(node);
    case NodeKind::Compare: return compare(node);
    case NodeKind::And:
    case NodeKind::Or:
    case NodeKind::Not: return logic(node);
    case NodeKind::IfExpr: {
      const auto condition = value(tree_.kid(node, 0));
      return condition ? value(tree_.kid(node, condition->number != 0 ? 1 : 2)) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

std::optional<Constant> Folder::literal(NodeId node) const {
  Diagnostics told;  // by the checker
  switch (tree_.kind(node)) {
    case NodeKind::Int: return number(kIntType, int_value(tree_, node, told));
    case NodeKind::Negate:
      if (is_least_int(tree_, node)) return number(kIntType, INT64_MIN);
      return std::nullopt;
    case NodeKind::Duration: return number(kDurationType, duration_value_us(tree_, node, told));
    case NodeKind::Float: return real(float_value(tree_, node, told));
    case NodeKind::True: return boolean(true);
    case NodeKind::False: return boolean(false);
    case NodeKind::Null: return number(kNullType, 0);
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
    case NodeKind::Html:
    case NodeKind::Kql:
      if (has_holes(tree_, node)) return std::nullopt;
      if (checked_.type[node] == kTimeType)
        return number(kTimeType, parse_written_time_us(plain_text(tree_, node, told)).value_or(0));
      return Constant{
          .type = checked_.type[node], .number = 0, .real = 0, .text = plain_text(tree_, node, told)};
    default: return std::nullopt;
  }
}

std::optional<Constant> Folder::name(NodeId node) const {
  const Meaning& meaning = checked_.meaning[node];
  if (meaning.kind == Meaning::Kind::EnumValue) return number(meaning.type, meaning.index);
  if (meaning.kind != Meaning::Kind::Local || tree_.kind(node) != NodeKind::Ident) return std::nullopt;
  const auto known = locals_.find(meaning.index);
  return known == locals_.end() ? std::nullopt : std::optional(known->second);
}

std::optional<std::string> folded_text(const TypeTable& types, const Constant& constant) {
  if (constant.type == kIntType) return std::to_string(constant.number);
  const bool is_markup =
      constant.type == kHtmlType || constant.type == kKqlType || constant.type == kSecretType;
  if (types.storage(constant.type) == Storage::Text && !is_markup) return constant.text;
  return std::nullopt;
}

std::optional<Constant> Folder::text(NodeId node) {
  Diagnostics told;
  Constant whole{.type = kStringType, .number = 0, .real = 0, .text = {}};
  for (const NodeId kid : tree_.kids(node)) {
    if (tree_.kind(kid) == NodeKind::TextPiece) {
      whole.text += decode_piece(tree_, kid, told);
      continue;
    }
    const auto part = value(kid);
    const auto printed = part ? folded_text(checked_.types, *part) : std::nullopt;
    if (!printed) return std::nullopt;
    whole.text += *printed;
  }
  return whole;
}

std::optional<Constant> Folder::arithmetic(NodeId node) {
  const auto kids = tree_.kids(node);
  std::optional<Constant> sum = value(kids[0]);
  if (!sum || sum->type != checked_.type[node]) return std::nullopt;  // spans are left to the machine
  if (sum->type != kIntType && sum->type != kFloatType && sum->type != kStringType) {
    if (sum->type != kDurationType || tree_.kind(node) != NodeKind::Negate) return std::nullopt;
  }
  if (tree_.kind(node) == NodeKind::Negate) {
    if (sum->type == kFloatType) return real(-sum->real);
    if (sum->number == INT64_MIN) return std::nullopt;
    return number(sum->type, -sum->number);
  }
  for (std::size_t i = 1; i + 1 < kids.size(); i += 2) {
    const auto next = value(kids[i + 1]);
    if (!next || next->type != sum->type) return std::nullopt;
    const NodeKind op = tree_.kind(kids[i]);
    if (sum->type == kStringType) {
      sum->text += next->text;
    } else if (sum->type == kFloatType) {
      const auto result = calculated(op, sum->real, next->real);
      if (!result) return std::nullopt;
      sum->real = *result;
    } else {
      const auto result = calculated(op, sum->number, next->number);
      if (!result) return std::nullopt;
      sum->number = *result;
    }
  }
  return sum;
}

std::optional<Constant> Folder::compare(NodeId node) {
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  switch (op) {
    case NodeKind::OpEqual:
    case NodeKind::OpNotEqual:
    case NodeKind::OpLess:
    case NodeKind::OpLessEqual:
    case NodeKind::OpGreater:
    case NodeKind::OpGreaterEqual: break;
    default: return std::nullopt;
  }
  const auto x = value(tree_.kid(node, 0));
  const auto y = x ? value(tree_.kid(node, 2)) : std::nullopt;
  if (!y) return std::nullopt;
  if (x->type == kNullType || y->type == kNullType) {
    const bool is_equality = op == NodeKind::OpEqual || op == NodeKind::OpNotEqual;
    if (!is_equality) return std::nullopt;
    return boolean((x->type == y->type) == (op == NodeKind::OpEqual));
  }
  if (x->type != y->type) return std::nullopt;
  switch (checked_.types.storage(x->type)) {
    case Storage::Text: return boolean(is_so(op, x->text, y->text));
    case Storage::Float: return boolean(is_so(op, x->real, y->real));
    default: return boolean(is_so(op, x->number, y->number));
  }
}

std::optional<Constant> Folder::logic(NodeId node) {
  if (tree_.kind(node) == NodeKind::Not) {
    const auto operand = value(tree_.kid(node, 0));
    return operand ? std::optional(boolean(operand->number == 0)) : std::nullopt;
  }
  const bool is_and = tree_.kind(node) == NodeKind::And;
  for (const NodeId kid : tree_.kids(node)) {
    const auto operand = value(kid);
    if (!operand) return std::nullopt;
    if ((operand->number != 0) != is_and) return boolean(!is_and);
  }
  return boolean(is_and);
}

}  // namespace flow
