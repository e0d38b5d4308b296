// A module for people: operations, constants and code with source lines.
#pragma once

#include <string>

#include "vm/bytecode/module.hpp"

namespace flow {

std::string disassemble(const Module& module);

}  // namespace flow
