#include "vm/interp/machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/unit/vm/assembler.hpp"
#include "tests/unit/vm/running.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// --- calls ---

TEST(Calls, CarryTheirArgumentsAsJson) {
  Assembler a;
  const auto node = a.world.node;
  a.load_text(10, "a@x", kEmailType)
      .load_text(11, "Sub\"ject")
      .load_text(12, "<p>", kHtmlType)
      .load_text(13, "smtp-password", kSecretType);
  a.load_int(20, 1)
      .emit(Op::LoadNull, 21)
      .emit(Op::NewRecord, 14, 20, 0, node)
      .emit(Op::Move, 15, kMachine)
      .call(30, kSendMail, 10);
  a.emit(Op::NewList, 10, 10, 1, a.world.emails)
      .load_text(12, "plain")
      .emit(Op::LoadNull, 13)
      .emit(Op::LoadNull, 14)
      .call(30, kSendMail, 10);
  a.emit(Op::IsNull, 30, 30).show(30).load_text(12, "T", kKqlType).call(30, kSendMail, 10).emit(Op::Finish);
  EXPECT_THAT(
      run(a.module),
      ElementsAre(
          R"(send{"to":"a@x","subject":"Sub\"ject","body":{"$html":"<p>"},"password":{"$secret":"smtp-password"},"node":{"value":1,"next":null},"detail":null})",
          R"(send{"to":["a@x"],"subject":"Sub\"ject","body":"plain","password":null,"node":null,"detail":null})",
          "true",
          R"(send{"to":["a@x"],"subject":"Sub\"ject","body":{"$kql":"T"},"password":null,"node":null,"detail":null})",
          "finished"));
}

constexpr const char* kMachineJson =
    R"({"id":"m1","computerDnsName":"pc1","machineTags":["VIP",""],"riskScore":"HIGH","score":0.1,"unread":[1],)"
    R"("extra":{"a" : [1, 2.5]},"counts":{"x":1,"y":2},"age":"1h30m"})";

TEST(Calls, FetchAMachineAndSendItOn) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true);
  a.load_text(10, "a@x", kEmailType)
      .load_text(11, "s")
      .load_text(12, "b")
      .emit(Op::LoadNull, 13)
      .emit(Op::LoadNull, 14);
  a.emit(Op::Move, 15, kMachine).call(30, kSendMail, 10).emit(Op::Finish);
  EXPECT_THAT(
      run(a.module, {Returned{kMachineJson}}),
      ElementsAre(
          R"(get_machine{"machine":"m1"})",
          R"(send{"to":"a@x","subject":"s","body":"b","password":null,"node":null,"detail":{"id":"m1","computerDnsName":"pc1","machineTags":["VIP",""],"riskScore":"High","score":0.1,"extra":{"a":[1,2.5]},"counts":{"x":1,"y":2},"age":"1h30m"}})",
          "finished"));
}

std::string answered(const char* json) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true).emit(Op::Finish);
  return run(a.module, {Returned{json}}).back();
}

TEST(Calls, AnswersAreReadLeniently) {
  EXPECT_EQ(answered(kMachineJson), "finished");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":null})"), "finished") << "a null list is empty";
  EXPECT_EQ(answered(R"({"id":"m","machineTags":[],"riskScore":"Unheard","computerDnsName":null,"score":3})"),
            "finished");
}

TEST(Calls, WrongAnswersNameTheirPlace) {
  const std::string prefix = "InvalidResponse: defender.get_machine gave an unexpected answer: ";
  EXPECT_EQ(answered(R"({"id":"m"})"), prefix + "`machine.tags` is missing");
  EXPECT_EQ(answered(R"({"id":null,"machineTags":[]})"),
            prefix + "`machine.id` is null where MachineId was expected");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":["a","b",5]})"),
            prefix + "`machine.tags[2]` is a number where String was expected");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":{}})"),
            prefix + "`machine.tags` is an object where List<String> was expected");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":[],"counts":{"x":1.5}})"),
            prefix + "`machine.counts[\"x\"]` is a number that is no 64-bit integer");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":[],"counts":{"x":"1"}})"),
            prefix + "`machine.counts[\"x\"]` is a text where Int was expected");
  EXPECT_EQ(answered(R"({"id":"m","machineTags":[],"age":"soon"})"),
            prefix + "`machine.age` is \"soon\", which is no Duration");
  EXPECT_EQ(answered("[]"), prefix + "`machine` is a list where Machine was expected");
  EXPECT_EQ(answered("null"), prefix + "`machine` is null where Machine was expected");
  EXPECT_THAT(answered("<html>"), HasSubstr(prefix + "`machine` is not JSON: "));
}

TEST(Calls, IntegersMayBeSpelledAsFloats) {
  const auto counted = [](const std::string& number) {
    return answered((R"({"id":"m","machineTags":[],"counts":{"x":)" + number + "}}").c_str());
  };
  EXPECT_EQ(counted("5.0"), "finished");
  EXPECT_EQ(counted("-9223372036854775808"), "finished");
  EXPECT_THAT(counted("9223372036854775808"), HasSubstr("no 64-bit integer"));
  EXPECT_THAT(counted("1e300"), HasSubstr("no 64-bit integer"));
}

TEST(Calls, ValuesNestedTooDeeplyAreRefused) {
  Assembler a;
  const auto node = a.world.node;
  a.load_int(4, 1).emit(Op::LoadNull, 5).load_int(6, 0).load_int(7, 1).load_int(8, 200);
  a.load_text(10, "a@x", kEmailType)
      .load_text(11, "s")
      .load_text(12, "b")
      .emit(Op::LoadNull, 13)
      .emit(Op::LoadNull, 15);
  const auto top = a.here();
  a.emit(Op::NewRecord, 5, 4, 0, node).emit(Op::AddInt, 6, 6, 7);
  const auto done = a.jump(Op::JumpIfLessEqual, 8, 6);
  a.aim(a.jump(Op::Jump), top).land(done).emit(Op::Move, 14, 5).call(30, kSendMail, 10).emit(Op::Finish);
  EXPECT_EQ(run(a.module).front(), "InvalidValue: argument `node` of mail.send is nested too deeply");
}

TEST(Calls, AreNumberedAndKnowTheirLine) {
  Assembler a;
  a.emit(Op::EnterBody)
      .emit(Op::Unwrap, 10, kMachineId)
      .load_text(11, "c")
      .call(12, kIsolate, 10)
      .call(12, kIsolate, 10)
      .emit(Op::Log, 11)
      .emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4}, {.pc = 3, .line = 7}, {.pc = 4, .line = 8}};
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine machine(*program, 0);
  EXPECT_FALSE(machine.in_body());
  auto call = std::get<Call>(machine.start(kEvent));
  EXPECT_TRUE(machine.in_body());
  EXPECT_EQ(call.number, 0u);
  EXPECT_EQ(call.line, 7u);
  EXPECT_EQ(call.operation, kIsolate);
  EXPECT_FALSE(call.is_fetch);
  call = std::get<Call>(machine.resume(Returned{R"({"id":"x"})"}));
  EXPECT_EQ(call.number, 1u);
  EXPECT_EQ(call.line, 8u);
  EXPECT_EQ(std::get<LogLine>(machine.resume(Returned{R"({"id":"x"})"})).number, 0u);
  EXPECT_EQ(std::get<Ended>(machine.resume(Returned{"null"})).line, 8u);
}

TEST(Calls, FaultsEndTheRunOrReachTheHandler) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).load_text(11, "c").call(12, kIsolate, 10).emit(Op::Finish);
  const Fault fault{.kind = FaultKind::Throttled, .message = "slow down", .status = 429, .code = "TooMany"};
  EXPECT_THAT(run(a.module, {fault}).back(), "Throttled: slow down");
  const auto handler = a.here();
  a.emit(Op::Log, 13).emit(Op::ToText, 14, kMachineId).emit(Op::Stop, 14);
  a.flow().handlers = {{.begin = 2, .end = 3, .target = handler, .register_ = 13}};
  EXPECT_THAT(run(a.module, {fault}), ElementsAre(HasSubstr("isolate{"), "slow down", "stopped: m1"));
}

TEST(Handlers, CatchWhatTheMachineRaisesTheFirstThatCovers) {
  Assembler a;
  a.load_text(10, "no").load_int(4, 1).load_int(5, 0).emit(Op::DivideInt, 6, 4, 5).emit(Op::Finish);
  const auto first = a.here();
  a.emit(Op::Fail, 7);
  const auto second = a.here();
  a.emit(Op::Stop, 7);
  a.flow().handlers = {{.begin = 0, .end = first, .target = first, .register_ = 7},
                       {.begin = 0, .end = second, .target = second, .register_ = 7}};
  EXPECT_THAT(run(a.module), ElementsAre("stopped: a division by zero"))
      << "the first handler's own fault reaches the second";
}

// --- events ---

std::string event_seen(const char* event) {
  Assembler a;
  a.show(kMachineId).emit(Op::IsNull, 4, kAlert).show(4).emit(Op::Finish);
  const auto story = run(a.module, {}, event);
  return story.size() == 3 ? story[0] + " " + story[1] : story[0];
}

TEST(Events, FillTheInputs) {
  EXPECT_EQ(event_seen(kEvent), "m1 false");
  EXPECT_EQ(event_seen(R"({"id":"a"})"), "(unknown) true") << "what the event lacks is fetched";
  EXPECT_EQ(event_seen(
                R"({"id":"a","machineId":null,"severity":"Low","alertCreationTime":"2026-11-20T08:14:22Z"})"),
            "(unknown) false");
}

TEST(Events, WrongOnesEndTheRunNamingThePlace) {
  EXPECT_EQ(event_seen(R"({"machineId":"m"})"), "InvalidEvent: `id` is missing");
  EXPECT_EQ(event_seen(R"({"id":null})"), "InvalidEvent: `id` is null where AlertId was expected");
  EXPECT_EQ(event_seen(R"({"id":7})"), "InvalidEvent: `id` is a number where AlertId was expected");
  EXPECT_EQ(event_seen(R"({"id":"a","severity":3})"),
            "InvalidEvent: `alert.severity` is a number where Severity was expected");
  EXPECT_EQ(event_seen(R"({"id":"a","severity":null})"),
            "InvalidEvent: `alert.severity` is null where Severity was expected");
  EXPECT_EQ(event_seen(R"({"id":"a","alertCreationTime":"yesterday"})"),
            "InvalidEvent: `alert.created` is \"yesterday\", which is no Time");
  EXPECT_EQ(event_seen("[]"), "InvalidEvent: `event` is a list where an object was expected");
  EXPECT_THAT(event_seen("{"), HasSubstr("InvalidEvent: `event` is not JSON: "));
}

// --- limits and determinism ---

std::string with_fuel(const Module& module, std::uint64_t fuel) {
  return run(module, {}, kEvent, {.fuel = fuel}).back();
}

TEST(Limits, FuelIsExact) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 3);
  const auto top = a.here();
  a.emit(Op::AddInt, 6, 4, 5);
  a.aim(a.jump(Op::NextInRange, 4), top).emit(Op::Finish);
  // Five instructions at the start, and twice two for going back.
  EXPECT_EQ(with_fuel(a.module, 9), "finished");
  EXPECT_EQ(with_fuel(a.module, 8), "OutOfFuel: the run used up its instructions");
  EXPECT_THAT(with_fuel(a.module, 4), HasSubstr("OutOfFuel"));
  EXPECT_THAT(with_fuel(a.module, 0), HasSubstr("OutOfFuel"));
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine machine(*program, 0);
  machine.start(kEvent);
  EXPECT_EQ(machine.fuel_used(), 9u);
}

TEST(Limits, FuelAlsoPaysForBytes) {
  Assembler a;
  a.load_text(4, std::string(640, 'x')).emit(Op::Move, 5, 4).emit(Op::EqualText, 6, 4, 5).emit(Op::Finish);
  EXPECT_EQ(with_fuel(a.module, 14), "finished");
  EXPECT_THAT(with_fuel(a.module, 13), HasSubstr("OutOfFuel"));
}

TEST(Limits, FuelSpentIsNotHandled) {
  Assembler a;
  a.aim(a.jump(Op::Jump), 0).emit(Op::Finish);
  a.flow().handlers = {{.begin = 0, .end = 1, .target = 1, .register_ = 7}};
  EXPECT_EQ(with_fuel(a.module, 1000), "OutOfFuel: the run used up its instructions");
}

// What is live and what is asked for count, not what was there once: the event's values are read by nobody.
TEST(Limits, HeapIsExact) {
  Assembler a;
  a.load_text(4, std::string(96, 'x'))
      .load_text(5, std::string(8, 'y'))
      .emit(Op::Concat, 6, 4, 2)
      .emit(Op::Concat, 7, 4, 2)
      .emit(Op::Log, 6)
      .emit(Op::Log, 7)
      .emit(Op::Finish);
  constexpr const char* kSmallest =
      R"({"id":"12345678"})";  // 8 bytes of text; the alert's four fields, given up, 64
  const auto with_heap = [&](std::size_t bytes) {
    return run(a.module, {}, kSmallest, {.heap_bytes = bytes}).back();
  };
  EXPECT_EQ(with_heap(104 + 104), "finished");
  EXPECT_EQ(with_heap(104 + 104 - 8), "OutOfMemory: the run used up its heap");
  EXPECT_EQ(with_heap(8), "OutOfMemory: the run used up its heap");
}

// A function's registers begin among its caller's, and a fault of it finds the handler of whoever invoked it.
TEST(Functions, GiveTheirResultAndTheirFaults) {
  Assembler a;
  const auto half = a.begin_function("half", {kIntType, kIntType}, kIntType);
  a.emit(Op::DivideInt, 3, 0, 1).emit(Op::Return, 3);
  a.end_function();
  a.load_int(4, 9).load_int(20, 84).load_int(21, 2).imm(Op::Invoke, 20, half).show(20).show(4);
  a.load_int(20, 84).load_int(21, 0);
  const auto begin = a.here();
  a.imm(Op::Invoke, 20, half).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Log, 19).show(4).emit(Op::Raise);
  EXPECT_THAT(run(a.module), ElementsAre("42", "9", "DivisionByZero: a division by zero"));
  a.flow().handlers = {{.begin = begin, .end = handler, .target = handler, .register_ = 19}};
  EXPECT_THAT(run(a.module),
              ElementsAre("42", "9", "a division by zero", "9", "DivisionByZero: a division by zero"));
}

TEST(Functions, SayWhereTheyFailed) {
  Assembler a;
  const auto deep = a.begin_function("deep", {}, kIntType);
  a.load_text(3, "no").emit(Op::Fail, 3);
  a.module.functions[deep].lines = {{.pc = 0, .line = 21}};
  a.end_function();
  const auto middle = a.begin_function("middle", {}, kIntType);
  a.imm(Op::Invoke, 5, deep).emit(Op::Return, 5);
  a.module.functions[middle].lines = {{.pc = 0, .line = 31}};
  a.end_function();
  a.imm(Op::Invoke, 8, middle).emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4}};
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  const Step step = Machine(*program, 0).start(kEvent);
  const auto& ended = std::get<Ended>(step);
  EXPECT_EQ(ended.line, 21u);
  std::vector<std::string> trace;
  for (const Place& place : ended.trace) trace.push_back(place.routine + ":" + std::to_string(place.line));
  EXPECT_THAT(trace, ElementsAre("deep:21", "middle:31", "isolate:4"));
}

TEST(Limits, RecursionEndsAtTheStack) {
  Assembler a;
  const auto endless = a.begin_function("endless", {}, kIntType);
  a.imm(Op::Invoke, 0, endless).emit(Op::Return, 0);
  a.module.functions[endless].registers = 1;
  a.end_function();
  const auto wide = a.begin_function("wide", {}, kIntType);
  a.imm(Op::Invoke, 30, wide).emit(Op::Return, 30);
  a.end_function();
  for (const std::uint32_t function : {endless, wide}) {
    a.flow().code.clear();
    a.imm(Op::Invoke, 8, function).emit(Op::Finish);
    EXPECT_EQ(run(a.module).back(), "OutOfStack: functions invoke each other too deeply");
  }
}

TEST(Limits, GarbageIsNotCounted) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 100'000).load_text(10, std::string(1000, 'x'));
  const auto top = a.here();
  a.emit(Op::ToText, 11, 4).emit(Op::Concat, 12, 10, 2);
  a.aim(a.jump(Op::NextInRange, 4), top).show(4).emit(Op::Log, 11).emit(Op::Finish);
  EXPECT_THAT(run(a.module, {}, kEvent, {.heap_bytes = 8u << 10}), ElementsAre("99999", "99999", "finished"))
      << "100 MB went through 8 KB";
}

TEST(Limits, GrowingTextEndsInOutOfMemory) {
  Assembler a;
  a.load_text(4, "0123456789");
  const auto top = a.here();
  a.emit(Op::Move, 5, 4).emit(Op::Concat, 4, 4, 2);
  a.aim(a.jump(Op::Jump), top);
  EXPECT_EQ(run(a.module, {}, kEvent, {.heap_bytes = 1 << 20}).back(),
            "OutOfMemory: the run used up its heap");
}

TEST(Machine, SameOutcomesGiveTheSameSteps) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId)
      .call(kMachine, kGetMachine, 10, true)
      .emit(Op::Unwrap, 4, kMachine)
      .emit(Op::GetField, 5, 4, 3)
      .show(5);
  a.load_text(11, "c").call(12, kIsolate, 10).emit(Op::Finish);
  const std::vector<Outcome> answers{Returned{kMachineJson}, Returned{R"({"id":"action"})"}};
  const auto story = run(a.module, answers);
  EXPECT_EQ(story.size(), 4u);
  EXPECT_EQ(run(a.module, answers), story);
}

TEST(Machine, CanBeStartedAgain) {
  Assembler a;
  a.emit(Op::EnterBody).emit(Op::Log, kAlertId).emit(Op::Finish);
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine machine(*program, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(std::get<LogLine>(machine.start(kEvent)).number, 0u);
    EXPECT_EQ(std::get<Ended>(machine.resume(Returned{"null"})).how, Ended::How::Finished);
    EXPECT_EQ(machine.fuel_used(), 3u);
  }
}

}  // namespace
}  // namespace flow::test
