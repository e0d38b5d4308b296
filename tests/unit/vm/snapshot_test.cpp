#include "vm/interp/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kMachineJson =
    R"({"id":"m1","computerDnsName":"pc1","machineTags":["VIP","lab"],"riskScore":"HIGH","score":0.25,)"
    R"("extra":{"a":[1,null]},"counts":{"x":1,"y":2},"age":"1h30m"})";

Program program_of(Assembler& a) {
  auto program = Program::load(a.module);
  EXPECT_TRUE(program) << program.error().message;
  return std::move(*program);
}

std::string told(const Program& program, const Step& step) {
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

struct Story {
  std::vector<std::string> steps;
  std::vector<std::string> snapshots;  // at each suspension
  std::uint64_t fuel_used = 0;
};

// Answers each call with kMachineJson. When `is_frozen`, each suspension is survived as a snapshot only.
Story run(const Program& program, bool is_frozen, Limits limits = {}) {
  Machine machine(program, 0, limits);
  Story story;
  Step step = machine.start(kEvent);
  for (; !std::holds_alternative<Ended>(step) && story.steps.size() < 1000;) {
    story.steps.push_back(told(program, step));
    EXPECT_EQ(told(program, machine.pending()), story.steps.back());
    story.snapshots.push_back(machine.snapshot(7));
    if (is_frozen) {
      auto restored = Machine::restore(program, 0, limits, story.snapshots.back(), 7);
      EXPECT_TRUE(restored) << restored.error().message;
      if (!restored) return story;
      machine = std::move(*restored);
      EXPECT_EQ(told(program, machine.pending()), story.steps.back());
      EXPECT_TRUE(machine.snapshot(7) == story.snapshots.back());
    }
    step = machine.resume(Returned{std::holds_alternative<Call>(step) ? kMachineJson : "null"});
  }
  story.steps.push_back(told(program, step));
  story.fuel_used = machine.fuel_used();
  return story;
}

Story same_frozen_or_not(Assembler& a, Limits limits = {}) {
  const Program program = program_of(a);
  Story story = run(program, false, limits);
  const Story frozen = run(program, true, limits);
  EXPECT_EQ(frozen.steps, story.steps);
  EXPECT_EQ(frozen.fuel_used, story.fuel_used);
  EXPECT_TRUE(frozen.snapshots == story.snapshots);
  return story;
}

// A run that has read its event and a machine, holds values of every kind, and waits for a log line.
Assembler with_all_kinds() {
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

TEST(Snapshot, ValuesOfEveryKindComeBack) {
  Assembler a = with_all_kinds();
  const Story story = same_frozen_or_not(a);
  EXPECT_THAT(story.steps[1], HasSubstr("ab"));
  EXPECT_THAT(story.steps.back(), "1");
  EXPECT_THAT(story.steps[story.steps.size() - 2], HasSubstr("\"counts\":{\"x\":1,\"y\":2}"));
  for (const std::string& snapshot : story.snapshots) EXPECT_LT(snapshot.size(), 512u);
}

TEST(Snapshot, WaitingRunIsSmall) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true).emit(Op::Finish);
  const Story story = same_frozen_or_not(a);
  EXPECT_LT(story.snapshots[0].size(), 64u);
}

TEST(Snapshot, FunctionsUnderWayGoOn) {
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
  const Story story = same_frozen_or_not(a);
  ASSERT_EQ(story.steps.size(), 7u);
  EXPECT_THAT(story.steps[4], testing::StartsWith("4 1 "));
  EXPECT_THAT(story.steps[5], testing::StartsWith("5 15 "));
}

TEST(Snapshot, HandledFaultIsRaisedAgain) {
  Assembler a;
  a.load_text(4, "went wrong");
  const auto begin = a.here();
  a.emit(Op::Fail, 4);
  const auto handler = a.here();
  a.emit(Op::Log, 5).emit(Op::Raise);
  a.flow().handlers = {{.begin = begin, .end = handler, .target = handler, .register_ = 5}};
  const Story story = same_frozen_or_not(a);
  EXPECT_THAT(story.steps, ElementsAre(HasSubstr("went wrong"), "3went wrong isolate:3"));
}

// A list and a text grow from log line to log line, between much rubbish: the counters of a frozen run's heap
// are those of one that was never frozen, or it would collect at other times and pay other fuel.
Assembler growing() {
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

TEST(Snapshot, FrozenRunMeetsItsLimitsAtTheSameStep) {
  std::size_t ended_early = 0;
  for (const std::size_t heap : {20'000u, 50'000u, 80'000u, 200'000u, 1u << 22})
    for (const std::uint64_t fuel : {5'000u, 30'000u, 1u << 30}) {
      Assembler a = growing();
      const Story story = same_frozen_or_not(a, {.fuel = fuel, .heap_bytes = heap});
      ended_early += story.steps.size() < 62;
    }
  EXPECT_GT(ended_early, 3u);
  EXPECT_LT(ended_early, 15u);
}

// --- what is refused ---

// A snapshot whose check is right again after its bytes were changed.
std::string with_check(std::string bytes) {
  const std::uint64_t check =
      XXH3_64bits(bytes.data() + kSnapshotPayloadAt, bytes.size() - kSnapshotPayloadAt);
  for (unsigned i = 0; i < 8; ++i) bytes[kSnapshotCheckAt + i] = static_cast<char>(check >> (8 * i));
  return bytes;
}

std::string problem(const Program& program, std::string_view bytes, Limits limits = {}, std::uint64_t key = 7,
                    std::uint32_t flow = 0) {
  const auto restored = Machine::restore(program, flow, limits, bytes, key);
  return restored ? "" : restored.error().message;
}

TEST(Snapshot, OtherBytesAreRefused) {
  Assembler a = with_all_kinds();
  const Program program = program_of(a);
  const std::string bytes = run(program, false).snapshots[3];
  EXPECT_EQ(problem(program, bytes), "");
  EXPECT_EQ(problem(program, ""), "these bytes are no snapshot of a run");
  EXPECT_EQ(problem(program, "FLOWC\r\n\x1a and so on"), "these bytes are no snapshot of a run");
  std::string later = bytes;
  later[8] = 2;
  EXPECT_EQ(problem(program, later), "the snapshot has version 2; this build reads 1 to 1");
  EXPECT_EQ(problem(program, bytes, {}, 8), "the snapshot belongs to another module");
  EXPECT_EQ(problem(program, bytes, {}, 7, 1), "the module has no flow 1");
  EXPECT_THAT(problem(program, bytes, {.fuel = 10}), HasSubstr("of fuel, and its limit is 10"));
  EXPECT_THAT(problem(program, bytes, {.heap_bytes = 100}), HasSubstr("bytes of heap, and its limit is 100"));
}

TEST(Snapshot, DamageIsFound) {
  Assembler a = with_all_kinds();
  const Program program = program_of(a);
  const std::string bytes = run(program, false).snapshots[3];
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_NE(problem(program, bytes.substr(0, i)), "");
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    EXPECT_NE(problem(program, damaged), "") << "byte " << i;
  }
}

// The flow that was deployed meanwhile keeps something else in the same register.
TEST(Snapshot, ValuesOfAnotherTypeAreRefused) {
  const auto make = [](auto load) {
    Assembler a;
    load(a);
    a.load_text(5, "waiting").emit(Op::Log, 5).show(4).emit(Op::Finish);
    return a;
  };
  Assembler number = make([](Assembler& a) { a.load_int(4, 3); });
  const std::string bytes = run(program_of(number), false).snapshots[0];
  for (auto load : std::vector<void (*)(Assembler&)>{
           [](Assembler& a) { a.load_text(4, "t"); }, [](Assembler& a) { a.load_int(4, 3, kTimeType); },
           [](Assembler& a) { a.load_severity(4, 1); }, [](Assembler& a) { a.load_float(4, 1); },
           [](Assembler& a) { a.emit(Op::LoadBool, 4, 1); }, [](Assembler& a) { a.emit(Op::LoadNull, 4); }}) {
    Assembler other = make(load);
    EXPECT_THAT(problem(program_of(other), bytes),
                HasSubstr("the snapshot is malformed: register 4 of `isolate` is"));
  }
}

TEST(Snapshot, EveryChangedByteIsRefusedOrHarmless) {
  Assembler a = with_all_kinds();
  const Program program = program_of(a);
  for (const std::string& bytes : run(program, false).snapshots) {
    for (std::size_t i = kSnapshotPayloadAt + 8; i < bytes.size(); ++i) {
      for (const unsigned change : {0x01u, 0x10u, 0x82u}) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ static_cast<char>(change));
        auto restored = Machine::restore(program, 0, {.fuel = 100'000}, with_check(changed), 7);
        if (!restored) continue;
        Step step = restored->pending();
        for (int steps = 0; !std::holds_alternative<Ended>(step) && steps < 60; ++steps)
          step = restored->resume(Returned{std::holds_alternative<Call>(step) ? kMachineJson : "null"});
      }
    }
  }
}

}  // namespace
}  // namespace flow::test
