// Where the modules of a source are: beside it, then in the folder `lib` of its project, which is the nearest
// folder above it that has a flow.toml, or its own.
#pragma once

#include <string>

#include "compiler/modules.hpp"

namespace flow {

// Reads the files that sources name with `use`.
ModuleLoader module_loader();

// What the loader calls the file at `path`, or standard input (`-`).
std::string module_id(const std::string& path);

}  // namespace flow
