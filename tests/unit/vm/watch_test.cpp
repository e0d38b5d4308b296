// Watching a run: each moment with its names and values, and nothing else about the run.
#include "vm/interp/watch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/place_text.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Recorder final : public Watcher {
 public:
  explicit Recorder(const Machine& machine, std::size_t value_bytes = 200)
      : machine_(machine), value_bytes_(value_bytes) {}
  void before_instruction() override { moments.push_back(machine_.moment(value_bytes_)); }

  std::vector<Moment> moments;

 private:
  const Machine& machine_;
  std::size_t value_bytes_;
};

struct Watched {
  std::vector<Moment> moments;
  Step last;
  std::uint64_t fuel_used;
};

Watched watched(const Program& program, const Limits& limits = {}, std::size_t value_bytes = 200) {
  Machine machine(program, 0, limits);
  Recorder recorder(machine, value_bytes);
  machine.watch(&recorder);
  Step last = machine.start(kEvent);
  while (!std::holds_alternative<Ended>(last)) last = machine.resume(Returned{"null"});
  return {recorder.moments, last, machine.fuel_used()};
}

Program load(const Assembler& a) {
  auto program = Program::load(a.module);
  EXPECT_TRUE(program) << (program ? "" : program.error().message);
  return std::move(*program);
}

std::vector<std::string> told(const std::vector<NamedValue>& values) {
  std::vector<std::string> out;
  for (const NamedValue& value : values) out.push_back(value.name + " = " + value.value);
  return out;
}

// The value `x` that `load` left in kFree.
template <class Load>
std::string shown(Load load_it, std::size_t value_bytes = 200) {
  Assembler a;
  load_it(a);
  const std::uint32_t here = a.here();
  a.emit(Op::Move, 30, kFree).emit(Op::Finish);
  a.flow().names = {{.begin = here, .end = here + 1, .register_ = kFree, .name = "x"}};
  const Program program = load(a);
  const Watched run = watched(program, {}, value_bytes);
  for (const NamedValue& value : run.moments.at(here).values)
    if (value.name == "x") return value.value;
  return "nothing";
}

TEST(Moments, TellEachInstructionWithItsValues) {
  Assembler a;
  a.load_int(kFree, 5).imm(Op::LoadInt, 6, 7).emit(Op::AddInt, kFree, kFree, 6).emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4, .column = 3}, {.pc = 2, .line = 5, .column = 9}};
  a.flow().names = {{.begin = 1, .end = 4, .register_ = kFree, .name = "sum"}};
  const Program program = load(a);
  const Watched run = watched(program);
  ASSERT_EQ(run.moments.size(), 4u);
  EXPECT_THAT(told(run.moments[0].values), IsEmpty());
  EXPECT_THAT(told(run.moments[2].values), ElementsAre("sum = 5"));
  EXPECT_THAT(told(run.moments[3].values), ElementsAre("sum = 12"));
  EXPECT_EQ(run.moments[2].instruction, "AddInt r4, r4, r6");
  EXPECT_EQ(run.moments[1].position.line, 4u);
  EXPECT_EQ(run.moments[2].position.line, 5u);
  EXPECT_EQ(run.moments[2].position.column, 9u);
  EXPECT_EQ(run.moments[3].position.pc, 3u);
}

TEST(Moments, CostTheRunNothing) {
  Assembler a;
  a.load_int(kFree, 0).load_int(kFree + 1, 100'000).load_text(10, "many words for a small heap");
  const auto top = a.here();
  a.emit(Op::Move, 11, 10).emit(Op::Move, 12, 10).emit(Op::Concat, 13, 11, 2);
  a.aim(a.jump(Op::NextInRange, kFree), top).emit(Op::Finish);
  const Program program = load(a);
  const Limits limits{.heap_bytes = 64u << 10};
  Machine machine(program, 0, limits);
  const Step step = machine.start(kEvent);
  class Nobody final : public Watcher {
    void before_instruction() override {}
  } nobody;
  Machine second(program, 0, limits);
  second.watch(&nobody);
  const Step same = second.start(kEvent);
  EXPECT_EQ(std::get<Ended>(step).how, Ended::How::Finished);
  EXPECT_EQ(std::get<Ended>(same).how, Ended::How::Finished);
  EXPECT_EQ(machine.fuel_used(), second.fuel_used());
  EXPECT_EQ(machine.moment(10).heap_used, second.moment(10).heap_used);
}

TEST(Moments, OfFunctionsHaveTheirOwnNames) {
  Assembler a;
  const auto twice = a.begin_function("twice", {kIntType}, kIntType);
  a.emit(Op::AddInt, 1, 0, 0).emit(Op::Return, 1);
  a.module.functions[twice].names = {{.begin = 0, .end = 2, .register_ = 0, .name = "n"}};
  a.module.functions[twice].lines = {{.pc = 0, .line = 21}};
  a.end_function();
  a.load_int(8, 4).imm(Op::Invoke, 8, twice).emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4}};
  a.flow().names = {{.begin = 2, .end = 3, .register_ = 8, .name = "y"}};
  const Program program = load(a);
  const Watched run = watched(program);
  ASSERT_EQ(run.moments.size(), 5u);
  EXPECT_EQ(run.moments[2].position.routine->name, "twice");
  EXPECT_EQ(run.moments[2].position.depth, 1u);
  EXPECT_THAT(told(run.moments[2].values), ElementsAre("n = 4"));
  EXPECT_THAT(told(run.moments[3].values), ElementsAre("n = 4", "return = 8"));
  EXPECT_THAT(told(run.moments[4].values), ElementsAre("y = 8"));
}

TEST(Moments, LeaveOutWhatIsNotThere) {
  Assembler a;
  a.load_int(kFree, 1).emit(Op::LoadNull, 5).emit(Op::Finish);
  // A name for a register that nobody has filled, one for a null that is not read, and the inputs.
  a.flow().names = {{.begin = 0, .end = 3, .register_ = 20, .name = "never"},
                    {.begin = 2, .end = 3, .register_ = 5, .name = "dead"},
                    {.begin = 0, .end = 3, .register_ = kMachine, .name = "machine"},
                    {.begin = 0, .end = 3, .register_ = kMachineId, .name = "machineId"}};
  const Program program = load(a);
  EXPECT_THAT(told(watched(program).moments[2].values), ElementsAre("machineId = \"m1\""));
}

TEST(Moments, OfNamesThatHideEachOtherTellTheInnermost) {
  Assembler a;
  a.load_int(kFree, 1).load_int(5, 2).emit(Op::AddInt, 6, kFree, 5).emit(Op::Finish);
  a.flow().names = {{.begin = 1, .end = 4, .register_ = kFree, .name = "x"},
                    {.begin = 2, .end = 3, .register_ = 5, .name = "x"}};
  const Program program = load(a);
  const Watched run = watched(program);
  EXPECT_THAT(told(run.moments[1].values), ElementsAre("x = 1"));
  EXPECT_THAT(told(run.moments[2].values), ElementsAre("x = 2"));
  EXPECT_THAT(told(run.moments[3].values), ElementsAre("x = 1"));
}

TEST(Values, AreShownForPeople) {
  EXPECT_EQ(shown([](Assembler& a) { a.load_int(kFree, -3); }), "-3");
  EXPECT_EQ(shown([](Assembler& a) { a.load_int(kFree, 90'000'000, kDurationType); }), "1m30s");
  EXPECT_EQ(shown([](Assembler& a) { a.load_severity(kFree, 3); }), "High");
  EXPECT_EQ(shown([](Assembler& a) { a.load_text(kFree, "a \"b\"\n"); }), R"("a \"b\"\n")");
  EXPECT_EQ(shown([](Assembler& a) { a.emit(Op::Unwrap, kFree, kAlert); }),
            R"(Alert {id: "da1", severity: High, title: "Beacon", created: 2026-11-20T08:14:22Z})");
  EXPECT_EQ(shown([](Assembler& a) {
              a.load_text(5, "k").load_int(6, 1);
              const TypeId map = a.module.types.map(kStringType, kIntType);
              a.imm(Op::NewMap, kFree, map).emit(Op::SetKey, kFree, 5, 6);
            }),
            R"({"k": 1})");
}

TEST(Values, AreShortWhateverTheirSize) {
  const auto longest = [](Assembler& a) { a.load_text(kFree, std::string(1'000, 'x') + "é"); };
  EXPECT_EQ(shown(longest, 30), '"' + std::string(30, 'x') + "\"…");
  const auto many = [](Assembler& a) {
    a.load_int(5, 0).load_int(6, 10'000).emit(Op::Range, kFree, 5, 6);
    a.module.types.list(kIntType);
  };
  EXPECT_EQ(shown(many, 12), "[0, 1, 2, 3, … 9996 more]");
  // Cut between the bytes of a character: none is broken.
  EXPECT_EQ(shown([](Assembler& a) { a.load_text(kFree, "12345678901234567890123é"); }, 24),
            "\"12345678901234567890123\"…");
}

TEST(Values, SecretsAreNeverShown) {
  const auto secret = [](Assembler& a) { a.load_text(kFree, "the-vault-entry", kSecretType); };
  EXPECT_EQ(shown(secret), "secret");
  const auto listed = [](Assembler& a) {
    a.load_text(5, "the-vault-entry", kSecretType);
    const TypeId secrets = a.module.types.list(kSecretType);
    a.emit(Op::NewList, kFree, 5, 1, secrets);
  };
  EXPECT_EQ(shown(listed), "[secret]");
}

TEST(Places, ReadAsFlowsDo) {
  EXPECT_EQ(place_text({}), "");
  EXPECT_EQ(place_text(std::vector<Place>{{"isolate", 30}}), "line 30");
  EXPECT_EQ(place_text(std::vector<Place>{{"score", 12}, {"isolate", 30}}),
            "line 12 of score(), called from line 30");
  EXPECT_EQ(place_text(std::vector<Place>{{"f", 2}, {"f", 2}, {"f", 3}, {"flow", 9}}),
            "line 2 of f() (2 times), called from line 3 of f(), called from line 9");
  std::vector<Place> deep;
  for (std::uint32_t line = 1; line < 20; ++line) deep.push_back({"f", line});
  deep.push_back({"flow", 90});
  EXPECT_THAT(place_text(deep), HasSubstr("line 6 of f(), called from others, called from line 90"));
}

TEST(Places, OfAnEndlessRecursionEndInTheFlow) {
  Assembler a;
  const auto endless = a.begin_function("endless", {}, kIntType);
  a.imm(Op::Invoke, 0, endless).emit(Op::Return, 0);
  a.end_function();
  a.module.functions[endless].lines = {{.pc = 0, .line = 21}};
  a.imm(Op::Invoke, 8, endless).emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4}};
  const Program program = load(a);
  const auto ended = std::get<Ended>(Machine(program, 0).start(kEvent));
  EXPECT_EQ(ended.trace.size(), 32u);
  EXPECT_EQ(failure_text(ended),
            "in line 21 of endless() (31 times), called from line 4: OutOfStack: functions invoke each other "
            "too deeply");
}

}  // namespace
}  // namespace flow::test
