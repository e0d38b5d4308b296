// The part of the verifier that follows the code of one flow.
#pragma once

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

inline constexpr std::size_t kMaxCodeSize = 65'535;  // instructions of a flow

// Everything the module's types, constants, operations and this flow's inputs, call sites and handlers say
// must have been checked: only the instructions are looked at here. Gives an error that names flow, pc and
// instruction.
Status verify_code(const Module& module, const FlowCode& flow);

}  // namespace flow
