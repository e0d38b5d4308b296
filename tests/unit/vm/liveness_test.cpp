#include "vm/bytecode/liveness.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

// The live registers, as `4 5`.
std::string shown(const RegisterSet& set) {
  std::string text;
  for (std::size_t reg = 0; reg < set.size(); ++reg)
    if (set[reg]) text += (text.empty() ? "" : " ") + std::to_string(reg);
  return text;
}
std::string before(const Assembler& a, std::uint32_t pc) {
  EXPECT_TRUE(verify(a.module)) << verify(a.module).error().message;
  return shown(Liveness(a.module, a.module.flows[0]).before(pc));
}

TEST(Liveness, OfStraightCodeIsWhatIsReadLater) {
  Assembler a;
  a.load_int(4, 1).load_int(5, 2).emit(Op::AddInt, 4, 4, 5).show(4).emit(Op::Finish);
  EXPECT_EQ(before(a, 0), "");
  EXPECT_EQ(before(a, 1), "4");
  EXPECT_EQ(before(a, 2), "4 5");
  EXPECT_EQ(before(a, 3), "4");
  EXPECT_EQ(before(a, 4), "39");
}

TEST(Liveness, GoesRoundLoopsAndAlongJumps) {
  Assembler a;
  a.load_int(4, -1).load_int(5, 3).load_int(6, 7);
  const auto jump = a.jump(Op::Jump);
  const auto body = a.here();
  a.show(6);
  a.land(jump).aim(a.jump(Op::NextInRange, 4), body).emit(Op::Finish);
  EXPECT_EQ(before(a, body), "4 5 6");
  EXPECT_EQ(before(a, jump), "4 5 6");
}

TEST(Liveness, TheItemIsWrittenWhereItJumps) {
  Assembler a;
  a.emit(Op::NewList, 4, 20, 0, a.world.ints).load_int(5, 0);
  const auto jump = a.jump(Op::Jump);
  const auto body = a.here();
  a.show(6);
  a.land(jump).aim(a.jump(Op::NextItem, 4), body).emit(Op::Finish);
  EXPECT_EQ(before(a, jump), "4 5");
  EXPECT_EQ(before(a, body), "4 5 6");
}

TEST(Liveness, HandlersReadToo) {
  Assembler a;
  a.load_int(4, 1).load_int(5, 0).emit(Op::DivideInt, 6, 4, 5).emit(Op::Finish);
  const auto handler = a.here();
  a.show(4).emit(Op::Log, 19).emit(Op::Finish);
  a.flow().handlers = {{.begin = 2, .end = 3, .target = handler, .register_ = 19}};
  EXPECT_EQ(before(a, 2), "4 5");
  EXPECT_EQ(before(a, 3), "");
  EXPECT_EQ(before(a, 1), "4");
}

TEST(Liveness, AcrossAnInvokeIsWhatStandsBeforeItsWindow) {
  Assembler a;
  const auto same = a.begin_function("same", {kIntType}, kIntType);
  a.emit(Op::Return, 0);
  a.end_function();
  a.load_int(4, 1).load_int(8, 2);
  const auto pc = a.here();
  a.imm(Op::Invoke, 8, same).show(8).show(4).emit(Op::Finish);
  const auto handler = a.here();
  a.show(5).emit(Op::Finish);
  a.code().insert(a.code().begin(), {Op::LoadInt, 5});
  a.flow().handlers = {{.begin = pc + 1, .end = pc + 2, .target = handler + 1, .register_ = 19}};
  EXPECT_EQ(before(a, pc + 1), "4 5 8");
  EXPECT_EQ(shown(Liveness(a.module, a.flow()).across(pc + 1)), "4 5");
}

TEST(Liveness, RangesAreRead) {
  Assembler a;
  a.emit(Op::Move, 10, kAlertId).emit(Op::Move, 11, 10).emit(Op::Move, 12, 10);
  a.load_text(10, "x")
      .load_text(11, "y")
      .emit(Op::Concat, 13, 10, 2)
      .emit(Op::NewList, 14, 20, 0, a.world.ints);
  a.emit(Op::Finish);
  EXPECT_EQ(before(a, 5), "10 11");
  EXPECT_EQ(before(a, 6), "") << "a list of nothing reads nothing";
}

// Each jump goes to the one before it, so that what the first reads is only known after a look at all of
// them.
TEST(Liveness, OfChainsOfJumpsTakesLinearTime) {
  Assembler a;
  a.load_int(4, 1);
  const auto over = a.jump(Op::Jump);
  const auto first = a.here();
  a.show(4).emit(Op::Finish);
  while (a.here() < 65'000) {
    const auto before = a.here();
    a.aim(a.jump(Op::Jump), before == first + 3 ? first : before - 1);
  }
  a.aim(over, a.here() - 1);
  ASSERT_TRUE(verify(a.module)) << verify(a.module).error().message;
  const auto begin = std::chrono::steady_clock::now();
  const Liveness liveness(a.module, a.flow());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20))
      << "a pass for each took minutes";
  EXPECT_EQ(shown(liveness.before(over)), "4");
}

}  // namespace
}  // namespace flow::test
