// Random programs that pass the verifier more often than not: each register has a type that instructions are
// likely to want, code is written in blocks (loops, branches, guarded code with its handler), and what does
// not verify is taken back. The same bytes give the same program everywhere.
#pragma once

#include "tests/fuzz/bytes.hpp"
#include "tests/unit/vm/assembler.hpp"

namespace flow::fuzz {

// One flow and a few functions. Verified, unless the bytes ask for a last instruction of any kind.
test::Assembler random_program(Bytes& bytes);

}  // namespace flow::fuzz
