// Instructions on lists and maps, and the loops over them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/running.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr unsigned kText = kRegisters - 3;  // what show_list() uses, with the two behind it

// Shows a List<Int>, List<String> or List<Float> as `[1 2 3]`: loops, so that its items go through NextItem.
Assembler& show_list(Assembler& a, unsigned reg) {
  a.load_text(kText, "[").emit(Op::Move, 30, reg).load_int(31, 0);
  const auto jump = a.jump(Op::Jump);
  const auto body = a.here();
  a.emit(Op::ToText, kText + 1, 32).emit(Op::Concat, kText, kText, 2).load_text(kText + 1, " ");
  a.emit(Op::Concat, kText, kText, 2);
  a.land(jump).aim(a.jump(Op::NextItem, 30), body);
  return a.load_text(kText + 1, "]").emit(Op::Concat, kText, kText, 2).emit(Op::Log, kText);
}
Assembler& load_ints(Assembler& a, unsigned reg, std::vector<std::int64_t> items) {
  a.emit(Op::NewList, reg, 20, 0, a.world.ints);
  for (const std::int64_t item : items) a.load_int(20, item).emit(Op::Append, reg, 20);
  return a;
}
Assembler& load_texts(Assembler& a, unsigned reg, std::vector<std::string> items) {
  a.emit(Op::NewList, reg, 20, 0, a.world.strings);
  for (std::string& item : items) a.load_text(20, std::move(item)).emit(Op::Append, reg, 20);
  return a;
}
std::string first_step(Assembler& a, Limits limits = {}) {
  a.emit(Op::Finish);
  return run(a.module, {}, kEvent, limits).front();
}

TEST(Lists, GrowWithoutTouchingWhatTheyGrewFrom) {
  Assembler a;
  load_ints(a, 4, {1, 2, 3}).emit(Op::Move, 5, 4).load_int(20, 8).emit(Op::Append, 4, 20);
  a.load_int(20, 9).emit(Op::Append, 5, 20);
  show_list(show_list(a, 4), 5).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("[1 2 3 8 ]", "[1 2 3 9 ]", "finished"));
}

TEST(Lists, JoinReverseAndRange) {
  Assembler a;
  a.load_int(10, -2).load_int(11, 2).emit(Op::Range, 4, 10, 11).emit(Op::Range, 5, 11, 10);
  a.emit(Op::JoinLists, 6, 4, 4).emit(Op::Reverse, 7, 4).emit(Op::JoinLists, 8, 5, 4);
  for (const unsigned reg : {4u, 5u, 6u, 7u, 8u}) show_list(a, reg);
  a.emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("[-2 -1 0 1 ]", "[]", "[-2 -1 0 1 -2 -1 0 1 ]", "[1 0 -1 -2 ]",
                                         "[-2 -1 0 1 ]", "finished"));
}

TEST(Lists, SliceIsCutToWhatThereIs) {
  const auto slice = [](std::int64_t from, std::int64_t to) {
    Assembler a;
    load_ints(a, 4, {1, 2, 3, 4}).load_int(10, from).load_int(11, to).emit(Op::Slice, 5, 4, 10);
    return first_step(show_list(a, 5));
  };
  EXPECT_EQ(slice(1, 3), "[2 3 ]");
  EXPECT_EQ(slice(-7, 2), "[1 2 ]");
  EXPECT_EQ(slice(2, 99), "[3 4 ]");
  EXPECT_EQ(slice(3, 1), "[]");
  EXPECT_EQ(slice(99, 100), "[]");
  EXPECT_EQ(slice(INT64_MIN, INT64_MAX), "[1 2 3 4 ]");
}

TEST(Lists, SortByKeepsTheOrderOfEqualOnes) {
  Assembler a;
  load_texts(a, 4, {"b", "a", "c", "d"});
  load_ints(a, 5, {2, 1, 2, 1}).emit(Op::SortBy, 6, 4, 5).emit(Op::SortBy, 7, 5, 5);
  load_texts(a, 8, {"é", "z", "", "a"}).emit(Op::SortBy, 9, 8, 8);
  show_list(show_list(show_list(a, 6), 7), 9).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("[a d b c ]", "[1 1 2 2 ]", "[ a z é ]", "finished"));
}

TEST(Lists, SortByItselfKeepsWhatCanBeToldApart) {
  Assembler a;
  a.load_float(10, 0.0).load_float(11, -0.0).load_float(12, -1).emit(Op::NewList, 4, 10, 3, a.world.floats);
  a.emit(Op::SortBy, 5, 4, 4);
  EXPECT_EQ(first_step(show_list(a, 5)), "[-1 0 -0 ]");
}

TEST(Lists, SortByWantsAKeyForEach) {
  Assembler a;
  load_ints(a, 4, {1, 2});
  load_ints(a, 5, {1}).emit(Op::SortBy, 6, 4, 5);
  EXPECT_EQ(first_step(a), "InvalidValue: there are not as many keys as items");
}

TEST(Lists, DistinctKeepsTheFirst) {
  Assembler a;
  load_ints(a, 4, {3, 1, 3, 2, 1}).emit(Op::Distinct, 5, 4);
  load_texts(a, 6, {"x", "", "x", "y", ""}).emit(Op::Distinct, 7, 6);
  a.load_float(10, 0.0).load_float(11, -0.0).load_float(12, 2).emit(Op::NewList, 8, 10, 3, a.world.floats);
  a.emit(Op::Distinct, 9, 8);
  show_list(show_list(show_list(a, 5), 7), 9).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("[3 1 2 ]", "[x  y ]", "[0 2 ]", "finished"));
}

// It once compared each Float with each, long after the fuel was gone.
TEST(Lists, DistinctOfManyFloatsTakesLittleFuel) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 20'000).emit(Op::NewList, 6, 20, 0, a.world.floats);
  const auto top = a.here();
  a.emit(Op::IntToFloat, 20, 4).emit(Op::Append, 6, 20);
  a.aim(a.jump(Op::NextInRange, 4), top).emit(Op::Distinct, 7, 6).emit(Op::ListLength, 8, 7).show(8);
  EXPECT_EQ(first_step(a, {.fuel = 300'000}), "20000");
}

TEST(Lists, GroupByKeepsTheOrderOfItemsAndKeys) {
  Assembler a;
  const TypeId by_number = a.module.types.map(kIntType, a.world.ints);
  a.module.types.optional(a.world.ints);
  load_ints(load_ints(a, 4, {10, 11, 12, 13, 14}), 5, {7, 3, 7, 3, 7}).emit(Op::GroupBy, 6, 4, 5, by_number);
  a.emit(Op::Keys, 7, 6, 0, a.world.ints);
  for (const int key : {7, 3}) {
    a.load_int(8, key).emit(Op::GetKey, 9, 6, 8).emit(Op::Unwrap, 10 + static_cast<unsigned>(key), 9);
  }
  show_list(show_list(show_list(a, 7), 17), 13).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("[7 3 ]", "[10 12 14 ]", "[11 13 ]", "finished"));
}

TEST(Lists, GroupByWantsAKeyForEachItem) {
  Assembler a, other;
  const TypeId by_number = a.module.types.map(kIntType, a.world.ints);
  load_ints(load_ints(a, 4, {1, 2}), 5, {1}).emit(Op::GroupBy, 6, 4, 5, by_number);
  EXPECT_EQ(first_step(a), "InvalidValue: there are not as many keys as items");
  load_ints(load_ints(other, 4, {1, 2}), 5, {1, 2}).emit(Op::GroupBy, 6, 4, 5, other.world.ints);
  EXPECT_THAT(first_step(other), HasSubstr("is no map of"));
}

TEST(Lists, JoinTexts) {
  Assembler a;
  load_texts(a, 4, {"a", "", "c"}).load_text(10, ", ").emit(Op::JoinTexts, 5, 4, 10).emit(Op::Log, 5);
  load_texts(a, 6, {}).emit(Op::JoinTexts, 7, 6, 10).emit(Op::Log, 7).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("a, , c", "", "finished"));
}

TEST(Loops, NextItemLeavesAListThatGrowsAlone) {
  Assembler a;
  load_ints(a, 4, {1, 2}).emit(Op::Move, 10, 4).load_int(11, 0);
  const auto jump = a.jump(Op::Jump);
  const auto body = a.here();
  a.emit(Op::Append, 4, 12);
  a.land(jump).aim(a.jump(Op::NextItem, 10), body);
  EXPECT_EQ(first_step(show_list(a, 4)), "[1 2 1 2 ]");
}

TEST(Loops, NextItemWantsAnIndexWithin) {
  for (const std::int64_t index : {-1, 2, 3}) {
    Assembler a;
    load_ints(a, 4, {1, 2}).emit(Op::Move, 10, 4).load_int(11, index);
    const auto jump = a.jump(Op::NextItem, 10);
    a.load_text(5, "none").emit(Op::Log, 5).emit(Op::Finish).land(jump).show(12).emit(Op::Finish);
    EXPECT_EQ(run(a.module).front(), "none") << index;
  }
}

TEST(Loops, NextInRangeEndsBeforeItsEnd) {
  const auto rounds = [](std::int64_t from, std::int64_t to) {
    Assembler a;
    a.load_int(4, from).load_int(5, to).load_int(6, 0);
    const auto jump = a.jump(Op::Jump);
    const auto body = a.here();
    a.emit(Op::AddIntImm, 6, 6, 0, 1);
    a.land(jump).aim(a.jump(Op::NextInRange, 4), body).show(6);
    return first_step(a, {.fuel = 1000});
  };
  EXPECT_EQ(rounds(-1, 3), "3");
  EXPECT_EQ(rounds(3, 3), "0");
  EXPECT_EQ(rounds(INT64_MAX - 2, INT64_MAX), "1");
  EXPECT_EQ(rounds(INT64_MAX, INT64_MAX), "0") << "the next one does not overflow";
}

// --- maps ---

struct MapTypes {
  TypeId by_text, by_number, by_severity;
};
MapTypes add_maps(Assembler& a) {
  TypeTable& types = a.module.types;
  return {.by_text = types.map(kIntType),
          .by_number = types.map(kIntType, kStringType),
          .by_severity = types.map(a.world.severity, kIntType)};
}
Assembler& set(Assembler& a, unsigned map, std::string key, std::int64_t value) {
  return a.load_text(20, std::move(key)).load_int(21, value).emit(Op::SetKey, map, 20, 21);
}

TEST(Maps, SetFindAndCount) {
  Assembler a;
  const MapTypes types = add_maps(a);
  a.imm(Op::NewMap, 4, types.by_text);
  set(set(set(a, 4, "a", 1), 4, "b", 2), 4, "a", 3);
  a.load_text(20, "a").emit(Op::GetKey, 5, 4, 20).emit(Op::HasKey, 6, 4, 20);
  a.load_text(20, "z").emit(Op::GetKey, 7, 4, 20).emit(Op::HasKey, 8, 4, 20).emit(Op::MapLength, 9, 4);
  for (const unsigned reg : {5u, 6u, 7u, 8u, 9u}) a.show(reg);
  a.emit(Op::Keys, 10, 4, 0, a.world.strings).emit(Op::Values, 11, 4, 0, a.world.ints);
  show_list(show_list(a, 10), 11).emit(Op::Finish);
  EXPECT_THAT(run(a.module),
              ElementsAre("3", "true", "(unknown)", "false", "2", "[a b ]", "[3 2 ]", "finished"));
}

TEST(Maps, HaveKeysOfOtherTypes) {
  Assembler a;
  const MapTypes types = add_maps(a);
  a.imm(Op::NewMap, 4, types.by_number).load_int(20, -7).load_text(21, "x").emit(Op::SetKey, 4, 20, 21);
  a.emit(Op::GetKey, 5, 4, 20).emit(Op::Keys, 6, 4, 0, a.world.ints);
  a.imm(Op::NewMap, 7, types.by_severity).load_severity(20, 2).load_int(21, 5).emit(Op::SetKey, 7, 20, 21);
  a.emit(Op::GetKey, 8, 7, 20).show(5);
  show_list(a, 6).show(8).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("x", "[-7 ]", "5", "finished"));
}

// SetKey writes over what other registers see, too, unless they were announced by Share.
TEST(Maps, ShareKeepsWhatOthersSee) {
  for (const bool is_shared : {true, false}) {
    Assembler a;
    const MapTypes types = add_maps(a);
    a.imm(Op::NewMap, 4, types.by_text);
    set(a, 4, "a", 1);
    if (is_shared) a.emit(Op::Share, 4);
    a.emit(Op::Move, 5, 4);
    set(set(a, 4, "a", 2), 4, "b", 3);
    a.emit(Op::Values, 6, 4, 0, a.world.ints).emit(Op::Values, 7, 5, 0, a.world.ints);
    show_list(show_list(a, 6), 7).emit(Op::Finish);
    EXPECT_THAT(run(a.module), ElementsAre("[2 3 ]", is_shared ? "[1 ]" : "[2 ]", "finished"));
  }
}

TEST(Maps, NextEntryGoesInTheOrderOfInsertion) {
  Assembler a;
  const MapTypes types = add_maps(a);
  a.imm(Op::NewMap, 4, types.by_text);
  for (int k = 20; k > 0; --k) set(a, 4, std::to_string(k), k * k);
  a.emit(Op::Move, 10, 4).load_int(11, 17);
  const auto jump = a.jump(Op::Jump);
  const auto body = a.here();
  a.emit(Op::Log, 12).show(13);
  a.land(jump).aim(a.jump(Op::NextEntry, 10), body).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("3", "9", "2", "4", "1", "1", "finished"));
}

// --- limits ---

TEST(Limits, TextsAreExact) {
  const auto joined = [](std::size_t bytes, Limits limits) {
    Assembler a;
    a.load_text(4, std::string(bytes - 1, 'x')).load_text(5, "y").emit(Op::Concat, 6, 4, 2);
    return first_step(a, limits);
  };
  EXPECT_EQ(joined(100, {.text_bytes = 100}), "finished");
  EXPECT_EQ(joined(101, {.text_bytes = 100}), "TooLarge: a text of more than 100 is too large");
  const auto list = [](std::size_t limit) {
    Assembler a;
    load_texts(a, 4, {"abc", "def"}).load_text(10, ", ").emit(Op::JoinTexts, 5, 4, 10).emit(Op::Log, 5);
    return first_step(a, {.text_bytes = limit});
  };
  EXPECT_EQ(list(8), "abc, def");
  EXPECT_EQ(list(7), "TooLarge: a text of more than 7 is too large");
  const auto replaced = [](std::size_t limit) {
    Assembler a;
    a.load_text(4, "aa").load_text(5, "a").load_text(6, "123").native(7, 4, NativeId::replace);
    return first_step(a.emit(Op::Log, 7), {.text_bytes = limit});
  };
  EXPECT_EQ(replaced(6), "123123");
  EXPECT_EQ(replaced(5), "TooLarge: a text of more than 5 is too large");
}

TEST(Limits, ListsAreExact) {
  const auto appended = [](std::size_t limit) {
    Assembler a;
    return first_step(show_list(load_ints(a, 4, {1, 2, 3}), 4), {.list_items = limit});
  };
  EXPECT_EQ(appended(3), "[1 2 3 ]");
  EXPECT_EQ(appended(2), "TooLarge: a list of more than 2 is too large");
  const auto made = [](Op op, std::size_t limit) {
    Assembler a;
    a.load_int(10, 0).load_int(11, 3).emit(Op::NewList, 4, 10, 2, a.world.ints);
    if (op == Op::Range) a.emit(op, 5, 10, 11);
    if (op == Op::JoinLists) a.emit(op, 5, 4, 4);
    return first_step(a.emit(Op::ListLength, 6, 5).show(6), {.list_items = limit});
  };
  EXPECT_EQ(made(Op::Range, 3), "3");
  EXPECT_THAT(made(Op::Range, 2), HasSubstr("TooLarge"));
  EXPECT_EQ(made(Op::JoinLists, 4), "4");
  EXPECT_THAT(made(Op::JoinLists, 3), HasSubstr("TooLarge"));
  Assembler a;
  a.load_int(10, INT64_MIN).load_int(11, INT64_MAX).emit(Op::Range, 4, 10, 11);
  EXPECT_THAT(first_step(a), HasSubstr("TooLarge"));
}

TEST(Limits, MapsAreExact) {
  for (const std::size_t limit : {1, 2}) {
    Assembler a;
    a.imm(Op::NewMap, 4, add_maps(a).by_text);
    set(set(set(a, 4, "a", 1), 4, "b", 2), 4, "a", 3).emit(Op::MapLength, 5, 4).show(5);
    EXPECT_EQ(first_step(a, {.list_items = limit}),
              limit == 2 ? "2" : "TooLarge: a map of more than 1 is too large");
  }
}

TEST(Limits, TooLargeIsHandled) {
  Assembler a;
  a.load_int(10, 0).load_int(11, 5).emit(Op::Range, 4, 10, 11).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Log, 19).emit(Op::Finish);
  a.flow().handlers = {{.begin = 2, .end = 3, .target = handler, .register_ = 19}};
  EXPECT_THAT(run(a.module, {}, kEvent, {.list_items = 4}),
              ElementsAre("a list of more than 4 is too large", "finished"));
}

TEST(Limits, StackIsExact) {
  Assembler a;
  // Each window begins one register behind the last, and has two.
  const auto down = a.begin_function("down", {kIntType}, kIntType);
  const auto more = a.jump(Op::JumpIfNotEqualImm, 0);
  a.emit(Op::Return, 0).land(more).emit(Op::AddIntImm, 1, 0, 0, -1).imm(Op::Invoke, 1, down);
  a.emit(Op::Return, 1);
  a.module.functions[down].registers = 2;
  a.end_function();
  a.flow().registers = 6;
  a.load_int(4, 10).imm(Op::Invoke, 4, down).emit(Op::Finish);
  // The innermost of 11 begins at r14.
  const auto with_stack = [&](std::size_t registers) {
    return run(a.module, {}, kEvent, {.stack_bytes = registers * 16}).back();
  };
  EXPECT_EQ(with_stack(16), "finished");
  EXPECT_EQ(with_stack(15), "OutOfStack: functions invoke each other too deeply");
  EXPECT_EQ(with_stack(5), "OutOfStack: the flow needs more registers than its stack has");
}

TEST(Limits, ARunAtItsLimitTouchesNoOther) {
  Assembler a;
  a.load_text(4, "0123456789");
  const auto top = a.here();
  a.emit(Op::Move, 5, 4).emit(Op::Concat, 4, 4, 2).emit(Op::Log, kAlertId);
  a.aim(a.jump(Op::Jump), top);
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine poor(*program, 0, {.heap_bytes = 2000}), rich(*program, 0, {.heap_bytes = 1u << 20});
  Step of_poor = poor.start(kEvent), of_rich = rich.start(kEvent);
  int steps = 0;
  for (; !std::holds_alternative<Ended>(of_poor); ++steps) {
    of_poor = poor.resume(Returned{"null"});
    of_rich = rich.resume(Returned{"null"});
  }
  EXPECT_EQ(std::get<Ended>(of_poor).fault.kind, FaultKind::OutOfMemory);
  EXPECT_LT(steps, 12);
  for (; steps < 12; ++steps) {
    ASSERT_EQ(told(of_rich, a.module), "da1");
    of_rich = rich.resume(Returned{"null"});
  }
  EXPECT_EQ(told(poor.start(kEvent), a.module), "da1") << "and can begin anew";
}

// --- the threshold of the heap is not its limit ---

TEST(Collections, ALargeFirstValueIsNotTooLarge) {
  Assembler a;
  a.flow().inputs.clear();
  a.flow().manifest.reads.clear();
  a.load_int(10, 0).load_int(11, 100).emit(Op::Range, 4, 10, 11).emit(Op::ListLength, 5, 4).show(5);
  EXPECT_EQ(first_step(a, {.heap_bytes = 4000, .collect_from_bytes = 1000}), "100");
}

TEST(Collections, EventsAnswersAndMessagesMayPassTheThreshold) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(11, kGetMachine, 10).call(12, kGetMachine, 10);
  const auto end = a.here();
  a.emit(Op::Finish);
  const auto handler = a.here();
  a.native(13, 19, NativeId::length).show(13).emit(Op::Finish);
  a.flow().handlers = {{.begin = 0, .end = end, .target = handler, .register_ = 19}};
  const std::string name(1000, 'n');
  const std::vector<Outcome> answers{Returned{R"({"id":")" + name + R"(","machineTags":[]})"},
                                     Fault{.kind = FaultKind::NotFound, .message = name}};
  const std::string event = R"({"id":")" + name + R"(","machineId":")" + name + R"("})";
  EXPECT_THAT(run(a.module, answers, event, {.collect_from_bytes = 100}), testing::Contains("1000"));
  // With no heap to spare, what is not used any more makes room.
  EXPECT_THAT(run(a.module, answers, event, {.heap_bytes = 3400}), testing::Contains("1000"));
}

TEST(Handlers, CutAMessageThatIsTooLong) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(11, kGetMachine, 10).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Log, 19).emit(Op::Finish);
  a.flow().handlers = {{.begin = 0, .end = 2, .target = handler, .register_ = 19}};
  EXPECT_EQ(run(a.module, {Fault{.kind = FaultKind::NotFound, .message = "nothing h\xc3\xa9re"}}, kEvent,
                {.text_bytes = 10})[1],
            "nothing h");
}

TEST(Handlers, CostFuel) {
  Assembler a;
  const auto top = a.here();
  a.load_text(4, "").emit(Op::Fail, 4);
  const auto handler = a.here();
  a.aim(a.jump(Op::Jump), top);
  a.flow().handlers = {{.begin = 0, .end = 2, .target = handler, .register_ = 19}};
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine machine(*program, 0, {.fuel = 3 + 10 * (64 + 3)});
  const Step step = machine.start(kEvent);
  EXPECT_EQ(std::get<Ended>(step).fault.kind, FaultKind::OutOfFuel);
}

TEST(Machine, ForgetsTheFaultOfTheRunBefore) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).emit(Op::Raise);
  const auto handler = a.here();
  a.emit(Op::Finish);
  a.flow().handlers = {{.begin = 0, .end = 1, .target = handler, .register_ = 19}};
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program);
  Machine machine(*program, 0);
  EXPECT_EQ(told(machine.start(R"({"id":"a"})"), a.module), "finished");
  EXPECT_EQ(told(machine.start(kEvent), a.module), "Failed: nothing was raised");
}

}  // namespace
}  // namespace flow::test
