// `match`: what its arms take, what is left over, and what is known of the subject in each.
#include <algorithm>
#include <limits>

#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {

// What the arms so far take.
struct Checker::Taken {
  struct Interval {
    double from, to;
    NodeId pattern;
  };
  std::map<std::string, NodeId> values;  // enum values, texts, `true`, `null` … by spelling
  std::vector<Interval> intervals;       // of numbers and durations
  NodeId any = kNoNode;                  // `_`
  NodeId all_but_null = kNoNode;         // `is T` where a T? is matched

  // The pattern that took all before; kNoNode without one.
  NodeId before(bool is_null) const { return any != kNoNode || is_null ? any : all_but_null; }
};

namespace {

constexpr std::size_t kMostNamed = 8;  // values that are missing, in a message

bool is_number_literal(NodeKind kind) {
  return kind == NodeKind::Int || kind == NodeKind::Float || kind == NodeKind::Duration ||
         kind == NodeKind::Negate;
}

// The number that a literal stands for; close enough to compare with others of its kind.
double number_of(const Tree& tree, NodeId node) {
  Diagnostics told;
  switch (tree.kind(node)) {
    case NodeKind::Int: return static_cast<double>(int_value(tree, node, told));
    case NodeKind::Float: return float_value(tree, node, told);
    case NodeKind::Duration: return static_cast<double>(duration_value_us(tree, node, told));
    case NodeKind::Negate: return -number_of(tree, tree.kid(node, 0));
    default: return 0;
  }
}

}  // namespace

std::span<const NodeId> Checker::patterns_of(NodeId arm) const {
  return tree_.kids(arm).first(tree_.kids(arm).size() - 1);
}

bool Checker::may_grow(TypeId enumeration) const {
  return enumeration < library_.types.size();
}

// Checks the subject; gives its type, error where nothing can be matched.
TypeId Checker::match_subject(NodeId node) {
  const NodeId subject = tree_.kid(node, 0);
  const TypeId type = expression(subject);
  if (is_error(type)) return type;
  const bool has_value = type != kNullType && type != kNothingType;
  if (has_constants(type) || (has_value && has_type_pattern(node))) return type;
  report(Code::OperatorMismatch, subject,
         fmt::format("`match` compares its subject with constants, and {} is `{}`", quoted(subject),
                     type_name(type)))
      .note(out_.types.without_null(type) == kJsonType
                ? "test what it is: `is String as text => …`"
                : "enums, Bool, numbers, durations and texts can be matched; Json, and what may be null, by "
                  "`is Type`");
  return error_type();
}

// Whether values of the type can be compared with constants.
bool Checker::has_constants(TypeId type) const {
  const TypeId bare = out_.types.without_null(type);
  return out_.types.is(bare, TypeKind::Enum) || bare == kBoolType || bare == kIntType || bare == kFloatType ||
         bare == kDurationType ||
         (out_.types.storage(bare) == Storage::Text && bare != kJsonType && bare != kSecretType &&
          bare != kHtmlType && bare != kKqlType && bare != kBytesType);
}

bool Checker::has_type_pattern(NodeId match) const {
  for (const NodeId arm : tree_.kids(match).subspan(1))
    if (tree_.kind(arm) == NodeKind::MatchArm)
      for (const NodeId pattern : patterns_of(arm))
        if (tree_.kind(pattern) == NodeKind::PatternIs) return true;
  return false;
}

void Checker::take(Taken& taken, std::string value, NodeId pattern) {
  const NodeId before = taken.before(value == "null");
  const auto [first, is_new] = taken.values.emplace(std::move(value), pattern);
  if (before == kNoNode && is_new) return;
  const NodeId earlier = before != kNoNode ? before : first->second;
  report(Code::Unreachable, pattern, fmt::format("{} is never reached here", quoted(pattern)))
      .label(tree_.span(earlier), "taken by this pattern");
}

void Checker::take_interval(Taken& taken, double from, double to, NodeId pattern) {
  const auto around = std::ranges::find_if(
      taken.intervals, [&](const Taken::Interval& known) { return known.from <= from && to <= known.to; });
  const NodeId earlier = taken.before(false) != kNoNode    ? taken.before(false)
                         : around != taken.intervals.end() ? around->pattern
                                                           : kNoNode;
  if (earlier != kNoNode)
    report(Code::Unreachable, pattern, fmt::format("{} is never reached here", quoted(pattern)))
        .label(tree_.span(earlier), "taken by this pattern");
  taken.intervals.push_back({from, to, pattern});
}

// A pattern for a subject of this type, which may be optional.
void Checker::pattern(NodeId node, TypeId subject, Taken& taken) {
  const TypeId bare = out_.types.without_null(subject);
  const NodeKind kind = tree_.kind(node);
  switch (kind) {
    case NodeKind::PatternAny:
      if (taken.any != kNoNode || is_complete(subject, taken))
        report(Code::Unreachable, node, "`_` is never reached here: all values are taken before");
      taken.any = node;
      return;
    case NodeKind::Null:
      out_.type[node] = kNullType;
      if (!is_error(subject) && !out_.types.is_optional(subject))
        report(Code::NeverNull, node, "what is matched is never null");
      return take(taken, "null", node);
    case NodeKind::PatternRange: {
      const NodeId low = tree_.kid(node, 0), high = tree_.kid(node, 1);
      if (is_error(subject)) return;
      if (!is_number_literal(tree_.kind(low)) || !is_number_literal(tree_.kind(high)) ||
          (bare != kIntType && bare != kFloatType && bare != kDurationType)) {
        report(Code::TypeMismatch, node,
               fmt::format("a range is of numbers or durations, and what is matched is `{}`",
                           type_name(subject)));
        return;
      }
      expect(low, bare, "the lower end of a range");
      expect(high, bare, "the upper end of a range");
      if (is_error(out_.type[low]) || is_error(out_.type[high])) return;
      const double from = number_of(tree_, low), to = number_of(tree_, high);
      if (from > to)
        report(Code::InvalidLiteral, node,
               fmt::format("nothing lies in {}: it ends below its begin", quoted(node)));
      else
        take_interval(taken, from, to, node);
      return;
    }
    case NodeKind::PatternIs: return type_pattern(node, subject, taken);
    default: break;
  }
  if (!is_error(subject) && !has_constants(subject)) {
    report(Code::TypeMismatch, node, fmt::format("a `{}` is not compared with constants", type_name(bare)))
        .note("test its type, and match what it holds: `is String as text => …`");
    return;
  }
  switch (kind) {
    case NodeKind::Ident:
      if (is_error(subject)) return;
      if (!out_.types.is(bare, TypeKind::Enum)) {
        report(Code::TypeMismatch, node,
               fmt::format("a pattern is a constant of type `{}`, and {} is a name", type_name(bare),
                           quoted(node)))
            .note("to compare with a value write `if`");
        return;
      }
      out_.type[node] = unknown_name(node, bare);
      break;
    case NodeKind::Field:
      if (is_error(subject)) return;
      expect(node, bare, "a pattern");
      if (!is_error(out_.type[node]) && out_.meaning[node].kind != Meaning::Kind::EnumValue) {
        report(Code::TypeMismatch, node,
               fmt::format("a pattern is a constant, and {} is none", quoted(node)));
        return;
      }
      break;
    default:
      if (is_error(subject)) return;
      if (has_holes_in(node)) {
        report(Code::TypeMismatch, node, "a pattern is a constant: a text in it has no holes");
        return;
      }
      expect(node, bare, "a pattern");
  }
  if (is_error(out_.type[node])) return;
  if (out_.meaning[node].kind == Meaning::Kind::EnumValue) {
    const Meaning& value = out_.meaning[node];
    return take(taken, out_.types.enumeration(value.type).values[value.index], node);
  }
  if (is_number_literal(kind))
    return take_interval(taken, number_of(tree_, node), number_of(tree_, node), node);
  if (kind == NodeKind::True || kind == NodeKind::False)
    return take(taken, kind == NodeKind::True ? "true" : "false", node);
  Diagnostics told;
  take(taken, "\"" + plain_text(tree_, node, told), node);
}

bool Checker::has_holes_in(NodeId node) const {
  const NodeKind kind = tree_.kind(node);
  return (kind == NodeKind::Text || kind == NodeKind::TextBlock) && has_holes(tree_, node);
}

// Whether each value that the flow can name is taken, `_` aside, and the API can add none.
bool Checker::is_complete(TypeId subject, const Taken& taken) const {
  const TypeId bare = out_.types.without_null(subject);
  if (out_.types.is(bare, TypeKind::Enum) && may_grow(bare) && taken.all_but_null == kNoNode) return false;
  return !is_error(subject) && missing(subject, taken).empty();
}

// What no arm takes, as patterns; `_` where the values cannot be counted.
std::vector<std::string> Checker::missing(TypeId subject, const Taken& taken) const {
  std::vector<std::string> left;
  const TypeId bare = out_.types.without_null(subject);
  const auto want = [&](const std::string& value) {
    if (!taken.values.contains(value)) left.push_back(value);
  };
  if (taken.all_but_null == kNoNode) {
    if (out_.types.is(bare, TypeKind::Enum))
      for (const std::string& value : out_.types.enumeration(bare).values) want(value);
    else if (bare == kBoolType)
      for (const char* value : {"true", "false"}) want(value);
    else
      left.emplace_back("_");
  }
  if (out_.types.is_optional(subject)) want("null");
  return left;
}

void Checker::exhaust(NodeId node, TypeId subject, const Taken& taken) {
  const Span word{tree_.span(node).begin, tree_.span(node).begin + 5};
  const TypeId bare = out_.types.without_null(subject);
  const bool is_expression = tree_.kind(node) == NodeKind::MatchExpr;
  if (taken.any != kNoNode) {
    complete_matches_.insert(node);
    return;
  }
  const bool has_bad_arm = std::ranges::any_of(tree_.kids(node).subspan(1),
                                               [&](NodeId arm) { return tree_.kind(arm) == NodeKind::Bad; });
  if (is_error(subject) || has_bad_arm) return;
  const std::vector<std::string> left = missing(subject, taken);
  const bool is_open = out_.types.is(bare, TypeKind::Enum) && may_grow(bare) && taken.all_but_null == kNoNode;
  if (left.empty() && !is_open) complete_matches_.insert(node);
  if (left.empty() && !(is_open && is_expression)) return;
  if (left.empty()) {
    diagnostics_
        .report(Code::MatchNotExhaustive, tree_.file, word,
                fmt::format("this `match` gives nothing for a value that `{}` gets later", type_name(bare)))
        .note("the API may add values; say what they give: `_ => …`");
    return;
  }
  const std::size_t named = std::min(left.size(), kMostNamed);
  std::string list;
  for (std::size_t i = 0; i < named; ++i)
    list += (i == 0 ? "" : ", ") + (left[i] == "_" ? "all other values" : fmt::format("`{}`", left[i]));
  if (named < left.size()) list += fmt::format(" and {} more", left.size() - named);
  diagnostics_
      .report(Code::MatchNotExhaustive, tree_.file, word, fmt::format("this `match` has no arm for {}", list))
      .note(is_expression ? "add the arms, or one for all others: `_ => …`"
                          : "add the arms, or one for all others: `_ => { … }`");
}

// Checks the patterns of an arm, and knows then what they prove of the subject.
void Checker::enter_arm(NodeId arm, NodeId subject, TypeId type, Taken& taken) {
  bool takes_null = false;
  for (const NodeId kid : patterns_of(arm)) {
    takes_null = takes_null || tree_.kind(kid) == NodeKind::Null ||
                 (tree_.kind(kid) == NodeKind::PatternAny && !taken.values.contains("null"));
    pattern(kid, type, taken);
    if (tree_.kind(kid) == NodeKind::PatternIs && tree_.kids(kid).size() > 1 && patterns_of(arm).size() > 1)
      report(Code::MisplacedStatement, tree_.kid(kid, 1),
             "an arm that names its value has no other pattern, which would leave the name without one")
          .note("give the other patterns an arm of their own");
  }
  if (!takes_null && out_.types.is_optional(type))
    if (std::string known = path(subject); !known.empty()) facts_.insert(std::move(known));
}

void Checker::match_statement(NodeId node) {
  const std::size_t assigned = assigned_.size();
  const TypeId type = match_subject(node);
  const NodeId subject = tree_.kid(node, 0);
  const std::set<std::string> before = facts_;
  Taken taken;
  bool null_goes_on = out_.types.is_optional(type);
  for (const NodeId arm : tree_.kids(node).subspan(1)) {
    if (tree_.kind(arm) != NodeKind::MatchArm) continue;
    const bool had_null = taken.values.contains("null") || taken.any != kNoNode;
    const std::size_t scope = scope_.size();
    enter_arm(arm, subject, type, taken);
    block(tree_.kids(arm).back());
    leave_scope(scope);
    facts_ = before;
    const bool has_null = taken.values.contains("null") || taken.any != kNoNode;
    if (!had_null && has_null && ends(tree_.kids(arm).back())) null_goes_on = false;
  }
  exhaust(node, type, taken);
  if (out_.types.is_optional(type) && !null_goes_on)
    if (std::string known = path(subject); !known.empty()) facts_.insert(std::move(known));
  forget_since(assigned);
}

TypeId Checker::match_expression(NodeId node, TypeId expected) {
  const TypeId type = match_subject(node);
  const NodeId subject = tree_.kid(node, 0);
  const std::set<std::string> before = facts_;
  Taken taken;
  TypeId result = kNoType;
  NodeId first = kNoNode;
  bool has_mistake = false;
  for (const NodeId arm : tree_.kids(node).subspan(1)) {
    if (tree_.kind(arm) != NodeKind::MatchArm) {
      has_mistake = true;
      continue;
    }
    const std::size_t scope = scope_.size();
    enter_arm(arm, subject, type, taken);
    const NodeId value = tree_.kids(arm).back();
    const TypeId given = expression(value, expected != kNoType ? expected : result);
    leave_scope(scope);
    facts_ = before;
    has_mistake = has_mistake || is_error(given);
    if (is_error(given)) continue;
    const TypeId both = result == kNoType ? given : either(result, given);
    if (both == kNoType) {
      report(Code::TypeMismatch, value,
             fmt::format("all arms must give one type: `{}` and `{}`", type_name(result), type_name(given)))
          .label(tree_.span(first), fmt::format("is `{}`", type_name(result)));
      has_mistake = true;
      continue;
    }
    if (first == kNoNode) first = value;
    result = both;
  }
  exhaust(node, type, taken);
  return has_mistake || result == kNoType ? error_type() : result;
}

TypeId Checker::either(TypeId a, TypeId b) {
  if (out_.types.accepts(a, b)) return a;
  if (out_.types.accepts(b, a)) return b;
  if (a == kNullType || b == kNullType) return out_.types.optional(a == kNullType ? b : a);
  const TypeId with_null = out_.types.optional(a);
  return out_.types.accepts(with_null, b) ? with_null : kNoType;
}

// `is Type`, `is Type as name`: takes what `value is Type` is true for, and names it as a value of that type.
void Checker::type_pattern(NodeId node, TypeId subject, Taken& taken) {
  const auto kids = tree_.kids(node);
  const TypeId wanted = declared_type(kids[0]);
  out_.type[kids[0]] = wanted;
  if (kids.size() > 1) declare_local(kids[1], wanted);
  if (is_error(subject) || is_error(wanted)) return;
  if (!is_testable(subject, wanted) || subject == wanted) {
    const TypeId bare = out_.types.without_null(subject);
    Diagnostic& d = report(Code::TestIsKnown, node,
                           fmt::format("what is matched is `{}`, so this pattern {} takes it",
                                       type_name(subject), bare == wanted ? "always" : "never"));
    if (bare == wanted)
      d.note("for all that is left write `_`");
    else
      d.note("`is` tests Json, texts for the types kept as text, and what may be null");
    return;
  }
  if (out_.types.without_null(subject) == wanted) {
    const NodeId before = taken.before(false);
    if (before == kNoNode) {
      taken.all_but_null = node;
    } else {
      report(Code::Unreachable, node, fmt::format("{} is never reached here", quoted(node)))
          .label(tree_.span(before), "taken by this pattern");
    }
    return;
  }
  keep_fields(wanted);
  take(taken, fmt::format("is {}", wanted), node);
}

}  // namespace flow
