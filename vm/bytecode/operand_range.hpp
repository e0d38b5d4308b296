// Instructions that read more registers than their operands name: those that follow one of them.
#pragma once

#include <cstddef>

#include "vm/bytecode/module.hpp"

namespace flow {

// The registers [first, first + count) are read, and of the `extra` behind them some may be written when it
// jumps. Operands that the range begins with are part of it.
struct OperandRange {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t extra = 0;
};

// What `i`, whose operands must be in range (indices exist, the type of a NewRecord is a record), reads as a
// range; empty for most instructions. It may pass the registers there are.
OperandRange operand_range(const Module& module, const Routine& routine, Instruction i);

}  // namespace flow
