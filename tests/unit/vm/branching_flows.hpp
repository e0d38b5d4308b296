// Flows with several branches under way, for tests of branches, of snapshots and of what is stored of runs.
#pragma once

#include <string>

#include "tests/unit/vm/assembler.hpp"

namespace flow::test {

// Two functions at once, by Parallel or Race: one logs, one isolates.
inline Assembler at_once(Op op) {
  Assembler a;
  const auto logs = a.begin_function("tell", {kMachineIdType}, kIntType);
  a.emit(Op::Log, 0).load_int(1, 1).emit(Op::Return, 1);
  a.end_function();
  const auto cuts = a.begin_function("cut", {kMachineIdType, kStringType}, kIntType);
  a.module.functions[cuts].call_sites = {{.operation = kIsolate, .first_argument = 0}};
  a.imm(Op::Call, 2, 0).load_int(1, 1).emit(Op::Return, 1);
  a.end_function();
  a.load_text(10, "m", kMachineIdType).load_text(11, "why").emit(op, 8, 10, 2, logs).show(8).emit(Op::Finish);
  return a;
}

// Branches that begin branches, make garbage and wait for log lines: four at most three at once, in each of
// them two one after the other.
inline Assembler nested() {
  Assembler a;
  a.module.types.list(a.world.ints);
  const auto leaf = a.begin_function("leaf", {kIntType, kIntType, kStringType}, kIntType);
  a.load_int(5, 0).load_int(6, 50);
  const auto top = a.here();
  a.emit(Op::Move, 7, 2).emit(Op::ToText, 8, 0).emit(Op::Concat, 9, 7, 2);
  a.aim(a.jump(Op::NextInRange, 5), top).emit(Op::Log, 9);
  a.emit(Op::MultiplyIntImm, 10, 0, 0, 10).emit(Op::AddInt, 10, 10, 1).emit(Op::Return, 10);
  a.end_function();
  const auto middle = a.begin_function("middle", {kIntType, kIntType, kStringType}, a.world.ints);
  a.emit(Op::NewList, 10, 0, 2, a.world.ints).load_int(11, 1).emit(Op::Move, 12, 2);
  a.emit(Op::Each, 20, 10, 0, leaf).emit(Op::Return, 20);
  a.end_function();
  a.load_int(4, 0).load_int(5, 4).emit(Op::Range, 10, 4, 5);
  a.load_int(11, 3).load_text(12, std::string(500, '.'));
  a.emit(Op::Each, 8, 10, 0, middle).emit(Op::ListLength, 9, 8).show(9);
  a.load_int(4, 3).emit(Op::GetItem, 9, 8, 4).load_int(4, 1).emit(Op::GetItem, 9, 9, 4).show(9);
  a.emit(Op::Finish);
  return a;
}

// `parallel` with all that a branch can be: it isolates four machines at most two at once; it waits in a
// handler; it waits for a race, which a log line wins and a call loses.
inline Assembler in_branches() {
  Assembler a;
  const TypeId machines = a.module.types.list(kMachineIdType);
  a.module.types.list(kActionIdType);
  const auto cut = a.begin_function("cut", {kMachineIdType, kIntType, kStringType}, kActionIdType);
  a.module.functions[cut].call_sites = {{.operation = kIsolate, .first_argument = 10}};
  a.emit(Op::Move, 10, 0).emit(Op::Move, 11, 2).imm(Op::Call, 12, 0).emit(Op::Log, 0);
  a.emit(Op::GetField, 13, 12, 0).emit(Op::Return, 13);
  a.end_function();
  const auto tell = a.begin_function("tell", {kStringType}, kIntType);
  a.emit(Op::Log, 0).emit(Op::Log, 0).load_int(1, 1).emit(Op::Return, 1);
  a.end_function();
  const auto ask = a.begin_function("ask", {}, kIntType);
  a.module.functions[ask].call_sites = {{.operation = kGetMachine, .first_argument = 10}};
  a.load_text(10, "m9", kMachineIdType);
  for (int k = 0; k < 9; ++k) a.imm(Op::Call, 11, 0);  // slower than who tells
  a.load_int(1, 1).emit(Op::Return, 1);
  a.end_function();
  const auto cut_all = a.begin_function("cut all", {machines, kStringType}, kIntType);
  a.emit(Op::Move, 10, 0).load_int(11, 2).emit(Op::Move, 12, 1).emit(Op::Each, 20, 10, 0, cut);
  a.load_int(22, 2).emit(Op::GetItem, 23, 20, 22).show(23).emit(Op::ListLength, 21, 20).emit(Op::Return, 21);
  a.end_function();
  const auto handle = a.begin_function("handle", {machines, kStringType}, kIntType);
  const auto begin = a.here();
  a.emit(Op::Fail, 1);
  const auto handler = a.here();
  a.module.functions[handle].handlers = {{.begin = begin, .end = handler, .target = handler, .register_ = 5}};
  a.emit(Op::Log, 5).emit(Op::Log, 5).load_int(6, 0).emit(Op::Return, 6);
  a.end_function();
  a.begin_function("first", {machines, kStringType}, kIntType);
  a.emit(Op::Move, 10, 1).emit(Op::Race, 20, 10, 2, tell).show(20).emit(Op::Return, 20);
  a.end_function();
  a.emit(Op::EnterBody);
  for (unsigned k = 0; k < 4; ++k) a.load_text(20 + k, "m" + std::to_string(k), kMachineIdType);
  a.emit(Op::NewList, 10, 20, 4, machines).load_text(11, "why").emit(Op::Parallel, 8, 10, 3, cut_all);
  a.emit(Op::ListLength, 9, 10).show(9).emit(Op::Finish);
  return a;
}

}  // namespace flow::test
