// The part of the verifier that follows the code of one routine.
#pragma once

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"
#include "vm/bytecode/type_finder.hpp"

namespace flow {

inline constexpr std::size_t kMaxCodeSize = 65'535;  // instructions of a routine

// Everything the module's types, constants, operations, signatures of functions, inputs, call sites and
// handlers say must have been checked: only the instructions are looked at here. `finder` is of the module's
// types. Gives an error that names the routine, pc and instruction.
Status verify_flow(const Module& module, const TypeFinder& finder, const FlowCode& flow);
Status verify_function(const Module& module, const TypeFinder& finder, const FunctionCode& function);

// Of a verified routine: the type of what each register holds before the instruction at `pc`, kUnsetRegister
// for one that need not hold anything. Empty when no path leads there.
inline constexpr TypeId kUnsetRegister = kUnset;
std::vector<TypeId> register_types(const Module& module, const FlowCode& flow, std::uint32_t pc);
std::vector<TypeId> register_types(const Module& module, const FunctionCode& function, std::uint32_t pc);

}  // namespace flow
