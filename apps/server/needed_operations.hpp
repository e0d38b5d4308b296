// Which operations of a module a flow can come to, by the routes that the configuration chooses: those that
// it calls, and of each how its end is polled for and how it is looked up after a crash. Others are in the
// module for routes that nobody chose.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "stdlib/executor/executor.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

// In the order of the first mention, each once. A route that is chosen and that the operation does not have
// is an error.
Result<std::vector<const Operation*>> needed_operations(const Module& module, const FlowCode& flow,
                                                        const TenantAccess& access);

}  // namespace flow
