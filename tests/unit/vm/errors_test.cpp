// Faults as values: Caught and Throw.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error_type.hpp"
#include "tests/unit/vm/running.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Fault kNotThere{.kind = FaultKind::NotFound, .message = "no such device"};

// Logs kind, message, operation and line of the Error in r[reg].
void show_error(Assembler& a, unsigned reg) {
  for (unsigned field = 0; field < kErrorFields; ++field) a.emit(Op::GetField, 30, reg, field).show(30);
}

struct Guarded {
  Assembler a;
  TypeId error_type = 0;
  std::uint32_t begin = 0;

  Guarded() { error_type = add_error_type(a.module.types); }
  // What was emitted since `begin` is guarded; the handler begins here, with the Error in r[reg].
  void handle(unsigned reg) {
    const std::uint32_t handler = a.here();
    a.flow().handlers.push_back({.begin = begin, .end = handler, .target = handler, .register_ = 38});
    a.emit(Op::Caught, reg, 0, 0, error_type);
  }
};

TEST(Errors, TheErrorOfACallSaysWhoseItWas) {
  Guarded g;
  g.a.flow().lines = {{.pc = 0, .line = 5, .column = 3}};
  g.a.emit(Op::Unwrap, 5, kMachineId).call(6, kGetMachine, 5).emit(Op::Finish);
  g.handle(10);
  show_error(g.a, 10);
  g.a.emit(Op::Finish);
  EXPECT_THAT(run(g.a.module, {Fault(kNotThere)}),
              ElementsAre(R"(get_machine{"machine":"m1"})", "NotFound", "no such device",
                          "defender.get_machine", "5", "finished"));
}

TEST(Errors, AnAnswerThatIsNoneIsItsOperationsError) {
  Guarded g;
  g.a.emit(Op::Unwrap, 5, kMachineId).call(6, kGetMachine, 5).emit(Op::Finish);
  g.handle(10);
  g.a.emit(Op::GetField, 30, 10, 2).show(30).emit(Op::Finish);
  EXPECT_THAT(run(g.a.module, {Returned{"7"}}),
              ElementsAre(HasSubstr("get_machine"), "defender.get_machine", "finished"));
}

TEST(Errors, TheMachinesOwnHaveNoOperation) {
  Guarded g;
  g.a.load_text(4, "nothing to do");
  g.begin = g.a.here();
  g.a.emit(Op::Fail, 4);
  g.handle(10);
  show_error(g.a, 10);
  g.a.emit(Op::Finish);
  EXPECT_THAT(run(g.a.module), ElementsAre("Failed", "nothing to do", "(unknown)", "3", "finished"));
}

Ended end_of(const Module& module, const std::vector<Outcome>& answers) {
  const auto program = Program::load(module);
  EXPECT_TRUE(program) << program.error().message;
  Machine machine(*program, 0);
  Step step = machine.start(kEvent);
  for (const Outcome& answer : answers) step = machine.resume(answer);
  return std::get<Ended>(step);
}

TEST(Errors, ATryWithinACatchDoesNotLoseTheOuterError) {
  Guarded g;
  g.a.flow().lines = {{.pc = 0, .line = 5, .column = 1}, {.pc = 2, .line = 8, .column = 1}};
  g.a.emit(Op::Unwrap, 5, kMachineId);
  g.begin = g.a.here();
  g.a.call(6, kGetMachine, 5);
  g.handle(10);
  g.begin = g.a.here();
  g.a.call(6, kGetMachine, 5).emit(Op::Finish);
  g.handle(11);
  g.a.emit(Op::Throw, 10);
  Fault with_retry = kNotThere;
  with_retry.status = 404;
  const Ended ended =
      end_of(g.a.module, {with_retry, Fault{.kind = FaultKind::Throttled, .message = "slow"}});
  EXPECT_EQ(ended.how, Ended::How::Failed);
  EXPECT_EQ(ended.fault.kind, FaultKind::NotFound);
  EXPECT_EQ(ended.fault.message, "no such device");
  EXPECT_EQ(ended.fault.operation, "defender.get_machine");
  EXPECT_EQ(ended.line, 5u);
}

TEST(Errors, WhatWasJustHandledIsThrownAsItWas) {
  Guarded g;
  g.a.flow().lines = {{.pc = 0, .line = 5, .column = 1}, {.pc = 3, .line = 8, .column = 1}};
  g.a.emit(Op::Unwrap, 5, kMachineId).call(6, kGetMachine, 5).emit(Op::Finish);
  g.handle(10);
  g.a.emit(Op::Throw, 10);
  Fault fault = kNotThere;
  fault.status = 404;
  const Ended ended = end_of(g.a.module, {fault});
  EXPECT_EQ(ended.fault.status, 404);
  EXPECT_EQ(ended.trace, (std::vector<Place>{{.routine = "isolate", .line = 5}}));
}

// The Error a flow makes itself, in r[10].
void make_error(Guarded& g, Constant kind, std::int64_t line) {
  const TypeId kinds = g.a.module.types.record(g.error_type).fields[0].type;
  kind.type = kinds;
  g.a.load(5, std::move(kind)).load_text(6, "by hand").load_text(7, "mail.send").load_int(8, line);
  g.a.emit(Op::NewRecord, 10, 5, 0, g.error_type);
}

TEST(Errors, AFlowCanMakeOne) {
  Guarded g;
  make_error(g, {.number = static_cast<std::int64_t>(FaultKind::Conflict)}, 77);
  g.a.emit(Op::Throw, 10);
  const Ended ended = end_of(g.a.module, {});
  EXPECT_EQ(ended.fault.kind, FaultKind::Conflict);
  EXPECT_EQ(ended.fault.operation, "mail.send");
  EXPECT_EQ(ended.line, 77u);
}

TEST(Errors, NoFlowRunsOutOfFuelByItsOwnWord) {
  Guarded g;
  make_error(g, {.number = static_cast<std::int64_t>(FaultKind::OutOfFuel)}, -1);
  g.a.emit(Op::Throw, 10);
  const Ended ended = end_of(g.a.module, {});
  EXPECT_EQ(ended.fault.kind, FaultKind::Failed);
  EXPECT_EQ(ended.line, 3u);
}

TEST(Errors, WithoutAHandlerThereIsStillAnError) {
  Guarded g;
  g.a.emit(Op::Caught, 10, 0, 0, g.error_type);
  show_error(g.a, 10);
  g.a.emit(Op::Finish);
  EXPECT_THAT(run(g.a.module), ElementsAre("Failed", "nothing was raised", "(unknown)", "0", "finished"));
}

TEST(Errors, SurviveTheLeastMemory) {
  Guarded g;
  g.a.load_text(4, "nothing to do");
  g.begin = g.a.here();
  g.a.emit(Op::Fail, 4);
  g.handle(10);
  show_error(g.a, 10);
  g.a.emit(Op::Finish);
  EXPECT_EQ(run(g.a.module, {}, kEvent, {.collect_from_bytes = 0}), run(g.a.module));
}

TEST(Errors, OnlyTheRecordErrorIsOne) {
  const auto refusal = [](Op op, bool is_error) {
    Assembler a;
    const TypeId error_type = add_error_type(a.module.types);
    a.emit(Op::Unwrap, 18, kAlert);
    if (is_error) a.emit(Op::Caught, 18, 0, 0, error_type);
    if (op == Op::Throw)
      a.emit(op, 18);
    else
      a.emit(op, 20, 0, 0, is_error ? error_type : a.world.alert).emit(Op::Finish);
    const auto verified = verify(a.module);
    return verified ? "" : verified.error().message;
  };
  EXPECT_EQ(refusal(Op::Caught, true), "");
  EXPECT_EQ(refusal(Op::Throw, true), "");
  EXPECT_THAT(refusal(Op::Caught, false), HasSubstr("`Alert` is not the record Error"));
  EXPECT_THAT(refusal(Op::Throw, false), HasSubstr("`Alert` is not the record Error"));
}

TEST(Errors, TheShapeIsExact) {
  TypeTable types;
  const TypeId error_type = add_error_type(types);
  EXPECT_TRUE(is_error_type(types, error_type));
  for (std::size_t field = 0; field < kErrorFields; ++field) {
    RecordType other = types.record(error_type);
    other.fields[field].type = kBoolType;
    EXPECT_FALSE(is_error_type(types, types.add_record(other))) << field;
    other = types.record(error_type);
    other.fields[field].name += "s";
    EXPECT_FALSE(is_error_type(types, types.add_record(other))) << field;
  }
  RecordType older = types.record(error_type);
  EnumType kinds = types.enumeration(older.fields[0].type);
  kinds.values.pop_back();
  older.fields[0].type = types.add_enum(kinds);
  EXPECT_TRUE(is_error_type(types, types.add_record(older))) << "made before the last fault was added";
  std::swap(kinds.values[0], kinds.values[1]);
  older.fields[0].type = types.add_enum(kinds);
  EXPECT_FALSE(is_error_type(types, types.add_record(older)));
}

}  // namespace
}  // namespace flow::test
