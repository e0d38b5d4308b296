// What instructions and natives do, one at a time.
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

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

// What one instruction makes of constants in kFree, kFree + 1 …: the text of its result, or its fault.
std::string result_of(Assembler& a, Op op, unsigned b = kFree, unsigned c = 0) {
  a.emit(op, 20, b, c).show(20).emit(Op::Finish);
  return run(a.module).front();
}
std::string ints(Op op, std::int64_t x, std::int64_t y, TypeId type_x = kIntType, TypeId type_y = kIntType) {
  Assembler a;
  a.load_int(kFree, x, type_x).load_int(kFree + 1, y, type_y);
  return result_of(a, op, kFree, kFree + 1);
}
std::string floats(Op op, double x, double y) {
  Assembler a;
  a.load_float(kFree, x).load_float(kFree + 1, y);
  return result_of(a, op, kFree, kFree + 1);
}
std::string texts(Op op, std::string x, std::string y) {
  Assembler a;
  a.load_text(kFree, std::move(x)).load_text(kFree + 1, std::move(y));
  return result_of(a, op, kFree, kFree + 1);
}
std::string severities(Op op, std::int64_t x, std::int64_t y) {
  Assembler a;
  a.load_severity(kFree, x).load_severity(kFree + 1, y);
  return result_of(a, op, kFree, kFree + 1);
}
std::string native(NativeId id, std::vector<std::string> arguments) {
  Assembler a;
  for (std::size_t i = 0; i < arguments.size(); ++i)
    a.load_text(kFree + static_cast<unsigned>(i), arguments[i]);
  a.native(20, kFree, id).show(20).emit(Op::Finish);
  return run(a.module).front();
}

TEST(Ops, LoadAndMove) {
  Assembler a;
  a.load_int(4, 7)
      .emit(Op::Move, 5, 4)
      .show(5)
      .emit(Op::LoadBool, 5, 1)
      .show(5)
      .emit(Op::LoadNull, 5)
      .show(5);
  a.load_severity(5, 3).show(5).load_float(5, 2.5).show(5).load_int(5, 0, kTimeType).show(5);
  a.load_int(5, 90'000'000, kDurationType)
      .show(5)
      .load_text(5, "x")
      .show(5)
      .load(5, {.type = kNullType})
      .show(5);
  a.load(5, {.type = kBoolType, .number = 1}).show(5).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("7", "true", "(unknown)", "High", "2.5", "1970-01-01T00:00:00Z",
                                         "1m30s", "x", "(unknown)", "true", "finished"));
}

TEST(Ops, IntArithmetic) {
  EXPECT_EQ(ints(Op::AddInt, 2, 3), "5");
  EXPECT_EQ(ints(Op::AddInt, kHighest, 1), "Overflow: the result of a calculation does not fit its type");
  EXPECT_EQ(ints(Op::SubtractInt, 2, 3), "-1");
  EXPECT_THAT(ints(Op::SubtractInt, kLowest, 1), HasSubstr("Overflow"));
  EXPECT_EQ(ints(Op::MultiplyInt, -4, 3), "-12");
  EXPECT_THAT(ints(Op::MultiplyInt, kHighest, 2), HasSubstr("Overflow"));
  EXPECT_EQ(ints(Op::DivideInt, -7, 2), "-3");
  EXPECT_THAT(ints(Op::DivideInt, kLowest, -1), HasSubstr("Overflow"));
  EXPECT_EQ(ints(Op::DivideInt, 1, 0), "DivisionByZero: a division by zero");
  EXPECT_EQ(ints(Op::ModuloInt, -7, 2), "-1");
  EXPECT_EQ(ints(Op::ModuloInt, kLowest, -1), "0");
  EXPECT_THAT(ints(Op::ModuloInt, 1, 0), HasSubstr("DivisionByZero"));
  EXPECT_EQ(ints(Op::NegateInt, 5, 0),
            "not verified: flow `isolate`: pc 2, `NegateInt r20, r4`: an operand that is not used must be 0");
  Assembler negate, lowest;
  negate.load_int(kFree, 5);
  EXPECT_EQ(result_of(negate, Op::NegateInt), "-5");
  lowest.load_int(kFree, kLowest);
  EXPECT_THAT(result_of(lowest, Op::NegateInt), HasSubstr("Overflow"));
}

TEST(Ops, TimesAndDurationsKeepTheirMeaning) {
  constexpr std::int64_t kHour = 3'600'000'000;
  EXPECT_EQ(ints(Op::AddSpan, 0, kHour, kTimeType, kDurationType), "1970-01-01T01:00:00Z");
  EXPECT_EQ(ints(Op::AddSpan, kHour, 0, kDurationType, kTimeType), "1970-01-01T01:00:00Z");
  EXPECT_EQ(ints(Op::SubtractSpan, kHour, 0, kTimeType, kTimeType), "1h");
  EXPECT_EQ(ints(Op::MultiplySpan, kHour, 3, kDurationType, kIntType), "3h");
  EXPECT_EQ(ints(Op::DivideSpan, 3 * kHour, kHour, kDurationType, kDurationType), "3");
  EXPECT_THAT(ints(Op::AddSpan, 0, 0, kTimeType, kTimeType),
              HasSubstr("`Time` and `Time` do not go together"));
  EXPECT_EQ(ints(Op::LessInt, 0, 1, kTimeType, kTimeType), "true");
}

TEST(Ops, FloatArithmetic) {
  EXPECT_EQ(floats(Op::AddFloat, 0.1, 0.2), "0.30000000000000004");
  EXPECT_EQ(floats(Op::SubtractFloat, 1, 0.5), "0.5");
  EXPECT_EQ(floats(Op::MultiplyFloat, 1e308, 10),
            "Overflow: the result of a calculation does not fit its type");
  EXPECT_EQ(floats(Op::DivideFloat, 1, 4), "0.25");
  EXPECT_THAT(floats(Op::DivideFloat, 1, 0), HasSubstr("DivisionByZero"));
  EXPECT_EQ(floats(Op::EqualFloat, 1, 1), "true");
  EXPECT_EQ(floats(Op::LessFloat, 1, 1), "false");
  EXPECT_EQ(floats(Op::LessEqualFloat, 1, 1), "true");
  Assembler negate, convert;
  negate.load_float(kFree, 1.5);
  EXPECT_EQ(result_of(negate, Op::NegateFloat), "-1.5");
  convert.load_int(kFree, 3).emit(Op::IntToFloat, kFree, kFree).load_float(kFree + 1, 2);
  EXPECT_EQ(result_of(convert, Op::DivideFloat, kFree, kFree + 1), "1.5");
}

TEST(Ops, Comparisons) {
  EXPECT_EQ(ints(Op::EqualInt, 3, 3), "true");
  EXPECT_EQ(ints(Op::LessInt, 3, 3), "false");
  EXPECT_EQ(ints(Op::LessEqualInt, 3, 3), "true");
  EXPECT_EQ(texts(Op::EqualText, "a", "A"), "false");
  EXPECT_EQ(texts(Op::LessText, "z", "é"), "true") << "by code point, not by signed byte";
  EXPECT_EQ(texts(Op::LessEqualText, "a", "a"), "true");
  EXPECT_EQ(severities(Op::EqualEnum, 3, 3), "true");
  EXPECT_EQ(severities(Op::LessEnum, 1, 2), "true");
  EXPECT_EQ(severities(Op::LessEqualEnum, 3, 2), "false");
  Assembler truth, negated, null;
  truth.emit(Op::LoadBool, kFree, 1).emit(Op::LoadBool, kFree + 1, 1);
  EXPECT_EQ(result_of(truth, Op::EqualBool, kFree, kFree + 1), "true");
  negated.emit(Op::LoadBool, kFree, 1);
  EXPECT_EQ(result_of(negated, Op::Not), "false");
  EXPECT_EQ(result_of(null, Op::IsNull, kMachine), "true");
}

TEST(Ops, UnknownEnumValuesCompareBySpelling) {
  Assembler a;
  a.emit(Op::Unwrap, 4, kAlert).emit(Op::GetField, 5, 4, 1).emit(Op::EqualEnum, 6, 5, 5).show(6);
  a.load_severity(7, 3).emit(Op::EqualEnum, 6, 5, 7).show(6).emit(Op::LessEnum, 6, 5, 7).show(6);
  a.emit(Op::LessEqualEnum, 6, 5, 5).show(6).show(5).emit(Op::Finish);
  EXPECT_THAT(
      run(a.module, {}, R"({"id":"a","severity":"Critical","alertCreationTime":"2026-11-20T08:14:22Z"})"),
      ElementsAre("true", "false", "false", "false", "Critical", "finished"));
}

TEST(Ops, Jumps) {
  Assembler a;
  a.emit(Op::LoadBool, 4, 1);
  const auto taken = a.jump(Op::JumpIf, 4);
  a.emit(Op::Finish);
  a.land(taken);
  const auto not_taken = a.jump(Op::JumpIfNot, 4);
  const auto set = a.jump(Op::JumpIfSet, kMachineId);
  a.emit(Op::Finish).land(not_taken).emit(Op::Finish);
  a.land(set).native(5, kMachineId, NativeId::upper).show(5);
  const auto null = a.jump(Op::JumpIfNull, kMachine);
  a.emit(Op::Finish).land(null);
  const auto past = a.jump(Op::Jump);
  a.emit(Op::Finish).land(past).load_text(4, "end").emit(Op::Stop, 4);
  EXPECT_THAT(run(a.module), ElementsAre("M1", "stopped: end"));
}

TEST(Ops, LoopsGoBackwards) {
  Assembler a;
  a.load_int(4, 0).load_int(5, 1).load_int(6, 10);
  const auto top = a.here();
  a.emit(Op::AddInt, 4, 4, 5).emit(Op::LessInt, 7, 4, 6);
  const auto done = a.jump(Op::JumpIfNot, 7);
  a.aim(a.jump(Op::Jump), top).land(done).show(4).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("10", "finished"));
}

TEST(Ops, RecordsAndLists) {
  Assembler a;
  const auto type = a.world.node;
  a.load_int(4, 1)
      .emit(Op::LoadNull, 5)
      .emit(Op::NewRecord, 5, 4, 0, type)
      .load_int(4, 2)
      .emit(Op::NewRecord, 6, 4, 0, type);
  a.emit(Op::GetField, 7, 6, 0)
      .show(7)
      .emit(Op::GetField, 7, 6, 1)
      .emit(Op::Unwrap, 7, 7)
      .emit(Op::GetField, 7, 7, 0)
      .show(7);
  a.load_text(8, "a")
      .load_text(9, "b")
      .emit(Op::NewList, 10, 8, 2, a.world.strings)
      .emit(Op::ListLength, 11, 10)
      .show(11);
  a.load_int(12, 1).emit(Op::GetItem, 13, 10, 12).show(13).emit(Op::Contains, 13, 10, 8).show(13);
  a.load_text(14, "c")
      .emit(Op::Contains, 13, 10, 14)
      .show(13)
      .emit(Op::NewList, 10, 8, 0, a.world.strings)
      .emit(Op::ListLength, 11, 10)
      .show(11);
  a.load_int(12, 2).emit(Op::GetItem, 13, 10, 12).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("2", "1", "2", "b", "true", "false", "0",
                                         "OutOfRange: there is no item 2 in a list of 0"));
}

TEST(Ops, NullsMakeAListOfOptionals) {
  Assembler a;
  a.load_text(4, "a")
      .emit(Op::LoadNull, 5)
      .load_text(6, "a")
      .emit(Op::NewList, 7, 4, 2, a.world.maybe_strings)
      .emit(Op::Contains, 8, 7, 6)
      .show(8);
  a.load_int(9, -1).emit(Op::GetItem, 8, 7, 9).emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("true", "OutOfRange: there is no item -1 in a list of 2"));
}

TEST(Ops, ContainsTellsEveryScalarApart) {
  Assembler a;
  a.load_int(4, 1)
      .load_int(5, 2)
      .emit(Op::NewList, 6, 4, 2, a.world.ints)
      .emit(Op::Contains, 7, 6, 5)
      .show(7);
  a.load_float(4, 1)
      .load_float(5, 2)
      .emit(Op::NewList, 6, 4, 1, a.world.floats)
      .emit(Op::Contains, 7, 6, 5)
      .show(7);
  a.load_severity(4, 1)
      .load_severity(5, 1)
      .emit(Op::NewList, 6, 4, 1, a.world.severities)
      .emit(Op::Contains, 7, 6, 5)
      .show(7)
      .emit(Op::Finish);
  EXPECT_THAT(run(a.module), ElementsAre("true", "false", "true", "finished"));
}

TEST(Ops, TextIsEscapedForWhereItGoes) {
  Assembler a;
  a.load_text(4, "<b>&\"x\\\n").emit(Op::EscapeHtml, 5, 4).emit(Op::ToText, 6, 5).emit(Op::Log, 6);
  a.emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5)
      .load_text(6, "T | where ", kKqlType)
      .emit(Op::Move, 7, 5)
      .emit(Op::Concat, 8, 6, 2)
      .emit(Op::Log, 8);
  a.load_int(4, 5)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5)
      .load_int(4, 0, kTimeType)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5);
  a.load_int(4, 9, kDurationType)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5)
      .load_float(4, 1.5)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5);
  a.emit(Op::LoadBool, 4, 1)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5)
      .load_severity(4, 3)
      .emit(Op::QuoteKql, 5, 4)
      .emit(Op::Log, 5);
  a.load_text(4, "a\"")
      .load_text(5, "b")
      .emit(Op::NewList, 6, 4, 2, a.world.strings)
      .emit(Op::QuoteKql, 5, 6)
      .emit(Op::Log, 5)
      .emit(Op::Finish);
  EXPECT_THAT(
      run(a.module),
      ElementsAre("&lt;b&gt;&amp;&quot;x\\\n", R"("<b>&\"x\\\u000a")", R"(T | where "<b>&\"x\\\u000a")",
                  "long(5)", "datetime(1970-01-01T00:00:00Z)", "(1microsecond*long(9))", "real(1.5)", "true",
                  R"("High")", R"(dynamic(["a\"", "b"]))", "finished"));
}

TEST(Ops, Ends) {
  const auto ending = [](Op op, bool has_text) {
    Assembler a;
    a.load_text(4, "why").emit(op, has_text ? 4 : 0);
    return run(a.module).front();
  };
  EXPECT_EQ(ending(Op::Skip, false), "skipped");
  EXPECT_EQ(ending(Op::Finish, false), "finished");
  EXPECT_EQ(ending(Op::Stop, true), "stopped: why");
  EXPECT_EQ(ending(Op::Fail, true), "Failed: why");
}

TEST(Ops, UnwrapNamesWhatIsMissing) {
  Assembler a;
  a.emit(Op::Unwrap, 4, kMachineId).emit(Op::Finish);
  EXPECT_EQ(run(a.module, {}, R"({"id":"a"})").front(),
            "InvalidValue: the event has no `machineId`, which is needed here");
  Assembler named;
  named.emit(Op::Unwrap, 4, kAlert).emit(Op::GetField, 5, 4, 2).emit(Op::Unwrap, 6, 5).emit(Op::Finish);
  named.flow().names = {{.begin = 2, .end = 4, .register_ = 5, .name = "title"}};
  EXPECT_EQ(run(named.module, {}, R"({"id":"a","severity":"Low","alertCreationTime":"2026-11-20T08:14:22Z"})")
                .front(),
            "InvalidValue: `title` has no value here");
}

TEST(Natives, DoAsTheirRowsSay) {
  EXPECT_EQ(native(NativeId::lower, {"ÀB×ß Ж"}), "àb×ß Ж");
  EXPECT_EQ(native(NativeId::upper, {"àb÷ßÿµ ж"}), "ÀB÷ßŸΜ ж");
  EXPECT_EQ(native(NativeId::trim, {" \t\u00a0 a b\u3000\n"}), "a b");
  EXPECT_EQ(native(NativeId::trim, {"  "}), "");
  EXPECT_EQ(native(NativeId::length, {"aé€😀"}), "4");
  EXPECT_EQ(native(NativeId::contains, {"beacon", "aco"}), "true");
  EXPECT_EQ(native(NativeId::contains, {"", ""}), "true");
  EXPECT_EQ(native(NativeId::startsWith, {"beacon", "be"}), "true");
  EXPECT_EQ(native(NativeId::endsWith, {"beacon", "be"}), "false");
  EXPECT_EQ(native(NativeId::matches, {"dc01.corp", "^dc[0-9]+\\."}), "true");
  EXPECT_EQ(native(NativeId::matches, {"xdc01.corp", "^dc[0-9]+\\."}), "false");
  EXPECT_THAT(native(NativeId::matches, {"x", "("}),
              HasSubstr("InvalidValue: the regular expression is malformed: "));
  EXPECT_THAT(native(NativeId::matches, {"x", std::string(5000, 'x')}), HasSubstr("it is too long"));
  EXPECT_EQ(native(NativeId::replace, {"aXbXX", "X", "--"}), "a--b----");
  EXPECT_EQ(native(NativeId::replace, {"abc", "", "x"}), "abc");
  EXPECT_EQ(native(NativeId::replace, {"aa", "a", ""}), "");
}

TEST(Natives, ForgetOldPatterns) {
  Assembler a;
  a.load_text(4, "p7");
  for (int i = 0; i < 12; ++i)
    a.load_text(5, "^p" + std::to_string(i) + "$").native(6, 4, NativeId::matches).show(6);
  a.emit(Op::Finish);
  const auto story = run(a.module);
  EXPECT_EQ(std::ranges::count(story, "true"), 1);
  EXPECT_EQ(std::ranges::count(story, "false"), 11);
}

}  // namespace
}  // namespace flow::test
