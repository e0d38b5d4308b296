#include "compiler/emit/supported.hpp"

#include <fmt/format.h>

#include <set>

namespace flow {
namespace {

// What is not emitted, in the words of a message; empty when the node is.
std::string_view unsupported(const Tree& tree, const CheckedFile& checked, NodeId node) {
  const TypeTable& types = checked.types;
  const auto is = [&](NodeId value, TypeKind kind) {
    return checked.type[value] != kNoType && types.is(types.without_null(checked.type[value]), kind);
  };
  switch (tree.kind(node)) {
    case NodeKind::Function: return "a function";
    case NodeKind::Var: return "a variable";
    case NodeKind::Assign: return "an assignment";
    case NodeKind::For:
    case NodeKind::ForExpr: return "a loop";
    case NodeKind::TypeName:
      return tree.kids(node).size() == 3 && tree.text(tree.kid(node, 1)) != "String" ? "a map with such keys"
                                                                                     : "";
    case NodeKind::Record: return checked.type[node] != kNoType ? "a map written in place" : "";
    case NodeKind::List: return tree.kids(node).empty() ? "an empty list" : "";
    case NodeKind::Index: return is(tree.kid(node, 0), TypeKind::Map) ? "a map's entry" : "";
    case NodeKind::Sum: return is(node, TypeKind::List) ? "`+` of lists" : "";
    case NodeKind::Compare:
      return is(tree.kid(node, 0), TypeKind::Map) || is(tree.kid(node, 2), TypeKind::Map) ? "a map's look-up"
                                                                                          : "";
    default: return "";
  }
}

std::string_view unsupported(const CheckedMethod& method) {
  switch (method.kind) {
    case CheckedMethod::Kind::Native:
    case CheckedMethod::Kind::ListLength:
    case CheckedMethod::Kind::ListContains:
    case CheckedMethod::Kind::ListAny:
    case CheckedMethod::Kind::ListAll: return "";
    case CheckedMethod::Kind::Range: return "`range`";
    default: return "this method";
  }
}

}  // namespace

bool report_unsupported(const Tree& tree, const CheckedFile& checked, Diagnostics& diagnostics) {
  std::set<std::string_view> told;
  for (NodeId node = 0; node < tree.nodes.size(); ++node) {
    std::string_view what = unsupported(tree, checked, node);
    if (tree.kind(node) == NodeKind::Call)
      if (const auto method = checked.methods.find(node); method != checked.methods.end())
        what = unsupported(method->second);
    if (what.empty() || !told.insert(what).second) continue;
    diagnostics.report(Code::NotYetSupported, tree.file, tree.span(node),
                       fmt::format("{} is checked, but this version of Flow does not compile it yet", what));
  }
  return told.empty();
}

}  // namespace flow
