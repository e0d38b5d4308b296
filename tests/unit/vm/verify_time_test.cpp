// Modules made to keep the verifier busy.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/interp/program.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kMost = 65'535;

// Prints how long it takes; no test depends on it. What would take too long is refused, which counts work,
// not time.
std::string outcome_of(Module module) {
  const auto begin = std::chrono::steady_clock::now();
  const auto program = Program::load(std::move(module));
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const std::string outcome = program ? "loaded" : program.error().message;
  fmt::print("{:.3f} s, {}\n", seconds, outcome);
  return outcome;
}

// Each instruction is covered by every handler, and writes.
TEST(VerifyTime, OfHandlersOverEverything) {
  Assembler a;
  a.flow().registers = 255;
  for (unsigned reg = 4; reg < 255; ++reg) a.emit(Op::LoadInt, reg);
  while (a.here() < kMost - 300) a.emit(a.here() % 2 == 0 ? Op::LoadInt : Op::LoadNull, 4 + a.here() % 250);
  const std::uint32_t end = a.here();
  for (unsigned k = 0; k < 256; ++k) {
    a.flow().handlers.push_back({.begin = 0, .end = end, .target = a.here(), .register_ = 20});
    a.emit(Op::Finish);
  }
  EXPECT_EQ(outcome_of(std::move(a.module)), "loaded");
}

// Registers turn from Int to Int? one after the other, each in a round of its own through all of the code.
TEST(VerifyTime, OfJumpsThatTellAllTheOthersAnew) {
  Assembler a;
  a.flow().registers = 255;
  for (unsigned reg = 4; reg < 255; ++reg) a.emit(Op::LoadInt, reg);
  const std::uint32_t top = a.here();
  for (unsigned reg = 4; reg < 250; ++reg) a.emit(Op::Move, reg, reg + 1);
  a.emit(Op::LoadNull, 250);
  while (a.here() < kMost - 8) a.land(a.jump(Op::JumpIfNull, 3));
  a.aim(a.jump(Op::NextInRange, 253), top).emit(Op::Finish);
  EXPECT_THAT(outcome_of(std::move(a.module)), HasSubstr("too tangled to verify"));
}

TEST(VerifyTime, OfManyFunctionsAndTypes) {
  Assembler a;
  for (int k = 0; k < 4000; ++k) a.module.types.add_record({.name = "R" + std::to_string(k)});
  for (unsigned k = 0; k < 60'000; ++k) {
    FunctionCode& function = a.module.functions.emplace_back();
    function.name = "f";
    function.registers = 255;
    function.result = kNullType;
    function.code = {{Op::LoadNull, 0}, {Op::Return, 0}};
  }
  a.emit(Op::Finish);
  EXPECT_EQ(outcome_of(std::move(a.module)), "loaded");
}

// Each flow reaches every function.
TEST(VerifyTime, OfManyFlowsThatReachManyFunctions) {
  Assembler a;
  for (unsigned k = 0; k < 10'000; ++k) {
    FunctionCode& function = a.module.functions.emplace_back();
    function.name = "f";
    function.registers = 1;
    function.result = kNullType;
    function.code = {{Op::Invoke, 0, 0, 0, static_cast<std::int32_t>((k + 1) % 10'000)}, {Op::Return, 0}};
  }
  a.imm(Op::Invoke, 4, 0).emit(Op::Finish);
  const FlowCode flow = a.flow();
  a.module.flows.assign(20'000, flow);
  EXPECT_THAT(outcome_of(std::move(a.module)), HasSubstr("reach too many functions"));
}

}  // namespace
}  // namespace flow::test
