#include "compiler/analyse/conditions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "compiler/analyse/evaluator.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {
namespace {

// One walk over a flow or a function, in the order of its evaluation. What is known before a statement also
// holds behind it, since facts are about values that never change; a statement that this walk does not know
// is looked into and adds nothing.
class Walk {
 public:
  Walk(const Tree& tree, const Library& library, const CheckedFile& checked, const CheckedBody& body,
       const Trigger* trigger)
      : tree_(tree),
        library_(library),
        checked_(checked),
        body_(body),
        keys_(tree, checked, body, trigger),
        evaluator_(tree, checked, keys_) {}

  void flow(const CheckedFlow& flow) {
    Facts facts;
    if (flow.condition != kNoNode) {
      const std::size_t found = findings_.size();
      facts = condition(flow.condition, facts).when_true;
      if (facts.is_nowhere()) note(found, "so the flow never runs");
    }
    if (flow.body != kNoNode) statement(flow.body, facts);
    Facts anything;  // any statement may have failed
    if (flow.handler != kNoNode) statement(flow.handler, anything);
  }

  void function(const CheckedFunction& function) {
    Facts facts;
    if (tree_.kind(function.body) == NodeKind::Block)
      statement(function.body, facts);
    else
      expression(function.body, facts);
  }

  ConditionFindings report(Diagnostics& diagnostics) {
    for (const Finding& finding : findings_) {
      Diagnostic& d = diagnostics.report(finding.code, tree_.file, tree_.span(finding.node), finding.message);
      if (finding.origin != kNoNode) d.label(tree_.span(finding.origin), finding.origin_text);
      if (!finding.note.empty()) d.note(finding.note);
    }
    return std::move(out_);
  }

 private:
  struct Finding {
    Code code;
    NodeId node;
    std::string message;
    NodeId origin = kNoNode;
    std::string origin_text;
    std::string note;
  };
  struct Outcome {
    Facts when_true, when_false;
  };

  // ---- Statements

  void statement(NodeId node, Facts& facts) {
    if (facts.is_nowhere()) return;
    switch (tree_.kind(node)) {
      case NodeKind::Block:
        for (const NodeId kid : tree_.kids(node)) statement(kid, facts);
        return;
      case NodeKind::If: return if_statement(node, facts);
      case NodeKind::For:
      case NodeKind::ForExpr: return loop(node, facts);
      case NodeKind::Let: return let(node, facts);
      case NodeKind::Stop:
      case NodeKind::Fail:
      case NodeKind::Return:
        children(node, facts);
        facts = Facts::nowhere();
        return;
      default: return children(node, facts);
    }
  }

  void children(NodeId node, const Facts& facts) {
    for (const NodeId kid : tree_.kids(node)) {
      Facts here = facts;
      if (tree_.kind(kid) == NodeKind::Block)
        statement(kid, here);
      else
        expression(kid, here);
    }
  }

  void if_statement(NodeId node, Facts& facts) {
    const auto kids = tree_.kids(node);
    const std::size_t found = findings_.size();
    Outcome outcome = condition(kids[0], facts);
    const bool has_else = kids.size() == 3;
    if (outcome.when_true.is_nowhere())
      note(found, has_else ? "so only the `else` part can run" : "so the block behind it never runs");
    else if (outcome.when_false.is_nowhere() && has_else)
      note(found, "so the `else` part never runs");
    statement(kids[1], outcome.when_true);
    if (has_else) statement(kids[2], outcome.when_false);
    Facts after = Facts::joined(outcome.when_true, outcome.when_false);
    after.keep_origins(facts);
    facts = std::move(after);
  }

  void let(NodeId node, Facts& facts) {
    const auto kids = tree_.kids(node);
    const NodeId given = kids.back();
    expression(given, facts);
    const Meaning& meaning = checked_.meaning[kids[0]];
    if (meaning.kind != Meaning::Kind::Local || tree_.kind(given) == NodeKind::ForExpr) return;
    if (checked_.is_widened[given] != 0) return;
    if (std::string key = keys_.of(given); !key.empty()) {
      keys_.alias(meaning.index, std::move(key));
    } else {
      const Values values = evaluator_.value(given, facts);
      const TypeId type = body_.locals[meaning.index].type;
      if (!values.is_empty() && !(values == Values::all(checked_.types, type)))
        facts.set({.key = keys_.of(kids[0]), .values = std::make_shared<const Values>(values)});
    }
    if (checked_.type[given] == kBoolType) evaluator_.define(meaning.index, given);
  }

  void loop(NodeId node, const Facts& facts) {
    const LoopParts parts = loop_parts(tree_, node);
    const NodeId items = parts.list;
    expression(items, facts);
    for (const NodeId clause : parts.clauses) expression(clause, facts);
    Facts inside = facts;
    if (evaluator_.length(items, facts) == 0) {
      findings_.push_back({.code = Code::Unreachable,
                           .node = items,
                           .message = "this loop never runs: its list is empty",
                           .origin_text = {},
                           .note = {}});
      return;
    }
    statement(parts.body, inside);
  }

  // ---- Expressions

  void expression(NodeId node, const Facts& facts) {
    if (facts.is_nowhere()) return;
    switch (tree_.kind(node)) {
      case NodeKind::And:
      case NodeKind::Or:
      case NodeKind::Not:
      case NodeKind::Compare: condition(node, facts); return;
      case NodeKind::IfExpr: {
        const Outcome outcome = condition(tree_.kid(node, 0), facts);
        expression(tree_.kid(node, 1), outcome.when_true);
        expression(tree_.kid(node, 2), outcome.when_false);
        return;
      }
      case NodeKind::ForExpr: return loop(node, facts);
      case NodeKind::Call: children(node, facts); return note_call(node, facts);
      default: return children(node, facts);
    }
  }

  void note_call(NodeId node, const Facts& facts) {
    const auto call = checked_.calls.find(node);
    if (call == checked_.calls.end()) return;
    const Operation& operation = library_.operations[call->second.operation];
    if (operation.inverse.empty() || operation.targets.empty()) return;
    UndoableCall undoable{.node = node, .operation = call->second.operation, .arguments = {}, .facts = facts};
    for (const NodeId argument : call->second.arguments)
      undoable.arguments.push_back(argument == kNoNode ? std::string() : keys_.of(argument));
    out_.undoable.push_back(std::move(undoable));
  }

  // ---- Conditions

  Outcome condition(NodeId node, const Facts& facts) {
    if (facts.is_nowhere()) return {facts, facts};
    switch (tree_.kind(node)) {
      case NodeKind::Paren: return condition(tree_.kid(node, 0), facts);
      case NodeKind::Not: {
        Outcome outcome = condition(tree_.kid(node, 0), facts);
        std::swap(outcome.when_true, outcome.when_false);
        return outcome;
      }
      case NodeKind::And:
      case NodeKind::Or: {
        const bool is_and = tree_.kind(node) == NodeKind::And;
        Facts on = facts, off = Facts::nowhere();
        for (const NodeId operand : tree_.kids(node)) {
          Outcome outcome = condition(operand, on);
          off = Facts::joined(off, is_and ? outcome.when_false : outcome.when_true);
          on = is_and ? std::move(outcome.when_true) : std::move(outcome.when_false);
        }
        on.keep_origins(facts);
        off.keep_origins(facts);
        return is_and ? Outcome{std::move(on), std::move(off)} : Outcome{std::move(off), std::move(on)};
      }
      default: return test(node, facts);
    }
  }

  Outcome test(NodeId node, const Facts& facts) {
    if (tree_.kind(node) == NodeKind::Compare)
      children(node, facts);
    else
      expression(node, facts);
    Outcome outcome{facts, facts};
    evaluator_.assume(node, true, outcome.when_true);
    evaluator_.assume(node, false, outcome.when_false);
    const bool never = outcome.when_true.is_nowhere(), always = outcome.when_false.is_nowhere();
    if (never && always) return {facts, facts};  // of a value that is not there
    if (never || always) tell(node, always, facts);
    return outcome;
  }

  // What is written to be so on purpose, or told by the checker already, is no finding.
  bool is_worth_telling(NodeId node, const Fact* reason) const {
    if (tree_.kind(node) != NodeKind::Compare) return reason != nullptr || tree_.kind(node) == NodeKind::Call;
    for (const std::size_t side : {0, 2}) {
      const NodeId other = tree_.kid(node, 2 - side);
      const TypeId type = checked_.type[other];
      if (checked_.type[tree_.kid(node, side)] == kNullType && type != kNoType &&
          !checked_.types.is_optional(type))
        return false;
    }
    return true;
  }

  const Fact* reason_of(NodeId node, const Facts& facts) const {
    if (tree_.kind(node) == NodeKind::Compare)
      for (const std::size_t side : {0, 2})
        if (const std::string key = keys_.of(tree_.kid(node, side)); !key.empty())
          if (const Fact* const fact = facts.find(key)) return fact;
    bool is_opposite = false;
    const std::string key = evaluator_.truth_key(node, is_opposite);
    return key.empty() ? nullptr : facts.find(key);
  }

  std::string because(NodeId node, const Facts& facts, const Fact* reason) const {
    if (tree_.kind(node) != NodeKind::Compare) return {};
    for (const std::size_t side : {0, 2}) {
      const NodeId about = tree_.kid(node, side);
      const std::string key = keys_.of(about);
      if (reason != nullptr && reason->key != key) continue;
      const Values values = evaluator_.value(about, facts);
      const bool is_literal = checked_.meaning[about].kind == Meaning::Kind::EnumValue ||
                              (reason == nullptr && values.is_one(checked_.types)) ||
                              tree_.kind(about) == NodeKind::Null;
      const std::string described = values.describe(checked_.types);
      if (!is_literal && !described.empty())
        return fmt::format(": {} is {}{}", quoted(about), described, reason != nullptr ? " here" : "");
      if (!is_literal && reason != nullptr && !values.may_be_null())
        return fmt::format(": {} is not null here", quoted(about));
    }
    return {};
  }

  void tell(NodeId node, bool is_true, const Facts& facts) {
    const Fact* const reason = reason_of(node, facts);
    if (!is_worth_telling(node, reason)) return;
    Finding finding{
        .code = Code::ConstantCondition,
        .node = node,
        .message = fmt::format("{} is always {}{}", quoted(node), is_true, because(node, facts, reason)),
        .origin_text = {},
        .note = {}};
    if (reason != nullptr && reason->origin != kNoNode) {
      finding.origin = reason->origin;
      finding.origin_text = reason->was_true ? "since this is true here" : "since this is false here";
    }
    findings_.push_back(std::move(finding));
  }

  // Of what was found since there were `from` findings, the last one explains it.
  void note(std::size_t from, std::string text) {
    if (findings_.size() > from && findings_.back().code == Code::ConstantCondition)
      findings_.back().note = std::move(text);
  }

  std::string quoted(NodeId node) const { return quoted_line(tree_.text(node), 60); }

  const Tree& tree_;
  const Library& library_;
  const CheckedFile& checked_;
  const CheckedBody& body_;
  Keys keys_;
  Evaluator evaluator_;
  std::vector<Finding> findings_;
  ConditionFindings out_;
};

}  // namespace

ConditionFindings analyse_conditions(const Tree& tree, const Library& library, const CheckedFile& checked,
                                     const CheckedFlow& flow, Diagnostics& diagnostics) {
  Walk walk(tree, library, checked, flow, &checked.triggers[flow.trigger]);
  walk.flow(flow);
  return walk.report(diagnostics);
}

void analyse_conditions(const Tree& tree, const Library& library, const CheckedFile& checked,
                        const CheckedFunction& function, Diagnostics& diagnostics) {
  Walk walk(tree, library, checked, function, nullptr);
  walk.function(function);
  walk.report(diagnostics);
}

}  // namespace flow
