// What this runtime can serve of a module. A flow that it could not serve must not be deployed: it would wait
// for ever, or for something that never starts it.
#pragma once

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// The error names the flow, and the trigger or the operation.
Status check_served(const Module& module);

}  // namespace flow
