// Statements, which flows and functions share.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/resolve/type_syntax.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

void Checker::block(NodeId node, NodeId until) {
  const std::size_t scope = scope_.size();
  const std::size_t assigned = assigned_.size();
  const std::set<std::string> facts = facts_;
  bool is_over = false;
  for (const NodeId kid : tree_.kids(node)) {
    if (is_over && tree_.kind(kid) != NodeKind::Bad) {
      report(Code::Unreachable, kid,
             fmt::format("this statement is never reached: the {} has ended before",
                         function_ != nullptr ? "function" : "run"));
      is_over = false;  // said once
    }
    statement(kid);
    is_over = is_over || ends(kid);
  }
  if (until != kNoNode) boolean(until, "the condition after `until`");
  leave_scope(scope);
  facts_ = facts;
  forget_since(assigned);
}

void Checker::unreadable(NodeId bad) {
  for (const NodeId name : tree_.kids(bad))
    if (!visible_.contains(tree_.text(name))) declare_local(name, error_type());
}

void Checker::pass_over(NodeId node) {
  if (tree_.kind(node) == NodeKind::Ident)
    if (const auto local = visible_.find(tree_.text(node)); local != visible_.end())
      body_->locals[local->second].is_used = true;
  for (const NodeId kid : tree_.kids(node)) pass_over(kid);
}

bool Checker::ends(NodeId node) const {
  switch (tree_.kind(node)) {
    case NodeKind::Stop:
    case NodeKind::Fail:
    case NodeKind::Return: return true;
    case NodeKind::Block:
      for (const NodeId kid : tree_.kids(node))
        if (ends(kid)) return true;
      return false;
    case NodeKind::If:
      return tree_.kids(node).size() == 3 && ends(tree_.kid(node, 1)) && ends(tree_.kid(node, 2));
    case NodeKind::Match:
      return complete_matches_.contains(node) &&
             std::ranges::all_of(tree_.kids(node).subspan(1), [&](NodeId arm) {
               return tree_.kind(arm) != NodeKind::MatchArm || ends(tree_.kids(arm).back());
             });
    case NodeKind::Try: {
      const TryParts parts = try_parts(tree_, node);
      if (parts.finally != kNoNode && ends(parts.finally)) return true;
      return parts.body != kNoNode && ends(parts.body) &&
             std::ranges::all_of(parts.catches, [&](NodeId clause) {
               const NodeId body = tree_.find(clause, NodeKind::Block);
               return body != kNoNode && ends(body);
             });
    }
    case NodeKind::Parallel:
      return std::ranges::any_of(tree_.kids(tree_.kid(node, 0)), [&](NodeId kid) { return ends(kid); });
    case NodeKind::Repeat: return ends(repeat_parts(tree_, node).body);
    default: return false;
  }
}

void Checker::statement(NodeId node) {
  switch (tree_.kind(node)) {
    case NodeKind::Let:
    case NodeKind::Var: return let(node);
    case NodeKind::Assign: return assign(node);
    case NodeKind::If: return if_statement(node);
    case NodeKind::For: return loop(node);
    case NodeKind::Yield: return yield(node);
    case NodeKind::Return: return return_statement(node);
    case NodeKind::Log:
    case NodeKind::Stop:
    case NodeKind::Fail: return message_statement(node);
    case NodeKind::ExprStatement: return call_statement(tree_.kid(node, 0));
    case NodeKind::Match: return match_statement(node);
    case NodeKind::Try: return try_statement(node);
    case NodeKind::Undo: return undo(node);
    case NodeKind::Parallel:
    case NodeKind::ParallelAny: return parallel(node);
    case NodeKind::Steps: return steps(node);
    case NodeKind::Repeat: return repeat(node);
    case NodeKind::Wait:
    case NodeKind::WaitUntil: return wait(node);
    case NodeKind::Respond: return respond(node);
    case NodeKind::Bad: return unreadable(node);
    default: return pass_over(node);
  }
}

void Checker::message_statement(NodeId node) {
  const NodeKind kind = tree_.kind(node);
  if (kind == NodeKind::Log)
    if (FunctionEffects* here = effects()) here->logs = true;
  if (kind == NodeKind::Stop) {
    if (FunctionEffects* here = effects()) here->stops = true;
    refuse_exit(node, 4, "`stop` cannot end the run");
  }
  if (tree_.kids(node).empty()) return;
  const NodeId value = tree_.kid(node, 0);
  if (kind == NodeKind::Fail && expression(value) == library_.error_type) return;  // raised as it is
  hole(value, NodeKind::Text);
}

// `return` and `stop` leave all that is around them, which branches and `finally` cannot.
bool Checker::refuse_exit(NodeId node, std::uint32_t word_length, std::string_view what) {
  const Span word{tree_.span(node).begin, tree_.span(node).begin + word_length};
  if (!branches_.empty())
    diagnostics_
        .report(Code::MisplacedStatement, tree_.file, word,
                fmt::format("{} from within {}", what, branches_.back().what))
        .note("`fail` ends all branches with an error; or decide behind them");
  else if (in_finally_ > 0)
    diagnostics_
        .report(Code::MisplacedStatement, tree_.file, word,
                fmt::format("{} from within `finally`, which would hide an error", what))
        .note("write it behind the `try`");
  else
    return false;
  return true;
}

void Checker::call_statement(NodeId expr) {
  const TypeId type = expression(expr);
  report_unused_answer(expr);
  if (is_kept_call(tree_.kind(expr))) return;
  if (tree_.kind(expr) != NodeKind::Call && !is_error(type))
    report(Code::StatementIsNoCall, expr, fmt::format("{} does nothing by itself", quoted(expr)))
        .note("a statement that is an expression must be a call; to keep a value write `let name = …`");
  else if (out_.methods.contains(expr) || (out_.invokes.contains(expr) && type != kNothingType))
    report(Code::UnusedValue, expr, fmt::format("the result of {} is not used", quoted(expr)));
}

TypeId Checker::kept_value(NodeId node) {
  const TypeId type = expression(node);
  if (type == kNullType) {
    report(Code::TypeNotKnown, node, "`null` alone does not say which type it is")
        .note("write the type: `let x: String? = null`");
    return error_type();
  }
  if (type == kNothingType) {
    report(Code::NotAValue, node, fmt::format("{} gives no result to name", quoted(node)));
    return error_type();
  }
  return type;
}

TypeId Checker::declared_type(NodeId node) {
  if (uses_missing_module(node)) return error_type();
  const TypeId type = resolve_type(tree_, node, type_names(), out_.types, diagnostics_);
  TypeId inner = type;
  while (out_.types.is_optional(inner) || out_.types.is(inner, TypeKind::List) ||
         out_.types.is(inner, TypeKind::Map))
    inner = out_.types[inner].element;
  const bool is_union = out_.types.is(inner, TypeKind::Union);
  if (!is_union && inner != kNothingType) return type;
  report(Code::UnknownType, node, fmt::format("{} is no type of a value", quoted(node)))
      .note(is_union ? "a type with `or` is for the parameters of operations"
                     : "`Nothing` is what an operation without a result gives; leave the type out");
  return error_type();
}

// Whether something in it could not be read, so that what it lacks is no mistake of its own.
bool Checker::has_mistake(NodeId node) const {
  switch (tree_.kind(node)) {
    case NodeKind::Bad: return true;
    case NodeKind::Block:
    case NodeKind::If:
    case NodeKind::For:
    case NodeKind::Match:
    case NodeKind::MatchArm:
    case NodeKind::Try:
    case NodeKind::Catch:
    case NodeKind::Finally:
    case NodeKind::Repeat:
      for (const NodeId kid : tree_.kids(node))
        if (has_mistake(kid)) return true;
      return false;
    default: return false;
  }
}

void Checker::let(NodeId node) {
  const auto kids = tree_.kids(node);
  TypeId type = kNoType;
  if (kids.size() == 3) {
    type = declared_type(kids[1]);
    expect(kids[2], type, "this value");
  } else {
    type = kept_value(kids[1]);
  }
  const std::uint32_t local = declare_local(kids[0], type);
  body_->locals[local].is_var = tree_.kind(node) == NodeKind::Var;
}

void Checker::if_statement(NodeId node) {
  const auto kids = tree_.kids(node);
  const std::size_t assigned = assigned_.size();
  boolean(kids[0], "the condition after `if`");
  const std::set<std::string> before = facts_;
  learn(kids[0], true, facts_);
  block(kids[1]);
  facts_ = before;
  if (kids.size() == 3) {
    learn(kids[0], false, facts_);
    if (tree_.kind(kids[2]) == NodeKind::If)
      if_statement(kids[2]);
    else
      block(kids[2]);
    facts_ = before;
  }
  // `if x == null { stop }` proves the opposite for what follows.
  if (ends(kids[1])) learn(kids[0], false, facts_);
  forget_since(assigned);
}

// ---- Loops

void Checker::loop(NodeId node) {
  const LoopParts parts = loop_parts(tree_, node);
  const NodeId items = parts.list, body = parts.body;
  const TypeId type = expression(items);
  TypeId element = error_type();
  if (out_.types.is(type, TypeKind::List)) {
    element = out_.types[type].element;
  } else if (out_.types.is_optional(type)) {
    may_be_null(items, type, "what a loop goes through");
  } else if (!is_error(type)) {
    Diagnostic& d =
        report(Code::OperatorMismatch, items,
               fmt::format("`for` goes through a list, and {} is `{}`", quoted(items), type_name(type)));
    const std::uint32_t end = tree_.span(items).end;
    if (out_.types.is(type, TypeKind::Map))
      d.fix({end, end}, ".keys()", "to go through its keys write `.keys()`");
    else if (type == kIntType)
      d.fix(tree_.span(items), fmt::format("range({})", tree_.text(items)),
            fmt::format("to count write `range({})`", tree_.text(items)));
  }
  loop_clauses(node, parts);
  forget_assigned(body);  // the body comes again after its own assignments
  const std::size_t scope = scope_.size();
  const auto once = [&] {
    declare_local(parts.item, element);
    if (parts.position != kNoNode) declare_local(parts.position, kIntType);
    block(body);
  };
  if (parts.at_once == kNoNode) {
    once();
  } else {
    TypeId* const outer = tree_.kind(node) == NodeKind::ForExpr ? yielded_ : std::exchange(yielded_, nullptr);
    branch(body, "a loop with `at once`", once);
    yielded_ = outer;
  }
  leave_scope(scope);
}

TypeId Checker::loop_expression(NodeId node, TypeId expected) {
  const bool collects = loop_parts(tree_, node).collects;
  const TypeId wanted = collects ? kNoType : expected_collection(expected, TypeKind::List);
  TypeId element = wanted == kNoType ? kNoType : out_.types[wanted].element;
  TypeId* const outer = std::exchange(yielded_, &element);
  loop(node);
  yielded_ = outer;
  if (element != kNoType && collects) element = result_type(element);
  if (element != kNoType) return is_error(element) ? element : out_.types.list(element);
  const Span word{tree_.span(node).begin, tree_.span(node).begin + 3};
  diagnostics_
      .report(Code::TypeNotKnown, tree_.file, word, "this loop is to give a list, and it yields nothing")
      .note("add an item in its body: `yield value`");
  return error_type();
}

void Checker::yield(NodeId node) {
  const NodeId value = tree_.kid(node, 0);
  if (yielded_ == nullptr) {
    const Span word{tree_.span(node).begin, tree_.span(node).begin + 5};
    diagnostics_
        .report(Code::MisplacedStatement, tree_.file, word,
                "`yield` adds to the list that a loop gives, and no loop around it gives one")
        .note("name the loop's list: `let list = for item in items { … yield value }`");
    expression(value);
    return;
  }
  TypeId& element = *yielded_;
  if (element != kNoType) return expect(value, element, "what this loop yields");
  const TypeId type = kept_value(value);  // may hold a loop of its own
  element = type;
}

}  // namespace flow
