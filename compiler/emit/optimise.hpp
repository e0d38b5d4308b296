// Makes the code of a module shorter without changing what it does: the same calls, log lines, faults and
// places. Each pass works on the instructions of one routine and leaves them in order, with lines, handlers
// and names where they belong.
#pragma once

#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

// All passes, over all routines. The module must be one that verifies.
void optimise(Module& module);

// ---- The passes

// Jumps go where those they lead to go; a jump to an instruction that ends a routine becomes that
// instruction.
void thread_jumps(Routine& routine);
// Removes what is never reached, and jumps to the next instruction.
void remove_unreachable(Routine& routine);
// An Unwrap of what is known not to be null becomes a Move, a test for null goes where it always goes.
// `parameters` are the types of the first
// registers.
void forget_null_tests(const Module& module, Routine& routine, const std::vector<TypeId>& parameters);
// Reads what a register is a copy of instead of the copy, and does not read a field again that is at hand.
void reuse_values(Routine& routine);
// Removes instructions that do no more than write a register that nothing reads.
void remove_dead_writes(const Module& module, Routine& routine);

// Removes the instructions that are marked; a jump to one goes to the next that stays.
void remove_marked(Routine& routine, const std::vector<bool>& marked);

}  // namespace flow
