// A module for people: the manifest in a few lines, then operations, constants and code with source lines.
#pragma once

#include <string>

#include "vm/bytecode/module.hpp"

namespace flow {

std::string print_manifest(const Module& module);  // ten lines a CISO can read, per flow
std::string disassemble(const Module& module);

}  // namespace flow
