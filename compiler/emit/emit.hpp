// A checked and planned source as a Module: registers, instructions, and only the types, operations and
// functions it needs.
#pragma once

#include <string>
#include <vector>

#include "base/diagnostic.hpp"
#include "compiler/check/checked.hpp"
#include "compiler/plan/plan.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// Where a condition, or a part of one that `and` or `or` joins, is decided: by the instructions [begin, end)
// of the flow or function of this name. What leaves them for `end` means that it is not `when`. Of an arm of
// a `match` they are the tests of all arms, and what leaves them for `taken` takes this one.
struct CoveragePoint {
  std::string routine;
  std::uint32_t begin = 0, end = 0;
  bool when = false;
  NodeId condition = kNoNode;  // or the arm
  NodeId match = kNoNode;      // of an arm
  std::uint32_t taken = 0;     // of an arm
};
using CoveragePoints = std::vector<CoveragePoint>;

struct EmitOptions {
  bool optimise = true;  // off, the code does the same in more instructions: what tests compare with
  CoveragePoints* points = nullptr;  // where conditions and arms are noted; only without `optimise`
};

// `plans` are those of `checked.flows`, in their order. Reports TooComplex when a flow or a function does not
// fit a module.
Module emit(const Tree& tree, const Library& library, const CheckedFile& checked,
            const std::vector<FlowPlan>& plans, Diagnostics& diagnostics, EmitOptions options = {});

}  // namespace flow
