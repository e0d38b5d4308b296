// What runs side by side: branches know the values around them and change none.
#include <algorithm>

#include "compiler/check/checker.hpp"
#include "compiler/syntax/clauses.hpp"
#include "compiler/syntax/literal.hpp"
#include "compiler/syntax/loop.hpp"

namespace flow {

// Checks `node`, which is carried out as a branch of its own, by `check`.
void Checker::branch(NodeId node, const char* what, const std::function<void()>& check) {
  const auto first = static_cast<std::uint32_t>(body_->locals.size());
  branches_.push_back({.first_local = first, .what = what});
  check();
  branches_.pop_back();
  out_.branch_locals[node] = {first, static_cast<std::uint32_t>(body_->locals.size())};
}

// Whether the local belongs to the branch that is checked; reports an assignment of one that does not.
bool Checker::is_own(NodeId ident, std::uint32_t local) {
  if (branches_.empty() || local >= branches_.back().first_local) return true;
  Diagnostic& d = report(Code::NotAssignable, ident,
                         fmt::format("`{}` belongs to the block around {} and cannot be assigned in it",
                                     tree_.text(ident), branches_.back().what));
  d.label(tree_.span(body_->locals[local].declared), "declared here");
  d.note(in_undo_ ? "what is undone works with the values there were when it was registered"
                  : "branches run side by side; let a loop give a list: `let all = for … { … yield value }`");
  return false;
}

void Checker::parallel(NodeId node) {
  TypeId* const outer = std::exchange(yielded_, nullptr);
  const auto statements = tree_.kids(tree_.kid(node, 0));
  if (statements.size() > 200)
    report(Code::TooComplex, tree_.kid(node, 0), "`parallel` has more than 200 branches");
  for (const NodeId statement : statements) {
    const std::size_t scope = scope_.size();
    const std::set<std::string> facts = facts_;
    branch(statement, "this branch", [&] { this->statement(statement); });
    leave_scope(scope);
    facts_ = facts;
  }
  yielded_ = outer;
}

// A number of items, of turns, of tries.
void Checker::count(NodeId node, const char* what, std::int64_t least) {
  expect(node, kIntType, what);
  Diagnostics told;
  if (tree_.kind(node) != NodeKind::Int && tree_.kind(node) != NodeKind::Negate) return;
  const std::int64_t number = tree_.kind(node) == NodeKind::Int ? int_value(tree_, node, told) : -1;
  if (number < least) report(Code::InvalidLiteral, node, fmt::format("{} must be at least {}", what, least));
}

void Checker::loop_clauses(NodeId node, const LoopParts& parts) {
  if (parts.at_once != kNoNode) count(parts.at_once, "how many run at once", 1);
  if (parts.limit != kNoNode) count(parts.limit, "the limit of a loop", 1);
  if (!parts.collects || tree_.kind(node) != NodeKind::ForExpr) return;
  const auto statements = tree_.kids(parts.body);
  const bool ends_so = !statements.empty() && tree_.kind(statements.back()) == NodeKind::Yield;
  if (ends_so && yields_in(parts.body) == 1) return;
  report(Code::MisplacedStatement, parts.body,
         "with `on error collect` each item gives one result, so its block must end with its only `yield`")
      .note("without `collect` a block may yield as often as it likes");
}

std::size_t Checker::yields_in(NodeId node) const {
  std::size_t yields = tree_.kind(node) == NodeKind::Yield ? 1 : 0;
  for (const NodeId kid : tree_.kids(node))
    if (tree_.kind(kid) != NodeKind::ForExpr) yields += yields_in(kid);
  return yields;
}

}  // namespace flow
