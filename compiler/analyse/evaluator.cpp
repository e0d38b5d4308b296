#include "compiler/analyse/evaluator.hpp"

#include <algorithm>
#include <limits>

#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

// Overflow is a fault of the run, so what goes on lies within.
std::int64_t sum(std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  return __builtin_add_overflow(x, y, &result) ? (x > 0 ? kGreatestInt : kLeastInt) : result;
}
std::int64_t difference(std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  return __builtin_sub_overflow(x, y, &result) ? (x >= 0 ? kGreatestInt : kLeastInt) : result;
}
std::int64_t product(std::int64_t x, std::int64_t y) {
  std::int64_t result = 0;
  return __builtin_mul_overflow(x, y, &result) ? ((x > 0) == (y > 0) ? kGreatestInt : kLeastInt) : result;
}

bool is_whole(const Values& values) {
  return values.kind() == Values::Kind::Numbers && values.type() != kFloatType && !values.is_only_null();
}

}  // namespace

Values Evaluator::value(NodeId node, const Facts& facts) const {
  const TypeId type = checked_.type[node];
  if (checked_.is_widened[node] != 0) {  // an Int where a Float is needed
    const Values whole = raw_value(node, facts);
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    if (is_whole(whole) && whole.is_one(types()) && whole.least() >= -kExact && whole.least() <= kExact)
      return Values::real(static_cast<double>(whole.least()));
    return Values::all(types(), kFloatType);
  }
  Values values = raw_value(node, facts);
  if (type != kNoType && !types().is_optional(type) && type != kNullType) values = values.without_null();
  const std::string key = keys_.of(node);
  const Fact* const fact = key.empty() ? nullptr : facts.find(key);
  return fact == nullptr ? values : values.with(*fact->values);
}

Values Evaluator::raw_value(NodeId node, const Facts& facts) const {
  Diagnostics told;  // by the checker
  const TypeId type = checked_.type[node];
  if (const Meaning& meaning = checked_.meaning[node]; meaning.kind == Meaning::Kind::EnumValue)
    return Values::number(meaning.type, meaning.index);
  switch (tree_.kind(node)) {
    case NodeKind::Int: return Values::number(kIntType, int_value(tree_, node, told));
    case NodeKind::Float: return Values::real(float_value(tree_, node, told));
    case NodeKind::Duration: return Values::number(kDurationType, duration_value_us(tree_, node, told));
    case NodeKind::True: return Values::number(kBoolType, 1);
    case NodeKind::False: return Values::number(kBoolType, 0);
    case NodeKind::Null: return Values::null_only();
    case NodeKind::Text:
    case NodeKind::TextBlock:
    case NodeKind::RawText:
      if (has_holes(tree_, node)) break;
      if (type == kTimeType)
        return Values::number(type, parse_written_time_us(plain_text(tree_, node, told)).value_or(0));
      return Values::text(type, plain_text(tree_, node, told));
    case NodeKind::Paren: return value(tree_.kid(node, 0), facts);
    case NodeKind::Negate:
    case NodeKind::Sum:
    case NodeKind::Product: return arithmetic(node, facts);
    case NodeKind::Coalesce: {
      const auto kids = tree_.kids(node);
      Values out = value(kids[0], facts);
      for (std::size_t i = 1; i < kids.size() && out.may_be_null(); ++i)
        out = out.without_null().joined(value(kids[i], facts));
      return out;
    }
    case NodeKind::IfExpr: return value(tree_.kid(node, 1), facts).joined(value(tree_.kid(node, 2), facts));
    case NodeKind::Call: return call(node, facts);
    default: break;
  }
  return Values::all(types(), type == kNoType ? types().error() : type);
}

Values Evaluator::arithmetic(NodeId node, const Facts& facts) const {
  const auto kids = tree_.kids(node);
  const TypeId type = checked_.type[node];
  const Values any = Values::all(types(), type);
  if (!is_whole(any)) return any;
  if (is_least_int(tree_, node)) return Values::number(type, INT64_MIN);
  const Values first = value(kids[0], facts);
  if (!is_whole(first)) return any;
  std::int64_t least = first.least(), greatest = first.greatest();
  if (tree_.kind(node) == NodeKind::Negate)
    return Values::numbers(type, difference(0, greatest), difference(0, least));
  for (std::size_t i = 1; i + 1 < kids.size(); i += 2) {
    const Values next = value(kids[i + 1], facts);
    if (!is_whole(next)) return any;
    switch (tree_.kind(kids[i])) {
      case NodeKind::OpAdd:
        least = sum(least, next.least()), greatest = sum(greatest, next.greatest());
        break;
      case NodeKind::OpSubtract:
        least = difference(least, next.greatest()), greatest = difference(greatest, next.least());
        break;
      case NodeKind::OpMultiply: {
        const auto [low, high] =
            std::minmax({product(least, next.least()), product(least, next.greatest()),
                         product(greatest, next.least()), product(greatest, next.greatest())});
        least = low, greatest = high;
        break;
      }
      default: return any;
    }
  }
  return Values::numbers(type, least, greatest);
}

std::optional<std::int64_t> Evaluator::length(NodeId list, const Facts& facts) const {
  while (tree_.kind(list) == NodeKind::Paren) list = tree_.kid(list, 0);
  if (tree_.kind(list) == NodeKind::List) return static_cast<std::int64_t>(tree_.kids(list).size());
  const auto method = checked_.methods.find(list);
  if (method == checked_.methods.end() || method->second.kind != CheckedMethod::Kind::Range) return {};
  std::int64_t begin = 0, end = 0;
  const auto& bounds = method->second.arguments;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const Values bound = value(bounds[i], facts);
    if (!is_whole(bound) || !bound.is_one(types())) return {};
    (i + 1 == bounds.size() ? end : begin) = bound.least();
  }
  return end <= begin ? 0 : difference(end, begin);
}

Values Evaluator::call(NodeId node, const Facts& facts) const {
  const TypeId type = checked_.type[node];
  const Values any = Values::all(types(), type == kNoType ? types().error() : type);
  const auto method = checked_.methods.find(node);
  if (method == checked_.methods.end()) return any;
  using Kind = CheckedMethod::Kind;
  const Kind kind = method->second.kind;
  const bool counts = kind == Kind::ListLength || kind == Kind::ListCount || kind == Kind::MapLength ||
                      (kind == Kind::Native && method->second.native == NativeId::length);
  if (!counts || type != kIntType) return any;
  if (kind == Kind::ListLength || (kind == Kind::ListCount && !method->second.has_lambda))
    if (const auto known = length(method->second.receiver, facts)) return Values::number(type, *known);
  return Values::numbers(type, 0, kGreatestInt);
}

// ---- What follows from a condition

// Only small conditions without names of others: what has to be looked at must not grow with each name.
void Evaluator::define(std::uint32_t local, NodeId condition) {
  constexpr NodeId kMostNodes = 64;
  NodeId first = condition;  // nodes lie in the order of their ends
  while (!tree_.kids(first).empty()) first = tree_.kid(first, 0);
  if (condition - first > kMostNodes) return;
  for (NodeId node = first; node <= condition; ++node)
    if (const Meaning& meaning = checked_.meaning[node];
        meaning.kind == Meaning::Kind::Local && conditions_.contains(meaning.index))
      return;
  conditions_.insert_or_assign(local, condition);
}

void Evaluator::learn(NodeId about, const Values& values, NodeId origin, bool truth, Facts& facts) const {
  if (facts.is_nowhere()) return;
  if (values.is_empty()) {
    facts = Facts::nowhere();
    return;
  }
  if (checked_.is_widened[about] != 0 || value(about, Facts()).is_one(types())) return;  // a constant
  std::string key = keys_.of(about);
  if (key.empty()) return;
  if (const Fact* const known = facts.find(key); known != nullptr && *known->values == values) return;
  facts.set({.key = std::move(key),
             .values = std::make_shared<const Values>(values),
             .origin = origin,
             .was_true = truth});
}

void Evaluator::assume(NodeId node, bool truth, Facts& facts) const {
  if (facts.is_nowhere()) return;
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return assume(tree_.kid(node, 0), truth, facts);
    case NodeKind::Not: return assume(tree_.kid(node, 0), !truth, facts);
    case NodeKind::And: return assume_all(tree_.kids(node), true, truth, facts);
    case NodeKind::Or: return assume_all(tree_.kids(node), false, truth, facts);
    case NodeKind::True:
    case NodeKind::False:
      if ((tree_.kind(node) == NodeKind::True) != truth) facts = Facts::nowhere();
      return;
    case NodeKind::Compare:
      if (!is_told_by_values(node, facts)) assume_truth(node, truth, facts);
      return assume_compare(node, truth, facts);
    default: return assume_truth(node, truth, facts);
  }
}

void Evaluator::assume_all(std::span<const NodeId> operands, bool is_and, bool truth, Facts& facts) const {
  if (is_and == truth) {
    for (const NodeId operand : operands) assume(operand, truth, facts);
    return;
  }
  // One of them decides it, and those before it did not.
  Facts so_far = facts;
  Facts out = Facts::nowhere();
  for (const NodeId operand : operands) {
    Facts here = so_far;
    assume(operand, truth, here);
    out = Facts::joined(out, here);
    assume(operand, !truth, so_far);
  }
  facts = std::move(out);
}

// Whether what the sides can be says all that this comparison says; others are remembered as they are
// written.
bool Evaluator::is_told_by_values(NodeId node, const Facts& facts) const {
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  NodeId right = tree_.kid(node, 2);
  while (tree_.kind(right) == NodeKind::Paren) right = tree_.kid(right, 0);
  if (op == NodeKind::OpIn || op == NodeKind::OpNotIn) return tree_.kind(right) == NodeKind::List;
  const bool is_equality = op == NodeKind::OpEqual || op == NodeKind::OpNotEqual;
  if (!is_equality && (op < NodeKind::OpLess || op > NodeKind::OpGreaterEqual)) return false;
  const Values a = value(tree_.kid(node, 0), facts), b = value(right, facts);
  if (!is_equality && a.kind() != Values::Kind::Numbers) return false;
  return a.is_only_null() || b.is_only_null() || a.is_one(types()) || b.is_one(types());
}

// `a != b` is the opposite of `a == b`, as `not in` is of `in`.
std::string Evaluator::truth_key(NodeId node, bool& is_opposite) const {
  while (tree_.kind(node) == NodeKind::Paren) node = tree_.kid(node, 0);
  is_opposite = false;
  if (tree_.kind(node) != NodeKind::Compare) return keys_.of(node);
  std::string left = keys_.of(tree_.kid(node, 0)), right = keys_.of(tree_.kid(node, 2));
  if (left.empty() || right.empty()) return {};
  NodeKind op = tree_.kind(tree_.kid(node, 1));
  if (op == NodeKind::OpNotEqual || op == NodeKind::OpNotIn) {
    is_opposite = true;
    op = op == NodeKind::OpNotEqual ? NodeKind::OpEqual : NodeKind::OpIn;
  }
  if (op == NodeKind::OpEqual && right < left) std::swap(left, right);
  return left + " " + std::string(node_name(op)) + " " + right;
}

void Evaluator::assume_truth(NodeId node, bool truth, Facts& facts) const {
  const Meaning& meaning = checked_.meaning[node];
  if (meaning.kind == Meaning::Kind::Local)
    if (const auto defined = conditions_.find(meaning.index); defined != conditions_.end())
      assume(defined->second, truth, facts);
  if (facts.is_nowhere()) return;
  const Values wanted = Values::number(kBoolType, truth ? 1 : 0);
  if (tree_.kind(node) != NodeKind::Compare) {
    const Values now = value(node, facts);
    if (now.kind() == Values::Kind::Numbers && now.with(wanted).is_empty()) {
      facts = Facts::nowhere();
      return;
    }
  }
  bool is_opposite = false;
  std::string key = truth_key(node, is_opposite);
  if (key.empty()) return;
  const Values told = Values::number(kBoolType, truth != is_opposite ? 1 : 0);
  if (const Fact* const known = facts.find(key)) {
    if (known->values->with(told).is_empty()) facts = Facts::nowhere();
    return;
  }
  facts.set({.key = std::move(key),
             .values = std::make_shared<const Values>(told),
             .origin = node,
             .was_true = truth});
}

void Evaluator::assume_compare(NodeId node, bool truth, Facts& facts) const {
  const NodeKind op = tree_.kind(tree_.kid(node, 1));
  switch (op) {
    case NodeKind::OpEqual: return assume_equal(node, tree_.kid(node, 0), tree_.kid(node, 2), truth, facts);
    case NodeKind::OpNotEqual:
      return assume_equal(node, tree_.kid(node, 0), tree_.kid(node, 2), !truth, facts);
    case NodeKind::OpLess:
    case NodeKind::OpLessEqual:
    case NodeKind::OpGreater:
    case NodeKind::OpGreaterEqual: return assume_order(node, op, truth, facts);
    case NodeKind::OpIn: return assume_member(node, truth, facts);
    case NodeKind::OpNotIn: return assume_member(node, !truth, facts);
    default: return;
  }
}

void Evaluator::assume_equal(NodeId node, NodeId left, NodeId right, bool are_equal, Facts& facts) const {
  if (facts.is_nowhere()) return;
  const bool truth = (tree_.kind(tree_.kid(node, 1)) == NodeKind::OpEqual) == are_equal;
  const Values a = value(left, facts), b = value(right, facts);
  if (are_equal) {
    const Values both = a.with(b);
    learn(left, both, node, truth, facts);
    learn(right, both, node, truth, facts);
    return;
  }
  const auto is_single = [&](const Values& values) {
    return values.is_one(types()) || (values.is_only_null() && values.may_be_null());
  };
  if (is_single(b)) learn(left, a.without(b), node, truth, facts);
  if (is_single(a)) learn(right, b.without(a), node, truth, facts);
}

void Evaluator::assume_order(NodeId node, NodeKind op, bool truth, Facts& facts) const {
  if (facts.is_nowhere()) return;
  const bool is_less = op == NodeKind::OpLess || op == NodeKind::OpLessEqual;
  bool or_equal = op == NodeKind::OpLessEqual || op == NodeKind::OpGreaterEqual;
  NodeId low = tree_.kid(node, is_less ? 0 : 2), high = tree_.kid(node, is_less ? 2 : 0);
  Values a = value(low, facts), b = value(high, facts);
  if (a.kind() != Values::Kind::Numbers || b.kind() != Values::Kind::Numbers || a.is_only_null() ||
      b.is_only_null())
    return;
  const bool may_be_unknown = a.holds_unknown(types()) || b.holds_unknown(types());
  const bool is_enum = types().is(a.type(), TypeKind::Enum);
  const std::int64_t least = is_enum ? 0 : kLeastInt;
  if (!truth) {  // the other way round: b < a, or b <= a; or one is a value nobody knows
    std::swap(low, high);
    std::swap(a, b);
    or_equal = !or_equal;
  } else if (may_be_unknown) {
    a = a.between(0, kGreatestInt);
    b = b.between(0, kGreatestInt);
    if (a.is_empty() || b.is_empty()) {
      facts = Facts::nowhere();
      return;
    }
  }
  const bool is_open = !truth && may_be_unknown;
  const auto narrow = [&](const Values& values, std::int64_t first, std::int64_t last, bool other_known) {
    if (!is_open) return values.between(first, last);
    if (!other_known) return values;
    return values.between(first, last).joined(values.between(Values::kUnknownValue, Values::kUnknownValue));
  };
  const std::int64_t edge = or_equal ? 0 : 1;
  const Values narrow_a =
      narrow(a, least, b.greatest() == kLeastInt && edge == 1 ? kLeastInt : b.greatest() - edge,
             !b.holds_unknown(types()));
  const Values narrow_b = narrow(b, a.least() == kGreatestInt && edge == 1 ? kGreatestInt : a.least() + edge,
                                 kGreatestInt, !a.holds_unknown(types()));
  learn(low, narrow_a, node, truth, facts);
  learn(high, narrow_b, node, truth, facts);
}

void Evaluator::assume_member(NodeId node, bool is_in, Facts& facts) const {
  if (facts.is_nowhere()) return;
  const NodeId item = tree_.kid(node, 0);
  NodeId list = tree_.kid(node, 2);
  while (tree_.kind(list) == NodeKind::Paren) list = tree_.kid(list, 0);
  if (tree_.kind(list) != NodeKind::List) return;
  const bool truth = (tree_.kind(tree_.kid(node, 1)) == NodeKind::OpIn) == is_in;
  if (tree_.kids(list).empty()) {
    if (is_in) facts = Facts::nowhere();
    return;
  }
  Values sought = value(item, facts);
  Values allowed = Values::null_only().without_null();
  for (const NodeId kid : tree_.kids(list)) {
    const Values one = value(kid, facts);
    if (is_in)
      allowed = allowed.joined(one);
    else if (one.is_one(types()))
      sought = sought.without(one);
  }
  learn(item, is_in ? sought.with(allowed) : sought, node, truth, facts);
}

}  // namespace flow
