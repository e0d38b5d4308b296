#include "compiler/check/checker.hpp"

namespace flow {

std::string Checker::path(NodeId node) const {
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return path(tree_.kid(node, 0));
    case NodeKind::Ident: {
      const Meaning meaning = lookup(tree_.text(node));
      switch (meaning.kind) {
        case Meaning::Kind::Local: return fmt::format("#{}", meaning.index);
        case Meaning::Kind::Setting: return fmt::format("${}", meaning.index);
        case Meaning::Kind::Binding:
        case Meaning::Kind::Entity: return std::string(tree_.text(node));
        // `assignedTo` and `alert.assignedTo` are one value.
        case Meaning::Kind::EntityField:
          return fmt::format("{}.{}", trigger_->entities[0].name, tree_.text(node));
        default: return {};
      }
    }
    case NodeKind::Field:
    case NodeKind::OptionalField: {
      if (out_.meaning[node].kind == Meaning::Kind::Setting)
        return fmt::format("${}", out_.meaning[node].index);
      const std::string object = path(tree_.kid(node, 0));
      return object.empty() ? object : fmt::format("{}.{}", object, tree_.text(tree_.kid(node, 1)));
    }
    default: return {};
  }
}

void Checker::learn(NodeId node, bool truth, std::set<std::string>& facts) const {
  switch (tree_.kind(node)) {
    case NodeKind::Paren: return learn(tree_.kid(node, 0), truth, facts);
    case NodeKind::Not: return learn(tree_.kid(node, 0), !truth, facts);
    case NodeKind::And:
    case NodeKind::Or:
      // All operands of a true `and` are true, all of a false `or` are false.
      if ((tree_.kind(node) == NodeKind::And) == truth)
        for (const NodeId kid : tree_.kids(node)) learn(kid, truth, facts);
      return;
    case NodeKind::Compare: {
      const NodeKind op = tree_.kind(tree_.kid(node, 1));
      if (op == NodeKind::OpIs && truth)
        if (std::string known = path(tree_.kid(node, 0)); !known.empty()) facts.insert(std::move(known));
      const bool proves = (op == NodeKind::OpNotEqual && truth) || (op == NodeKind::OpEqual && !truth);
      NodeId left = tree_.kid(node, 0), right = tree_.kid(node, 2);
      if (tree_.kind(left) == NodeKind::Null) std::swap(left, right);
      if (!proves || tree_.kind(right) != NodeKind::Null) return;
      // `a?.b` that is not null proves `a` as well.
      for (NodeId at = left;; at = tree_.kid(at, 0)) {
        if (std::string known = path(at); !known.empty()) facts.insert(std::move(known));
        if (tree_.kind(at) != NodeKind::OptionalField && tree_.kind(at) != NodeKind::Paren) return;
      }
    }
    default: return;
  }
}

void Checker::forget(std::uint32_t local) {
  if (facts_.empty()) return;
  const std::string own = fmt::format("#{}", local), fields = own + ".";
  facts_.erase(own);
  for (auto at = facts_.lower_bound(fields); at != facts_.end() && at->starts_with(fields);)
    at = facts_.erase(at);
}

void Checker::forget_since(std::size_t mark) {
  for (std::size_t i = mark; i < assigned_.size() && !facts_.empty(); ++i) forget(assigned_[i]);
}

void Checker::forget_assigned(NodeId node) {
  if (facts_.empty()) return;
  switch (tree_.kind(node)) {
    case NodeKind::Assign:
      if (const auto local = visible_.find(tree_.text(tree_.kid(node, 0))); local != visible_.end())
        forget(local->second);
      return forget_assigned(tree_.kid(node, 1));
    // Other statements and all expressions hold no statement that assigns.
    case NodeKind::Match:
    case NodeKind::MatchArm:
    case NodeKind::Try:
    case NodeKind::Catch:
    case NodeKind::Finally:
    case NodeKind::Repeat:
    case NodeKind::Block:
    case NodeKind::If:
    case NodeKind::For:
    case NodeKind::ForExpr:
    case NodeKind::Let:
    case NodeKind::Var:
    case NodeKind::Yield:
    case NodeKind::Return:
      for (const NodeId kid : tree_.kids(node)) forget_assigned(kid);
      return;
    default: return;
  }
}

TypeId Checker::narrowed(NodeId node, TypeId type) {
  if (!out_.types.is_optional(type) || facts_.empty()) return type;
  const std::string known = path(node);
  if (known.empty() || !facts_.contains(known)) return type;
  out_.is_unwrapped[node] = 1;
  return out_.types.without_null(type);
}

}  // namespace flow
