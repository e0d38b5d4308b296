#include "compiler/plan/condition.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "compiler/syntax/literal.hpp"

namespace flow {
namespace {

// Of functions those that commonly do. A pattern and a replaced text fail only where a flow means them to.
bool raises(const CheckedMethod& method) {
  using Kind = CheckedMethod::Kind;
  if (method.kind != Kind::Native)
    return method.kind == Kind::ListSum || method.kind == Kind::ListAverage ||
           method.kind == Kind::TimeWeekday;
  return method.native != NativeId::matches && method.native != NativeId::replace && may_fault(method);
}

class Operand {
 public:
  Operand(const Tree& tree, const CheckedFile& checked, const Trigger& trigger)
      : tree_(tree), checked_(checked), trigger_(trigger) {}

  bool needs_call(NodeId node) const {
    const Meaning& meaning = checked_.meaning[node];
    if (meaning.kind == Meaning::Kind::Entity && meaning.index > 0) return true;
    if (checked_.calls.contains(node)) return true;
    if (const auto invoke = checked_.invokes.find(node);
        invoke != checked_.invokes.end() &&
        !checked_.functions[invoke->second.function].effects.operations.empty())
      return true;
    return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return needs_call(kid); });
  }

  // What may raise, or rests on a null test made before it, keeps its place behind the operands that guard
  // it.
  bool may_raise(NodeId node) const {
    switch (tree_.kind(node)) {
      case NodeKind::Index:
      case NodeKind::Sum:
      case NodeKind::Product:
      case NodeKind::Negate: return true;
      case NodeKind::Call:
        if (checked_.invokes.contains(node)) return true;
        if (const auto method = checked_.methods.find(node);
            method != checked_.methods.end() && raises(method->second))
          return true;
        break;
      default: break;
    }
    if (checked_.is_unwrapped[node] != 0) return true;
    return std::ranges::any_of(tree_.kids(node), [&](NodeId kid) { return may_raise(kid); });
  }

  std::string polled_field(NodeId node) const {
    if (trigger_.entities.empty()) return {};
    const Meaning& meaning = checked_.meaning[node];
    const RecordType& record = checked_.types.record(trigger_.entities[0].type);
    if (meaning.kind == Meaning::Kind::EntityField) return record.fields[meaning.field].wire;
    if (tree_.kind(node) == NodeKind::Field && meaning.kind == Meaning::Kind::RecordField) {
      const Meaning& object = checked_.meaning[tree_.kid(node, 0)];
      if (object.kind == Meaning::Kind::Entity && object.index == 0) return record.fields[meaning.field].wire;
    }
    return {};
  }

  std::string constant_text(NodeId node) const {
    const Meaning& meaning = checked_.meaning[node];
    if (meaning.kind == Meaning::Kind::EnumValue)
      return "'" + checked_.types.enumeration(meaning.type).values[meaning.index] + "'";
    if (tree_.kind(node) != NodeKind::Text || has_holes(tree_, node)) return {};
    Diagnostics ignored;  // reported by the checker
    std::string quoted = "'";
    for (const char c : plain_text(tree_, node, ignored))
      quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
  }

 private:
  const Tree& tree_;
  const CheckedFile& checked_;
  const Trigger& trigger_;
};

}  // namespace

std::span<const NodeId> condition_operands(const Tree& tree, const CheckedFlow& flow) {
  NodeId node = flow.condition;
  while (tree.kind(node) == NodeKind::Paren) node = tree.kid(node, 0);
  if (tree.kind(node) == NodeKind::And) return tree.kids(node);
  return {&flow.condition, 1};
}

std::vector<NodeId> condition_order(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow) {
  const Operand of(tree, checked, checked.triggers[flow.trigger]);
  const auto written = condition_operands(tree, flow);
  std::vector<NodeId> order(written.begin(), written.end());
  std::stable_partition(order.begin(), order.end(),
                        [&](NodeId node) { return !of.needs_call(node) && !of.may_raise(node); });
  return std::ranges::equal(order, written) ? std::vector<NodeId>() : order;
}

std::string poll_filter(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow) {
  const Trigger& trigger = checked.triggers[flow.trigger];
  const Operand of(tree, checked, trigger);
  std::string filter;
  for (const NodeId operand : condition_operands(tree, flow)) {
    if (tree.kind(operand) != NodeKind::Compare || tree.kind(tree.kid(operand, 1)) != NodeKind::OpEqual)
      continue;
    std::string wire = of.polled_field(tree.kid(operand, 0));
    NodeId constant = tree.kid(operand, 2);
    if (wire.empty()) {
      wire = of.polled_field(tree.kid(operand, 2));
      constant = tree.kid(operand, 0);
    }
    const std::string value = of.constant_text(constant);
    if (wire.empty() || value.empty() ||
        std::ranges::find(trigger.filterable, wire) == trigger.filterable.end())
      continue;
    filter += (filter.empty() ? "" : " and ") + wire + " eq " + value;
  }
  return filter;
}

}  // namespace flow
