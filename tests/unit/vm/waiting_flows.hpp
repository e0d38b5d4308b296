// Flows that wait in all the ways a run can, for tests of snapshots; and how they are told.
#pragma once

#include <string>
#include <utility>

#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {

inline constexpr const char* kMachineJson =
    R"({"id":"m1","computerDnsName":"pc1","machineTags":["VIP","lab"],"riskScore":"HIGH","score":0.25,)"
    R"("extra":{"a":[1,null]},"counts":{"x":1,"y":2},"age":"1h30m"})";

inline std::string told(const Program& program, const Step& step) {
  if (const auto* log = std::get_if<LogLine>(&step))
    return std::to_string(log->number) + " " + log->text + " @" + std::to_string(log->line);
  if (const auto* call = std::get_if<Call>(&step))
    return std::to_string(call->number) + " " + program.module().operations[call->operation].name +
           call->arguments;
  const Ended& ended = std::get<Ended>(step);
  std::string text = std::to_string(static_cast<int>(ended.how)) + ended.reason + ended.fault.message;
  for (const Place& place : ended.trace) text += " " + place.routine + ":" + std::to_string(place.line);
  return text;
}

// A run that has read its event and a machine, holds values of every kind, and waits for a log line.
inline Assembler with_all_kinds() {
  Assembler a;
  a.emit(Op::EnterBody);
  a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true).emit(Op::Unwrap, 11, kMachine);
  a.load_int(12, -5).load_float(13, 0.5).load_text(14, "constant").load_severity(15, 2);
  a.load_int(16, 1'000'000, kTimeType).load_text(17, "<b>", kHtmlType).emit(Op::LoadBool, 18, 1);
  a.emit(Op::NewList, 20, 12, 1, a.world.ints).emit(Op::NewList, 21, 14, 1, a.world.strings);
  a.emit(Op::Concat, 22, 14, 1).load_text(4, "a").load_text(5, "b").emit(Op::Concat, 6, 4, 2);
  a.emit(Op::Log, 6);
  // All of it is read afterwards.
  for (const unsigned reg : {12u, 13u, 14u, 15u, 16u, 18u, 22u, 6u}) a.show(reg);
  a.emit(Op::GetField, 30, 11, 1).show(30);
  a.emit(Op::GetField, 30, 11, 2).emit(Op::ListLength, 31, 30).show(31);
  a.emit(Op::GetField, 30, 11, 3).show(30);
  a.emit(Op::GetField, 30, 11, 4).show(30);
  a.emit(Op::ListLength, 31, 20).show(31).emit(Op::ListLength, 31, 21).show(31);
  a.emit(Op::Unwrap, 32, kAlert).emit(Op::GetField, 33, 32, 2).show(33);
  a.emit(Op::EscapeHtml, 34, 14).emit(Op::Move, 35, 17).emit(Op::Concat, 36, 34, 2);
  a.load_text(23, "a@x", kEmailType).load_text(24, "subject").emit(Op::Move, 25, 36);
  a.emit(Op::LoadNull, 26).emit(Op::LoadNull, 27).emit(Op::Move, 28, 11).call(30, kSendMail, 23);
  a.emit(Op::Finish);
  return a;
}

// A function that waits at each depth of its recursion.
inline Assembler in_functions() {
  Assembler a;
  // sum(n) logs on the way down and adds on the way up.
  const auto sum = a.begin_function("sum", {kIntType}, kIntType);
  const auto deeper = a.jump(Op::JumpIfNotLessImm, 0);
  a.code().back().b = 1;
  a.load_int(0, 0).emit(Op::Return, 0);
  a.land(deeper).emit(Op::ToText, 1, 0).emit(Op::Log, 1).emit(Op::AddIntImm, 2, 0, 0, -1);
  a.emit(Op::Invoke, 2, 0, 0, sum).emit(Op::AddInt, 0, 0, 2).emit(Op::Return, 0);
  a.end_function();
  a.load_int(4, 5).emit(Op::Invoke, 4, 0, 0, sum).show(4).emit(Op::Finish);
  return a;
}

// A list and a text grow from log line to log line, between much rubbish: the counters of a frozen run's heap
// are those of one that was never frozen, or it would collect at other times and pay other fuel.
inline Assembler growing() {
  Assembler a;
  a.load_int(4, 0).load_int(5, 60).load_text(6, "").emit(Op::NewList, 7, 4, 0, a.world.ints);
  a.load_text(8, std::string(300, 'x'));
  const auto outer = a.here();
  a.load_int(20, 0).load_int(21, 40);
  const auto inner = a.here();
  a.emit(Op::ToText, 11, 20).emit(Op::Move, 10, 8).emit(Op::Concat, 12, 10, 2).emit(Op::Append, 7, 20);
  a.aim(a.jump(Op::NextInRange, 20), inner);
  a.emit(Op::Move, 30, 6).emit(Op::ToText, 31, 4).emit(Op::Concat, 6, 30, 2).emit(Op::Log, 6);
  a.aim(a.jump(Op::NextInRange, 4), outer);
  a.emit(Op::ListLength, 13, 7).show(13).emit(Op::Finish);
  return a;
}

// A handler that waits, and then raises what it handles.
inline Assembler in_handler() {
  Assembler a;
  a.load_text(4, "went wrong");
  const auto begin = a.here();
  a.emit(Op::Fail, 4);
  const auto handler = a.here();
  a.emit(Op::Log, 5).emit(Op::Raise);
  a.flow().handlers = {{.begin = begin, .end = handler, .target = handler, .register_ = 5}};
  return a;
}

}  // namespace flow::test
