// The passes over instructions, each on code written for it.
#include <gtest/gtest.h>

#include "compiler/emit/optimise.hpp"
#include "vm/bytecode/op_table.hpp"

namespace flow::test {
namespace {

std::string listing(const Routine& routine) {
  std::string text;
  for (std::uint32_t pc = 0; pc < routine.code.size(); ++pc)
    text += format_instruction(pc, routine.code[pc]) + "\n";
  return text;
}

Routine routine_of(std::vector<Instruction> code) {
  Routine routine;
  routine.name = "f";
  routine.registers = 10;
  routine.code = std::move(code);
  return routine;
}

TEST(ThreadJumps, GoesWhereTheyLead) {
  Routine routine = routine_of({{Op::JumpIf, 0, 0, 0, 2},  // to 3, which goes on to 5
                                {Op::Jump, 0, 0, 0, 3},    // to 5, which returns
                                {Op::Return, 1},
                                {Op::Jump, 0, 0, 0, 1},
                                {Op::Return, 2},
                                {Op::Return, 3}});
  thread_jumps(routine);
  EXPECT_EQ(listing(routine), "JumpIf r0, @5\nReturn r3\nReturn r1\nReturn r3\nReturn r2\nReturn r3\n");
}

TEST(ThreadJumps, LeavesATestThatWouldGoBack) {
  const std::vector<Instruction> code = {
      {Op::LoadBool, 0}, {Op::JumpIf, 0, 0, 0, 1}, {Op::Finish}, {Op::Jump, 0, 0, 0, -4}};
  Routine routine = routine_of(code);
  thread_jumps(routine);
  EXPECT_EQ(routine.code, code);
  Routine endless = routine_of({{Op::Jump, 0, 0, 0, 0}, {Op::Jump, 0, 0, 0, -2}});
  thread_jumps(endless);
  EXPECT_EQ(endless.code.size(), 2u);
}

TEST(RemoveUnreachable, MovesLinesHandlersAndNames) {
  Routine routine = routine_of({{Op::Jump, 0, 0, 0, 1},  // 0
                                {Op::LoadInt, 1},        // 1: never
                                {Op::LoadInt, 2},        // 2
                                {Op::Jump, 0, 0, 0, 0},  // 3: to the next
                                {Op::Log, 3},            // 4
                                {Op::Finish},            // 5
                                {Op::LoadInt, 4},        // 6: never
                                {Op::Raise}});           // 7: the handler
  routine.lines = {{.pc = 0, .line = 1, .column = 1},
                   {.pc = 1, .line = 2, .column = 1},
                   {.pc = 2, .line = 3, .column = 1},
                   {.pc = 6, .line = 4, .column = 1}};
  routine.handlers = {{.begin = 1, .end = 2, .target = 6, .register_ = 5},
                      {.begin = 4, .end = 5, .target = 7, .register_ = 5}};
  routine.names = {{.begin = 1, .end = 2, .register_ = 1, .name = "never"},
                   {.begin = 2, .end = 6, .register_ = 2, .name = "kept"}};
  remove_unreachable(routine);
  // The jump from 0 has become one to the next instruction, which the next round removes.
  EXPECT_EQ(listing(routine), "Jump @1\nLoadInt r2, 0\nLog r3\nFinish\nRaise\n");
  ASSERT_EQ(routine.lines.size(), 3u);
  EXPECT_EQ(routine.lines[1].pc, 1u);
  EXPECT_EQ(routine.lines[1].line, 3u);
  EXPECT_EQ(routine.lines[2].pc, 4u);
  ASSERT_EQ(routine.handlers.size(), 1u);
  EXPECT_EQ(routine.handlers[0].begin, 2u);
  EXPECT_EQ(routine.handlers[0].end, 3u);
  EXPECT_EQ(routine.handlers[0].target, 4u);
  ASSERT_EQ(routine.names.size(), 1u);
  EXPECT_EQ(routine.names[0].name, "kept");
  EXPECT_EQ(routine.names[0].begin, 1u);
  EXPECT_EQ(routine.names[0].end, 4u);
}

class NullTests : public testing::Test {
 protected:
  NullTests() { maybe = module.types.optional(kStringType); }
  std::string after(std::vector<Instruction> code) {
    Routine routine = routine_of(std::move(code));
    forget_null_tests(module, routine, {maybe, kStringType});
    return listing(routine);
  }
  Module module;
  TypeId maybe;
};

TEST_F(NullTests, KnowParametersAndWhatWasTested) {
  EXPECT_EQ(after({{Op::Unwrap, 2, 1}, {Op::Unwrap, 3, 0}, {Op::Unwrap, 4, 3}, {Op::Return, 4}}),
            "Move r2, r1\nUnwrap r3, r0\nMove r4, r3\nReturn r4\n");
  EXPECT_EQ(after({{Op::JumpIfNull, 0, 0, 0, 2}, {Op::Unwrap, 2, 0}, {Op::Return, 2}, {Op::Return, 1}}),
            "JumpIfNull r0, @3\nMove r2, r0\nReturn r2\nReturn r1\n");
  EXPECT_EQ(after({{Op::JumpIfSet, 0, 0, 0, 1}, {Op::Move, 0, 1}, {Op::Unwrap, 2, 0}, {Op::Return, 2}}),
            "JumpIfSet r0, @2\nMove r0, r1\nMove r2, r0\nReturn r2\n");
}

TEST_F(NullTests, ForgetWherePathsMeetAndLoopsBeginAgain) {
  EXPECT_EQ(after({{Op::JumpIfNull, 0, 0, 0, 1}, {Op::LoadInt, 3}, {Op::Unwrap, 2, 0}, {Op::Return, 2}}),
            "JumpIfNull r0, @2\nLoadInt r3, 0\nUnwrap r2, r0\nReturn r2\n");
  EXPECT_EQ(after({{Op::Move, 2, 1}, {Op::Unwrap, 3, 2}, {Op::LoadNull, 2}, {Op::Jump, 0, 0, 0, -3}}),
            "Move r2, r1\nUnwrap r3, r2\nLoadNull r2\nJump @1\n");
}

TEST(ReuseValues, ReadsTheOriginalAndEachFieldOnce) {
  Routine routine = routine_of({{Op::Move, 2, 1},
                                {Op::GetField, 3, 2, 4},
                                {Op::Log, 3},
                                {Op::GetField, 5, 1, 4},
                                {Op::Log, 5},
                                {Op::Move, 1, 6},
                                {Op::GetField, 7, 2, 4},
                                {Op::Finish}});
  reuse_values(routine);
  EXPECT_EQ(listing(routine),
            "Move r2, r1\nGetField r3, r1, field 4\nLog r3\nMove r5, r3\nLog r3\nMove r1, r6\n"
            "GetField r7, r2, field 4\nFinish\n");
}

TEST(ReuseValues, ForgetsAtCallsOfFunctionsAndInLoops) {
  Routine routine = routine_of({{Op::Move, 2, 1},
                                {Op::Invoke, 1},
                                {Op::Log, 2},
                                {Op::Move, 4, 3},
                                {Op::Log, 4},
                                {Op::Move, 3, 5},
                                {Op::Jump, 0, 0, 0, -3}});
  reuse_values(routine);
  EXPECT_EQ(listing(routine),
            "Move r2, r1\nInvoke r1, function 0\nLog r2\nMove r4, r3\nLog r4\nMove r3, r5\nJump @4\n");
}

TEST(ReuseValues, KeepsWhatHoldsOnAllPaths) {
  Routine routine = routine_of({{Op::Move, 2, 1},
                                {Op::Move, 4, 3},
                                {Op::JumpIf, 0, 0, 0, 1},
                                {Op::LoadInt, 3},
                                {Op::Not, 5, 2},
                                {Op::Not, 6, 4},
                                {Op::Finish}});
  reuse_values(routine);
  EXPECT_EQ(listing(routine),
            "Move r2, r1\nMove r4, r3\nJumpIf r0, @4\nLoadInt r3, 0\nNot r5, r1\nNot r6, r4\nFinish\n");
}

TEST(RemoveDeadWrites, KeepsWhatIsReadAndWhatMayFault) {
  Module module;
  Routine routine = routine_of({{Op::LoadInt, 1},
                                {Op::LoadInt, 2},
                                {Op::Move, 3, 2},
                                {Op::AddInt, 4, 1, 1},
                                {Op::Move, 5, 5},
                                {Op::Return, 1}});
  remove_dead_writes(module, routine);
  EXPECT_EQ(listing(routine), "LoadInt r1, 0\nAddInt r4, r1, r1\nReturn r1\n");
}

}  // namespace
}  // namespace flow::test
