// Decides, in time linear in the code, whether a module can do anything but what its types say. The
// interpreter leaves out every check that is made here, so nothing unverified may reach it.
#pragma once

#include "base/result.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

Status verify(const Module& module);

}  // namespace flow
