// The parts of a condition: in which order they are decided, and which of them the API can decide.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "compiler/check/checked.hpp"

namespace flow {

// The operands of the outermost `and` of the flow's condition, which it must have; the condition itself when
// it is no `and`.
std::span<const NodeId> condition_operands(const Tree& tree, const CheckedFlow& flow);
// The operands, those first that need no call and cannot fail; empty when that is how they are written.
std::vector<NodeId> condition_order(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow);
// What the poll may leave out, in OData: each `field == constant` of the polled entity, where the API filters
// on that field.
std::string poll_filter(const Tree& tree, const CheckedFile& checked, const CheckedFlow& flow);

}  // namespace flow
