// What is called on a value: a standard function.
#include <algorithm>

#include "compiler/check/checker.hpp"

namespace flow {

TypeId Checker::method(NodeId node, NodeId callee) {
  const NodeId receiver = tree_.kid(callee, 0);
  const bool names_connector = tree_.kind(receiver) == NodeKind::Ident && is_loose_name(receiver) &&
                               std::ranges::find(library_.connectors, tree_.text(receiver),
                                                 &Connector::name) != library_.connectors.end();
  if (names_connector) return unknown_callee(callee);
  return standard_call(node, tree_.kid(callee, 1), receiver);
}

}  // namespace flow
