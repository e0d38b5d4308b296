// A Library as bytes. The standard library is read from its declarations when Flow is built, not at each
// start: a program holds what write_library() made of it.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compiler/resolve/library.hpp"

namespace flow {

std::string write_library(const Library& library);

// The library that was written, with the same numbers for types, operations and functions. Bytes that this
// build did not write are refused, as far as they can be told. `bytes` must outlive the library and its
// copies: operations and functions are read from them when they are first asked for, and damage within one
// ends the process then.
Result<Library> read_library(std::string_view bytes);

}  // namespace flow
