// Flows whose runs are kept under tests/replay: between them every kind of journal entry that a run of theirs
// can have.
#pragma once

#include <utility>

#include "live.hpp"
#include "parallel_module.hpp"
#include "tests/unit/vm/assembler.hpp"

namespace flow::test {

// What the runtime answers, a fetch, and three branches: one isolates four machines at most two at once, one
// waits for an hour, one asks for a machine. Ends with a result.
inline Module flow_with_branches() {
  Assembler a;
  const TypeId machines = a.module.types.list(kMachineIdType);
  a.module.types.list(kActionIdType);
  const auto now = add_system(a, "now", {}, kTimeType);
  const auto random = add_system(a, "random", {}, kFloatType);
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  const auto cut = a.begin_function("cut", {kMachineIdType, kIntType, kStringType}, kActionIdType);
  a.module.functions[cut].call_sites = {{.operation = kIsolate, .first_argument = 10}};
  a.emit(Op::Move, 10, 0).emit(Op::Move, 11, 2).imm(Op::Call, 12, 0).emit(Op::Log, 0);
  a.emit(Op::GetField, 13, 12, 0).emit(Op::Return, 13);
  a.end_function();
  const auto cut_all = a.begin_function("cut all", {machines, kStringType}, kIntType);
  a.emit(Op::Move, 10, 0).load_int(11, 2).emit(Op::Move, 12, 1).emit(Op::Each, 20, 10, 0, cut);
  a.load_int(22, 2).emit(Op::GetItem, 23, 20, 22).show(23).emit(Op::ListLength, 21, 20);
  a.emit(Op::Return, 21);
  a.end_function();
  const auto pause = a.begin_function("pause", {machines, kStringType}, kIntType);
  a.module.functions[pause].call_sites = {{.operation = wait, .first_argument = 10}};
  a.load_int(10, 3600 * kSecondUs, kDurationType).imm(Op::Call, 11, 0).load_text(12, "an hour later");
  a.emit(Op::Log, 12).load_int(13, 1).emit(Op::Return, 13);
  a.end_function();
  const auto ask = a.begin_function("ask", {machines, kStringType}, kIntType);
  a.module.functions[ask].call_sites = {{.operation = kGetMachine, .first_argument = 10}};
  a.load_int(9, 1).emit(Op::GetItem, 10, 0, 9).imm(Op::Call, 11, 0).emit(Op::GetField, 12, 11, 0).show(12);
  a.emit(Op::Return, 9);
  a.end_function();

  a.emit(Op::Unwrap, 4, kMachineId).call(5, kGetMachine, 4, true).emit(Op::EnterBody);
  a.call(6, now, 4).show(6).call(7, random, 4).show(7);
  for (unsigned k = 0; k < 4; ++k) a.load_text(20 + k, "m" + std::to_string(k), kMachineIdType);
  a.emit(Op::NewList, 10, 20, 4, machines).load_text(11, "contained by a flow");
  a.emit(Op::Parallel, 8, 10, 3, cut_all).emit(Op::GetField, 9, 5, 0).show(9).emit(Op::FinishWith, 9);
  a.flow().result = kMachineIdType;
  without_quotas(a);
  return std::move(a.module);
}

// Reads a setting, invokes a function that isolates, and fails where that does.
inline Module flow_that_fails() {
  Assembler a;
  a.module.settings = {{.name = "reason", .type = kStringType, .default_json = R"("by default")"}};
  a.flow().inputs.push_back({.name = "reason", .type = kStringType, .source = Input::Source::Setting});
  const auto cut = a.begin_function("cut", {kMachineIdType, kStringType}, kActionIdType);
  a.module.functions[cut].call_sites = {{.operation = kIsolate, .first_argument = 0}};
  a.imm(Op::Call, 2, 0).emit(Op::GetField, 3, 2, 0).emit(Op::Return, 3);
  a.end_function();
  a.emit(Op::EnterBody).emit(Op::Log, 4).emit(Op::Unwrap, 10, kMachineId).emit(Op::Move, 11, 4);
  a.emit(Op::Invoke, 10, 0, 0, cut).show(10).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

// Waits for an hour, and says so before and after.
inline Module flow_that_waits() {
  Assembler a;
  const auto wait = add_system(a, "wait", {{.name = "duration", .type = kDurationType}}, kNothingType);
  a.emit(Op::EnterBody).load_text(4, "before").emit(Op::Log, 4);
  a.load_int(5, 3600 * kSecondUs, kDurationType).call(6, wait, 5);
  a.load_text(7, "after").emit(Op::Log, 7).emit(Op::Finish);
  without_quotas(a);
  return std::move(a.module);
}

}  // namespace flow::test
