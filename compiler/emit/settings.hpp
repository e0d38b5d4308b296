// What is set at deployment, as the module says it.
#pragma once

#include <string>

#include "compiler/check/checked.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class ModuleBuilder;

// The setting without its type's meaning in the module, which `builder` gives.
Setting setting_of(ModuleBuilder& builder, const Tree& tree, const CheckedSetting& setting);

// A constant expression as JSON, with the wire names of records.
std::string constant_json(const Tree& tree, const CheckedFile& checked, NodeId node);

}  // namespace flow
