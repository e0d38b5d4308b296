// A flow with branches, for the real machine.
#pragma once

#include <string>
#include <utility>

#include "tests/unit/vm/assembler.hpp"

namespace flow::test {

// As fast as it goes.
inline void without_quotas(Assembler& a) {
  for (Operation& operation : a.module.operations)
    for (Route& route : operation.routes) route.quota = {};
  a.flow().manifest.poll_filter.clear();
  a.flow().manifest.poll_expand.clear();
}

// A branch that isolates the machine in r0, then says r1.
inline std::uint32_t isolating_branch(Assembler& a, const std::string& comment) {
  const auto function = a.begin_function("branch " + comment, {kMachineIdType}, kNullType);
  a.load_text(1, comment);
  a.module.functions.back().call_sites = {{.operation = kIsolate, .first_argument = 0}};
  a.emit(Op::Call, 2).emit(Op::Log, 1).emit(Op::LoadNull, 0).emit(Op::Return, 0);
  a.end_function();
  return function;
}

// Isolates three times at once, with other comments, then once more.
inline Module parallel_flow() {
  Assembler a;
  const auto first = isolating_branch(a, "one");
  isolating_branch(a, "two");
  isolating_branch(a, "three");
  a.emit(Op::EnterBody).emit(Op::Unwrap, 4, kMachineId).emit(Op::Parallel, 10, 4, 3, first);
  a.load_text(5, "last").call(11, kIsolate, 4).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

}  // namespace flow::test
