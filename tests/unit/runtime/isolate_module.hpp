// The first example by hand: for an alert of severity High, read the machine, then isolate it. For the real
// machine.
#pragma once

#include "tests/unit/vm/assembler.hpp"

namespace flow::test {

inline Module isolate_by_hand() {
  Assembler a;
  a.emit(Op::Unwrap, 4, kAlert).emit(Op::GetField, 5, 4, 1).load_severity(6, 3).emit(Op::EqualEnum, 7, 5, 6);
  const auto skip = a.jump(Op::JumpIfNot, 7);
  a.emit(Op::Unwrap, 8, kMachineId).call(9, kGetMachine, 8, true).emit(Op::EnterBody);
  a.load_text(10, "isolating").emit(Op::Log, 10);
  a.emit(Op::Unwrap, 11, kMachineId).load_text(12, "by flow").call(13, kIsolate, 11).emit(Op::Finish);
  a.land(skip).emit(Op::Skip);
  a.flow().manifest.poll_filter.clear();
  a.flow().manifest.poll_expand.clear();
  a.module.operations[kGetMachine].routes[0].quota = {};  // as fast as it goes
  a.module.operations[kIsolate].routes[0].quota = {};
  a.module.operations[kListAlerts].routes[0].quota = {};
  return a.module;
}

}  // namespace flow::test
