// A checked and planned source as a Module: registers, instructions, and only the types, operations and
// functions it needs.
#pragma once

#include "base/diagnostic.hpp"
#include "compiler/check/checked.hpp"
#include "compiler/plan/plan.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

struct EmitOptions {
  bool optimise = true;  // off, the code does the same in more instructions: what tests compare with
};

// `plans` are those of `checked.flows`, in their order. Reports TooComplex when a flow or a function does not
// fit a module.
Module emit(const Tree& tree, const Library& library, const CheckedFile& checked,
            const std::vector<FlowPlan>& plans, Diagnostics& diagnostics, EmitOptions options = {});

}  // namespace flow
