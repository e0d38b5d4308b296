#include "vm/interp/snapshot.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/unit/vm/waiting_flows.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Program program_of(Assembler& a) {
  auto program = Program::load(a.world.module);
  EXPECT_TRUE(program) << program.error().message;
  return std::move(*program);
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
    EXPECT_EQ(told(program, machine.pending().front()), story.steps.back());
    story.snapshots.push_back(machine.snapshot(7));
    if (is_frozen) {
      auto restored = Machine::restore(program, 0, limits, story.snapshots.back(), 7);
      EXPECT_TRUE(restored) << restored.error().message;
      if (!restored) return story;
      machine = std::move(*restored);
      EXPECT_EQ(told(program, machine.pending().front()), story.steps.back());
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
  Assembler a = in_functions();
  const Story story = same_frozen_or_not(a);
  ASSERT_EQ(story.steps.size(), 7u);
  EXPECT_THAT(story.steps[4], testing::StartsWith("4 1 "));
  EXPECT_THAT(story.steps[5], testing::StartsWith("5 15 "));
}

TEST(Snapshot, HandledFaultIsRaisedAgain) {
  Assembler a = in_handler();
  const Story story = same_frozen_or_not(a);
  EXPECT_THAT(story.steps, ElementsAre(HasSubstr("went wrong"), "3went wrong isolate:3"));
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

// A large buffer grows where it stands, and through collections; a frozen run's heap lies elsewhere, and
// counts the same.
TEST(Snapshot, LargeListGrowsOnAsItDid) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 4).emit(Op::NewList, 7, 4, 0, a.world.ints).emit(Op::Move, 9, 7);
  const auto outer = a.here();
  a.load_int(20, 0).load_int(21, 100'000);
  const auto inner = a.here();
  a.emit(Op::Append, 7, 20).emit(Op::ToText, 11, 20);
  a.aim(a.jump(Op::NextInRange, 20), inner);
  a.emit(Op::ToText, 6, 4).emit(Op::Log, 6).emit(Op::Append, 9, 4);
  a.aim(a.jump(Op::NextInRange, 4), outer);
  a.emit(Op::ListLength, 13, 7).show(13).emit(Op::ListLength, 13, 9).show(13).emit(Op::Finish);
  // The texts between are garbage at once: no growth of the list may lead to collections one after the other.
  // Near its limit a run collects all the time, until its fuel is used up.
  for (const std::size_t heap : {6u << 20, 9u << 20}) same_frozen_or_not(a, {.heap_bytes = heap});
  const Story story = same_frozen_or_not(a, {.heap_bytes = 64u << 20});
  ASSERT_EQ(story.steps.size(), 7u) << story.steps.back();
  EXPECT_THAT(story.steps[4], HasSubstr("400000"));
}

// Answers that are dropped again fill the heap past its first threshold, in the middle of one of them.
TEST(Snapshot, AnswersPassTheThresholdOfTheHeap) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).load_int(4, 0).load_int(5, 60);
  const auto again = a.here();
  a.call(kMachine, kGetMachine, 10, true);
  a.aim(a.jump(Op::NextInRange, 4), again);
  a.emit(Op::Unwrap, 11, kMachine).emit(Op::GetField, 12, 11, 2).emit(Op::ListLength, 13, 12).show(13);
  a.emit(Op::Finish);
  const Program program = program_of(a);
  std::string answer = R"({"id":"m1","machineTags":[")" + std::string(100'000, 't');
  for (int i = 0; i < 999; ++i) answer += "\",\"t";
  answer += "\"]}";
  for (const bool is_frozen : {false, true}) {
    Machine machine(program, 0, {.heap_bytes = 6u << 20});
    Step step = machine.start(kEvent);
    while (std::holds_alternative<Call>(step)) {
      if (is_frozen)
        machine = std::move(*Machine::restore(program, 0, {.heap_bytes = 6u << 20}, machine.snapshot()));
      step = machine.resume(Returned{answer});
    }
    EXPECT_EQ(told(program, step), "0 1000 @3");
  }
}

TEST(Snapshot, EventMayBeLargerThanTheFirstThreshold) {
  Assembler a;
  a.emit(Op::Unwrap, 4, kAlert).emit(Op::GetField, 5, 4, 2).emit(Op::ToText, 6, 5).emit(Op::Log, 6);
  a.emit(Op::Finish);
  const Program program = program_of(a);
  const std::string event =
      R"({"id":"da1","severity":"High","alertCreationTime":"2026-11-20T08:14:22Z","title":")" +
      std::string(5u << 20, 't') + "\"}";
  for (const std::size_t limit : {4u << 20, 8u << 20}) {
    Machine machine(program, 0, {.heap_bytes = limit});
    EXPECT_EQ(std::holds_alternative<LogLine>(machine.start(event)), limit > event.size());
  }
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
        Step step = restored->pending().front();
        for (int steps = 0; !std::holds_alternative<Ended>(step) && steps < 60; ++steps)
          step = restored->resume(Returned{std::holds_alternative<Call>(step) ? kMachineJson : "null"});
      }
    }
  }
}

}  // namespace
}  // namespace flow::test
