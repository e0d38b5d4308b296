// Conditions that are always true or always false, by what must hold where they stand: from `when` to the
// blocks in `do`, by enums, ranges, texts, null, and equal expressions. Reports only what cannot be
// otherwise.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/analyse/facts.hpp"
#include "compiler/check/checked.hpp"

namespace flow {

// A call of an operation that another one can undo, and what holds where it stands.
struct UndoableCall {
  NodeId node = kNoNode;
  std::uint32_t operation = 0;         // index into Library::operations
  std::vector<std::string> arguments;  // keys, by parameter; empty where the value is not known or left out
  Facts facts;
};

struct ConditionFindings {
  std::vector<UndoableCall> undoable;
};

ConditionFindings analyse_conditions(const Tree& tree, const Library& library, const CheckedFile& checked,
                                     const CheckedFlow& flow, Diagnostics& diagnostics);
void analyse_conditions(const Tree& tree, const Library& library, const CheckedFile& checked,
                        const CheckedFunction& function, Diagnostics& diagnostics);

}  // namespace flow
