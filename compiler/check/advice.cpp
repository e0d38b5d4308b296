// What was probably meant where types do not fit, and how it is written.
#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "compiler/check/checker.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

struct Unit {
  std::string_view word, unit;
};
constexpr std::array kUnits = {Unit{"millisecond", "ms"}, Unit{"second", "s"}, Unit{"sec", "s"},
                               Unit{"minute", "m"},       Unit{"min", "m"},    Unit{"hour", "h"},
                               Unit{"day", "d"},          Unit{"week", "w"}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view sign_of(NodeKind op) {
  switch (op) {
    case NodeKind::OpAdd: return "+";
    case NodeKind::OpMultiply: return "*";
    case NodeKind::OpDivide: return "/";
    case NodeKind::OpModulo: return "%";
    default: return "-";
  }
}

}  // namespace

// `m` of `minutes`; empty when the word is no unit of time.
std::string_view Checker::unit_of(std::string_view word) {
  std::string lower = lower_ascii(word);
  if (lower.size() > 3 && lower.ends_with('s')) lower.pop_back();
  const auto found = std::ranges::find(kUnits, lower, &Unit::word);
  return found == kUnits.end() ? std::string_view() : found->unit;
}

// `30 minutes`: the second word.
bool Checker::is_unit_behind_number(NodeId node) const {
  if (unit_of(tree_.text(node)).empty()) return false;
  const std::string& text = tree_.source->text();
  std::size_t at = tree_.span(node).begin;
  while (at > 0 && text[at - 1] == ' ') --at;
  return at > 0 && at < tree_.span(node).begin && text[at - 1] >= '0' && text[at - 1] <= '9';
}

void Checker::advise_duration(NodeId number, Diagnostic& d) const {
  const std::string& text = tree_.source->text();
  std::size_t begin = tree_.span(number).end;
  while (begin < text.size() && text[begin] == ' ') ++begin;
  std::size_t end = begin;
  while (end < text.size() && is_letter(text[end])) ++end;
  const std::string_view unit = unit_of(std::string_view(text).substr(begin, end - begin));
  const std::string_view written = tree_.text(number);
  if (unit.empty())
    d.note(fmt::format("a length of time has a unit: `{}s`, `{}m`, `{}h`", written, written, written));
  else
    d.fix({tree_.span(number).begin, static_cast<std::uint32_t>(end)}, fmt::format("{}{}", written, unit),
          fmt::format("a length of time is one word: `{}{}`", written, unit));
}

// `severity == High or Medium`: how many operands from number `first` on are values that the comparison
// before them was meant for, too; they are told.
std::size_t Checker::report_alternatives(NodeId node, std::size_t first) {
  const auto kids = tree_.kids(node);
  const NodeId compare = kids[first - 1];
  const bool is_and = tree_.kind(node) == NodeKind::And;
  if (tree_.kind(compare) != NodeKind::Compare ||
      tree_.kind(tree_.kid(compare, 1)) != (is_and ? NodeKind::OpNotEqual : NodeKind::OpEqual))
    return 0;
  const NodeId subject = tree_.kid(compare, 0);
  if (out_.type[subject] == kNoType || is_error(out_.type[subject])) return 0;
  const TypeId type = out_.types.without_null(out_.type[subject]);
  const auto is_value = [&](NodeId operand) {
    if (out_.types.is(type, TypeKind::Enum))
      return is_loose_name(operand) && tree_.kind(operand) == NodeKind::Ident &&
             out_.types.enumeration(type).value(tree_.text(operand)).has_value();
    return tree_.kind(operand) == NodeKind::Text ? out_.types.storage(type) == Storage::Text
                                                 : tree_.kind(operand) == NodeKind::Int && type == kIntType;
  };
  std::size_t last = first;
  std::string list(tree_.text(tree_.kid(compare, 2)));
  for (; last < kids.size() && is_value(kids[last]); ++last)
    list += fmt::format(", {}", tree_.text(kids[last]));
  if (last == first) return 0;
  const std::string meant = fmt::format("{} {} [{}]", tree_.text(subject), is_and ? "not in" : "in", list);
  report(Code::TypeMismatch, kids[first],
         fmt::format("an operand of `{}` must be `Bool`, and {} is a value to compare with",
                     is_and ? "and" : "or", quoted(kids[first])))
      .fix({tree_.span(compare).begin, tree_.span(kids[last - 1]).end}, meant,
           fmt::format("write `{}`", meant));
  return last - first;
}

// What a module has by this name, as `notify.page`; empty when none has it.
std::string Checker::member_of_module(std::string_view name, bool is_called) {
  for (auto& [alias, module] : file_->modules) {
    if (!module.file) continue;
    const File& file = files_[*module.file];
    if (!file.functions.contains(name) &&
        (is_called || (!file.settings.contains(name) && !file.own_types.contains(name))))
      continue;
    module.is_used = true;  // all but the module's name was written
    return fmt::format("{}.{}", alias, name);
  }
  return {};
}

// `30`, `machine`, `"text"` where something near to it is wanted. `d` tells that the types differ.
void Checker::advise_type(NodeId node, TypeId wanted, TypeId type, Diagnostic& d) const {
  const NodeKind kind = tree_.kind(node);
  const TypeId bare_wanted = out_.types.without_null(wanted);
  const Span span = tree_.span(node);
  const bool is_text = kind == NodeKind::Text || kind == NodeKind::TextBlock;
  if (is_text && (bare_wanted == kKqlType || bare_wanted == kHtmlType)) {
    const char* const prefix = bare_wanted == kKqlType ? "kql" : "html";
    d.fix({span.begin, span.begin}, prefix,
          fmt::format("write `{}` before the text: `{}\"…\"`", prefix, prefix));
  } else if (kind == NodeKind::Int && bare_wanted == kDurationType) {
    advise_duration(node, d);
  } else if (wanted == kBoolType && out_.types.is_optional(type)) {
    d.fix({span.end, span.end}, " != null",
          fmt::format("whether there is one: `{} != null`", tree_.text(node)));
  } else if (out_.types.is(bare_wanted, TypeKind::List) &&
             out_.types.accepts(out_.types[bare_wanted].element, type) && type != kNullType) {
    d.fix(span, fmt::format("[{}]", tree_.text(node)), "a list of one is written in brackets");
  } else if (out_.types.is(out_.types.without_null(type), TypeKind::Record) && trigger_ != nullptr) {
    for (const Trigger::Binding& binding : trigger_->bindings)
      if (binding.type == bare_wanted && !visible_.contains(binding.name)) {
        d.fix(span, binding.name, fmt::format("did you mean `{}`?", binding.name));
        return;
      }
  }
}

// The type of `a op b`; kNoType when the operator is not defined for them.
TypeId Checker::operator_result(NodeKind op, TypeId a, TypeId b) const {
  const auto is_number = [](TypeId type) { return type == kIntType || type == kFloatType; };
  const bool is_sum = op == NodeKind::OpAdd || op == NodeKind::OpSubtract;
  if (is_number(a) && is_number(b)) return a == kFloatType ? a : b;
  if (is_sum && b == kDurationType && (a == kDurationType || a == kTimeType)) return a;
  if (op == NodeKind::OpAdd && a == kStringType && b == kStringType) return a;
  return kNoType;
}

// Names the first operator of `node` that does not fit its operands.
void Checker::report_operator(NodeId node, const std::vector<TypeId>& types) {
  const auto kids = tree_.kids(node);
  if (kids.size() < 3) {
    report(Code::OperatorMismatch, node, fmt::format("`-` is not defined for `{}`", type_name(types[0])));
    return;
  }
  TypeId left = types[0];
  std::size_t i = 1;
  for (; i + 1 < types.size(); ++i) {
    const TypeId result = operator_result(tree_.kind(kids[i * 2 - 1]), left, types[i]);
    if (result == kNoType) break;
    left = result;
  }
  const NodeId a = kids[i * 2 - 2], b = kids[i * 2];
  const NodeKind op = tree_.kind(kids[i * 2 - 1]);
  const TypeId right = types[i];
  Diagnostic& d = diagnostics_.report(
      Code::OperatorMismatch, tree_.file, {tree_.span(a).begin, tree_.span(b).end},
      fmt::format("`{}` is not defined for `{}` and `{}`", sign_of(op), type_name(left), type_name(right)));
  d.label(tree_.span(a), i == 1 ? fmt::format("is `{}`", type_name(left))
                                : fmt::format("all before the `{}` is `{}`", sign_of(op), type_name(left)))
      .label(tree_.span(b), fmt::format("is `{}`", type_name(right)));
  const bool is_sum = op == NodeKind::OpAdd || op == NodeKind::OpSubtract;
  const auto either_is = [&](TypeId type) { return left == type || right == type; };
  if (either_is(kHtmlType)) {
    d.note("to join parts of a page write them into one: html\"{a}{b}\"");
    if (types.size() == 2 && op == NodeKind::OpAdd) advise_page(a, b, d);
  } else if (either_is(kKqlType))
    d.note("to join parts of a query write one: kql\"… {value} …\"");
  else if (is_sum && either_is(kStringType))
    d.note("to join text with other values write them into a text: \"… {value} …\"");
  else if (left == kTimeType && right == kTimeType)
    d.note(
        "to ask how long ago it was compare: `t < ago(1h)`; `a.toUnix() - b.toUnix()` are the seconds "
        "between");
  else if (is_sum && right == kIntType && (left == kTimeType || left == kDurationType) &&
           tree_.kind(b) == NodeKind::Int)
    advise_duration(b, d);
  else if (!is_sum && either_is(kDurationType))
    advise_product(a, b, d);
}

// `html"<b>" + title`, where both can stand on one line.
void Checker::advise_page(NodeId a, NodeId b, Diagnostic& d) const {
  std::string page;
  for (const NodeId part : {a, b}) {
    const std::string_view text = tree_.text(part);
    const NodeKind kind = tree_.kind(part);
    const std::size_t quote = kind == NodeKind::Html ? 4 : 0;
    const bool is_block = text.substr(quote).starts_with("\"\"\"");
    if (text.find('\n') != std::string_view::npos || is_block) return;
    if (kind == NodeKind::Html)
      page += text.substr(5, text.size() - 6);
    else if (kind == NodeKind::Text && text.find_first_of("<>&") == std::string_view::npos)
      page += text.substr(1, text.size() - 2);
    else
      page += fmt::format("{{{}}}", text);
  }
  const std::string whole = fmt::format("html\"{}\"", page);
  d.fix({tree_.span(a).begin, tree_.span(b).end}, whole, fmt::format("write `{}`", whole));
}

// `1h * 2`
void Checker::advise_product(NodeId a, NodeId b, Diagnostic& d) const {
  if (tree_.kind(a) == NodeKind::Int) std::swap(a, b);
  Diagnostics told;  // before
  std::int64_t product = 0;
  if (tree_.kind(a) == NodeKind::Duration && tree_.kind(b) == NodeKind::Int &&
      !__builtin_mul_overflow(duration_value_us(tree_, a, told), int_value(tree_, b, told), &product)) {
    const std::string written = format_duration_us(product);
    d.fix(
        {std::min(tree_.span(a).begin, tree_.span(b).begin), std::max(tree_.span(a).end, tree_.span(b).end)},
        written, fmt::format("write `{}`", written));
  } else {
    d.note("a length of time is made of a number: `count.minutes()`, `(count * 2).hours()`");
  }
}

// `hunt(…) as Row`: rows are a list.
void Checker::advise_list_of(NodeId type_node, TypeId from, TypeId to, Diagnostic& d) const {
  if (!is_list_of_json(from) || out_.types.is(to, TypeKind::List) || !is_foreign(to)) return;
  const std::string list = fmt::format("List<{}>", tree_.text(type_node));
  d.fix(tree_.span(type_node), list, fmt::format("they are several: `as {}`", list));
}

// `map.get("a")`, `list.get(0)`.
bool Checker::advise_index(NodeId call, NodeId object, NodeId key, Diagnostic& d) const {
  if (tree_.kind(tree_.kid(call, 0)) != NodeKind::Field) return false;
  d.fix({tree_.span(object).end, tree_.span(call).end}, fmt::format("[{}]", tree_.text(key)),
        fmt::format("write `{}[{}]`", tree_.text(object), tree_.text(key)));
  return true;
}

// `severity is High`: reports it where `type_node` names a value of the enum.
bool Checker::is_value_for_type(NodeId node, NodeId type_node, TypeId from) {
  const TypeId bare = out_.types.without_null(from);
  if (is_error(from) || !out_.types.is(bare, TypeKind::Enum) || tree_.kids(type_node).size() != 1)
    return false;
  const std::string_view name = tree_.text(type_node);
  if (type_names().contains(name) || !out_.types.enumeration(bare).value(name)) return false;
  const NodeId op = tree_.kid(node, 1);
  report(Code::UnknownType, type_node,
         fmt::format("`is` asks for a type, and `{}` is a value of `{}`", name, type_name(bare)))
      .fix(tree_.span(op), "==", fmt::format("write `== {}`", name));
  return true;
}

}  // namespace flow
