// Branches: Each, Parallel and Race.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "tests/unit/vm/assembler.hpp"
#include "tests/unit/vm/branching_flows.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::string told(const Step& step) {
  if (const auto* call = std::get_if<Call>(&step))
    return "call " + std::to_string(call->number) + " " + call->arguments;
  if (const auto* log = std::get_if<LogLine>(&step)) return log->text;
  const Ended& ended = std::get<Ended>(step);
  if (ended.how != Ended::How::Failed)
    return ended.how == Ended::How::Stopped ? "stopped: " + ended.reason : "ended";
  return std::string(fault_name(ended.fault.kind)) + ": " + ended.fault.message;
}

Program load(const Assembler& a) {
  auto program = Program::load(a.world.module);
  EXPECT_TRUE(program) << (program ? "" : program.error().message);
  return std::move(*program);
}

// A function that isolates the machine it is given and gives the action's ID.
std::uint32_t isolating(Assembler& a) {
  const auto function = a.begin_function("cut", {kMachineIdType, kIntType, kStringType}, kActionIdType);
  a.module.functions[function].call_sites = {{.operation = kIsolate, .first_argument = 10}};
  a.emit(Op::Move, 10, 0).emit(Op::Move, 11, 2).imm(Op::Call, 12, 0).emit(Op::GetField, 13, 12, 0);
  a.emit(Op::Return, 13);
  a.end_function();
  return function;
}

// Isolates `machines`, `at_once` at a time, and stops with the IDs of the actions.
Program each(std::vector<std::string> machines, std::int64_t at_once) {
  Assembler a;
  const TypeId ids = a.module.types.list(kMachineIdType);
  a.module.types.list(kActionIdType);
  const auto cut = isolating(a);
  for (std::size_t k = 0; k < machines.size(); ++k)
    a.load_text(static_cast<unsigned>(20 + k), machines[k], kMachineIdType);
  a.emit(Op::NewList, 10, 20, static_cast<unsigned>(machines.size()), ids).load_int(11, at_once);
  a.load_text(12, "why").emit(Op::Each, 8, 10, 0, cut);
  a.load_int(20, 0).emit(Op::NewList, 25, 25, 0, a.world.strings);
  // Their texts, joined.
  a.emit(Op::Move, 30, 8).load_int(31, 0);
  const auto into = a.jump(Op::Jump);
  const auto top = a.here();
  a.emit(Op::ToText, 33, 32).emit(Op::Append, 25, 33).land(into);
  a.aim(a.jump(Op::NextItem, 30), top).load_text(26, ",").emit(Op::JoinTexts, 27, 25, 26).emit(Op::Stop, 27);
  return load(a);
}

std::string isolation(const std::string& machine) {
  return R"({"machine":")" + machine + R"(","comment":"why"})";
}
Outcome action(const std::string& id) {
  return Returned{R"({"id":")" + id + R"("})"};
}

TEST(Each, HandsOutAsManyCallsAsItMay) {
  const Program program = each({"a", "b", "c"}, 2);
  Machine machine(program, 0);
  EXPECT_EQ(told(machine.start(kEvent)), "call 0 " + isolation("a"));
  EXPECT_EQ(told(*machine.next()), "call 1 " + isolation("b"));
  EXPECT_EQ(machine.next(), std::nullopt) << "two at once";
  EXPECT_EQ(told(*machine.answer_call(1, action("B"))), "call 2 " + isolation("c"));
  EXPECT_EQ(machine.next(), std::nullopt);
  EXPECT_EQ(machine.answer_call(2, action("C")), std::nullopt);
  EXPECT_EQ(told(*machine.answer_call(0, action("A"))), "stopped: A,B,C") << "in the order of the list";
}

// What a branch built in a growth buffer is copied when its parent adds to it, whether the run was frozen
// in between or not: both use as much of the heap.
TEST(Each, NothingGrowsInPlaceAcrossAPlaceWhereAllWait) {
  Assembler a;
  a.module.types.list(kStringType);
  const auto join = a.begin_function("join", {kMachineIdType, kIntType, kStringType}, kStringType);
  a.module.functions[join].call_sites = {{.operation = kIsolate, .first_argument = 10}};
  a.emit(Op::Move, 10, 0).emit(Op::Move, 11, 2).imm(Op::Call, 12, 0);
  a.emit(Op::Move, 13, 2).emit(Op::ToText, 14, 0).emit(Op::Concat, 15, 13, 2).emit(Op::Return, 15);
  a.end_function();
  a.load_text(20, "a", kMachineIdType).load_text(21, "b", kMachineIdType);
  a.emit(Op::NewList, 10, 20, 2, a.module.types.list(kMachineIdType)).load_int(11, 0);
  a.load_text(12, std::string(300, 'w')).emit(Op::Each, 8, 10, 0, join);
  a.load_int(22, 0).emit(Op::GetItem, 23, 8, 22).load_text(24, "!").emit(Op::Concat, 25, 23, 2);
  a.emit(Op::Log, 25).emit(Op::Finish);
  const auto program = Program::load(a.world.module);
  ASSERT_TRUE(program) << program.error().message;
  std::vector<std::string> last;
  for (const bool is_frozen : {false, true}) {
    Machine machine(*program, 0);
    machine.start(kEvent);
    machine.next();
    EXPECT_EQ(machine.answer_call(0, action("A")), std::nullopt);
    const std::string bytes = machine.snapshot();
    if (is_frozen) machine = std::move(*Machine::restore(*program, 0, {}, bytes));
    EXPECT_EQ(told(*machine.answer_call(1, action("B"))), std::string(300, 'w') + "a!");
    last.push_back(machine.snapshot());
  }
  EXPECT_TRUE(last[0] == last[1]);
}

TEST(Each, OneAnswerAfterTheOtherWorksToo) {
  const Program program = each({"a", "b", "c"}, 0);
  Machine machine(program, 0);
  std::vector<std::string> story;
  Step step = machine.start(kEvent);
  for (; !std::holds_alternative<Ended>(step); step = machine.resume(action("x")))
    story.push_back(told(step));
  EXPECT_THAT(
      story, ElementsAre("call 0 " + isolation("a"), "call 1 " + isolation("b"), "call 2 " + isolation("c")));
  EXPECT_EQ(told(step), "stopped: x,x,x");
}

TEST(Each, OfNothingDoesNotWait) {
  const Program program = each({}, 3);
  EXPECT_EQ(told(Machine(program, 0).start(kEvent)), "stopped: ");
}

TEST(Each, AFaultEndsTheOthersAndIsRaisedWhereTheyBegan) {
  const Program program = each({"a", "b", "c"}, 2);
  Machine machine(program, 0);
  machine.start(kEvent);
  machine.next();
  const auto step = machine.answer_call(1, Fault{.kind = FaultKind::NotFound, .message = "no b"});
  EXPECT_EQ(told(*step), "NotFound: no b");
  const auto& trace = std::get<Ended>(*step).trace;
  ASSERT_EQ(trace.size(), 2u);
  EXPECT_EQ(trace[0].routine, "cut");
  EXPECT_EQ(trace[1].routine, "isolate");
  EXPECT_THAT(machine.take_cancelled(), ElementsAre(0u));
  EXPECT_THAT(machine.take_cancelled(), IsEmpty());
  EXPECT_EQ(told(machine.start(kEvent)), "call 0 " + isolation("a")) << "a new run begins alone";
}

TEST(Each, MayBeHandledByWhoBeganIt) {
  Assembler a;
  a.module.types.list(kActionIdType);
  const auto cut = isolating(a);
  a.load_text(20, "a", kMachineIdType).load_text(21, "b", kMachineIdType);
  a.emit(Op::NewList, 10, 20, 2, a.module.types.list(kMachineIdType)).load_int(11, 0).load_text(12, "why");
  const auto begin = a.here();
  a.emit(Op::Each, 8, 10, 0, cut).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Stop, 30);
  a.flow().handlers = {{.begin = begin, .end = handler, .target = handler, .register_ = 30}};
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program) << program.error().message;
  Machine machine(*program, 0);
  machine.start(kEvent);
  EXPECT_EQ(told(*machine.answer_call(0, Fault{.kind = FaultKind::Conflict, .message = "busy"})),
            "stopped: busy");
}

TEST(Parallel, EndsWhenAllHaveEnded) {
  const Program program = load(at_once(Op::Parallel));
  Machine machine(program, 0);
  EXPECT_EQ(told(machine.start(kEvent)), "m");
  EXPECT_EQ(told(*machine.next()), "call 0 " + isolation("m"));
  EXPECT_EQ(machine.answer_call(0, action("A")), std::nullopt);
  EXPECT_EQ(told(*machine.answer_log(0)), "(unknown)");
  EXPECT_EQ(told(machine.resume(Returned{"null"})), "ended");
}

TEST(Race, TheFirstThatEndsEndsTheOthers) {
  const Program program = load(at_once(Op::Race));
  Machine machine(program, 0);
  machine.start(kEvent);
  machine.next();
  EXPECT_EQ(told(*machine.answer_log(0)), "0") << "the position of the winner";
  EXPECT_THAT(machine.take_cancelled(), ElementsAre(0u));
}

TEST(Race, AnswersThatComeTooLateChangeNothing) {
  const Program program = load(at_once(Op::Race));
  Machine machine(program, 0);
  machine.start(kEvent);
  machine.next();
  EXPECT_EQ(told(*machine.answer_call(0, action("A"))), "1");
  EXPECT_EQ(machine.answer_log(0), std::nullopt) << "its branch was ended";
  EXPECT_EQ(told(*machine.answer_log(1)), "ended");
  EXPECT_EQ(machine.answer_call(0, action("A")), std::nullopt);
}

TEST(Parallel, GoesOnAfterItWasFrozen) {
  const Program program = load(at_once(Op::Parallel));
  Machine machine(program, 0);
  machine.start(kEvent);
  const std::string bytes = machine.snapshot(1);
  EXPECT_EQ(told(machine.resume(Returned{"null"})), "call 0 " + isolation("m"));
  auto restored = Machine::restore(program, 0, {}, bytes, 1);
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(told(restored->resume(Returned{"null"})), "call 0 " + isolation("m"));
}

// Frozen at random and answered in random order: the frozen run does what the other does.
std::vector<std::string> random_story(const Program& program, std::uint32_t seed, bool is_frozen) {
  constexpr Limits kSmall{.heap_bytes = 16u << 10};
  std::mt19937 random(seed);
  Machine machine(program, 0, kSmall);
  std::vector<std::string> story;
  std::map<std::uint32_t, bool> waiting;
  std::optional<Step> step = machine.start(kEvent);
  for (int turns = 0; turns < 1000; ++turns) {
    if (step) {
      story.push_back(told(*step));
      if (std::holds_alternative<Ended>(*step)) break;
      waiting[std::get<LogLine>(*step).number] = true;
    }
    if (is_frozen) {
      const std::string bytes = machine.snapshot(7);
      auto restored = Machine::restore(program, 0, kSmall, bytes, 7);
      EXPECT_TRUE(restored) << restored.error().message;
      if (!restored) break;
      machine = std::move(*restored);
      EXPECT_EQ(machine.pending().size(), waiting.size());
    }
    if (random() % 2 == 0 && (step = machine.next())) continue;
    auto chosen = std::next(waiting.begin(), static_cast<std::ptrdiff_t>(random() % waiting.size()));
    const std::uint32_t number = chosen->first;
    waiting.erase(chosen);
    step = machine.answer_log(number);
    if (!step && waiting.empty()) step = machine.next();
  }
  story.push_back(std::to_string(machine.fuel_used()));
  return story;
}

TEST(Fibers, FrozenRunsGoOnAsOthersDo) {
  const Program program = load(nested());
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    const auto story = random_story(program, seed, false);
    EXPECT_EQ(story[story.size() - 2], "ended");
    EXPECT_EQ(random_story(program, seed, true), story) << seed;
  }
}

TEST(Fibers, ThereAreOnlySoMany) {
  Assembler a;
  const auto endless = a.begin_function("endless", {kIntType, kIntType}, kIntType);
  a.load_int(4, 0).load_int(5, 200).emit(Op::Range, 6, 4, 5).load_int(7, 0);
  a.imm(Op::Each, 8, 0);
  a.code().back().b = 6;
  a.load_int(9, 1).emit(Op::Return, 9);
  a.end_function();
  a.load_int(4, 0).load_int(5, 200).emit(Op::Range, 6, 4, 5).load_int(7, 0).emit(Op::Each, 8, 6, 0, endless);
  a.emit(Op::Finish);
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(told(Machine(*program, 0).start(kEvent)), "OutOfStack: the run has too many branches at once");
}

std::string refusal(Assembler& a) {
  a.emit(Op::Finish);
  const auto program = Program::load(a.module);
  return program ? "" : program.error().message;
}

TEST(Fibers, TheVerifierKnowsWhatBranchesTake) {
  using ::testing::HasSubstr;
  {
    Assembler a;
    const auto f = a.begin_function("f", {kStringType}, kIntType);
    a.load_int(1, 1).emit(Op::Return, 1);
    a.end_function();
    a.emit(Op::NewList, 10, 10, 0, a.world.ints).load_int(11, 1).emit(Op::Each, 8, 10, 0, f);
    EXPECT_THAT(refusal(a), HasSubstr("function `f` does not take an item and its position"));
  }
  {
    Assembler a;
    const auto f = a.begin_function("f", {kStringType}, kIntType);
    a.load_int(1, 1).emit(Op::Return, 1);
    a.end_function();
    a.load_int(10, 1).emit(Op::Parallel, 8, 10, 1, f);
    EXPECT_THAT(refusal(a), HasSubstr("r10 is `Int` where `String` is needed"));
    a.code().clear();
    a.load_text(10, "x").emit(Op::Race, 8, 10, 2, f);
    EXPECT_THAT(refusal(a), HasSubstr("there is no function 1"));
    a.code().clear();
    a.load_text(10, "x").emit(Op::Race, 8, 10, 0, f);
    EXPECT_THAT(refusal(a), HasSubstr("there is nothing to do at once"));
    a.code().clear();
    a.emit(Op::EndBranch);
    EXPECT_THAT(refusal(a), HasSubstr("no such instruction"));
  }
  {
    Assembler a;  // what a branch may call stands in the manifest
    const auto cut = isolating(a);
    a.module.types.list(kActionIdType);
    std::erase_if(a.flow().manifest.calls, [](const ManifestCall& c) { return c.operation == kIsolate; });
    a.emit(Op::NewList, 10, 10, 0, a.module.types.list(kMachineIdType)).load_int(11, 1).load_text(12, "w");
    a.emit(Op::Each, 8, 10, 0, cut);
    EXPECT_THAT(refusal(a), HasSubstr("the manifest keeps defender.isolate secret"));
  }
}

}  // namespace
}  // namespace flow::test
