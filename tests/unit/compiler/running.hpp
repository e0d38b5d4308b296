// Runs what was compiled, against made-up answers: for tests of what flows do.
#pragma once

#include <string>

#include "compiler/compile.hpp"
#include "compiler/emit/emit.hpp"

namespace flow::test {

// A value of the type as JSON. The same `seed` gives the same value; different ones differ in what is null,
// how long lists are, and which values enums have.
std::string sample_json(const TypeTable& types, TypeId type, std::uint64_t seed);

// What every flow of the source does, a line for each call, each log and the end: for a made-up event, and
// with made-up results. The source must compile. Says so when the module does not verify.
std::string transcript(const Compilation& compilation, EmitOptions options, std::uint64_t seed);

// The reason with which the only flow of the source stops, or what happened instead.
std::string stop_reason(const std::string& source, EmitOptions options);

}  // namespace flow::test
