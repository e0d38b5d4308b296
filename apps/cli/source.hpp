// From a path to a compiled module, with the diagnostics printed: what check, build, inspect, run and serve
// share.
#pragma once

#include <string>
#include <vector>

#include "apps/cli/exit_code.hpp"
#include "apps/library/standard_library.hpp"
#include "base/result.hpp"
#include "compiler/compile.hpp"

namespace flow {

// The text of a source (`-` is standard input). An Error also for what is no text in UTF-8 at all: a compiled
// module, UTF-16.
Result<std::string> read_source(const std::string& path);

// Compiles one file (`-` is standard input). The Error is about the file; mistakes within are in the
// Compilation.
Result<Compilation> compile_file(const std::string& path, bool strict = false,
                                 Purpose purpose = Purpose::Run);

// Prints what was found to standard error (Text).
void print_diagnostics(const Compilation& compilation);

// A module from a `.flow` source or a `.flowc` file, verified. Prints diagnostics; the Failure tells
// a flow with mistakes from a file that cannot be used.
Attempt<Module> load_module(const std::string& path);

}  // namespace flow
