#include "vm/bytecode/verify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow::test {
namespace {

using ::testing::HasSubstr;

// Why the module is refused; empty when it is not.
std::string refusal(const Module& module) {
  const auto verified = verify(module);
  return verified ? "" : verified.error().message;
}
std::string refusal_of(const std::function<void(Assembler&)>& write) {
  Assembler a;
  write(a);
  return refusal(a.module);
}
// Of one instruction, with a few registers filled: 10 Int, 11 String, 12 Float, 13 Bool, 14 Severity, 15
// Secret, 16 Html, 17 List<String>, 18 Alert, 19 Status, 20 null, 21 Time, 22 List<Alert>, 23 Kql, 24
// MachineId.
std::string refusal_of(Op op, unsigned a = 0, unsigned b = 0, unsigned c = 0, std::int64_t imm = 0) {
  return refusal_of([&](Assembler& as) {
    as.load_int(10, 1).load_text(11, "s").load_float(12, 1).emit(Op::LoadBool, 13, 1).load_severity(14, 1);
    as.load_text(15, "name", kSecretType)
        .load_text(16, "<p>", kHtmlType)
        .emit(Op::NewList, 17, 11, 1, as.world.strings);
    as.emit(Op::Unwrap, 18, kAlert)
        .load(19, {.type = as.world.status})
        .emit(Op::LoadNull, 20)
        .load_int(21, 0, kTimeType);
    as.emit(Op::NewList, 22, 18, 1, as.world.alerts)
        .load_text(23, "T", kKqlType)
        .emit(Op::Unwrap, 24, kMachineId);
    as.emit(op, a, b, c, imm).emit(Op::Finish);
  });
}
constexpr unsigned id(NativeId native) {
  return static_cast<unsigned>(native);
}

TEST(Verify, AcceptsWhatIsRight) {
  EXPECT_EQ(refusal_of([](Assembler& a) { a.emit(Op::Finish); }), "");
  EXPECT_EQ(refusal_of(Op::Move, 30, 10), "");
  EXPECT_EQ(refusal(Module()), "") << "a module without flows does nothing";
}

TEST(Verify, KeysOfAMapHaveItsKeysType) {
  const auto with_key = [](unsigned key) {
    return refusal_of([&](Assembler& a) {
      const TypeId counts = a.module.types.map(kIntType, kIntType);
      a.load_int(10, 1).load_text(11, "s").emit(Op::NewMap, 12, 0, 0, counts);
      a.emit(Op::SetKey, 12, key, 10).emit(Op::HasKey, 13, 12, key).emit(Op::Finish);
    });
  };
  EXPECT_EQ(with_key(10), "");
  EXPECT_THAT(with_key(11), HasSubstr("r11 is `String` where `Int` is needed"));
}

TEST(Verify, NamesFlowPcInstructionAndReason) {
  EXPECT_EQ(refusal_of([](Assembler& a) { a.emit(Op::Not, 4, 5).emit(Op::Finish); }),
            "flow `isolate`: pc 0, `Not r4, r5`: r5 has no value on every path to here");
}

TEST(VerifyShape, EachInstructionByItself) {
  EXPECT_THAT(refusal_of(static_cast<Op>(0x99)), HasSubstr("no such instruction"));
  EXPECT_THAT(refusal_of(Op::Move, kRegisters, 10), HasSubstr("beyond the registers"));
  EXPECT_THAT(refusal_of(Op::Move, 30, kRegisters), HasSubstr("beyond the registers"));
  EXPECT_THAT(refusal_of(Op::Move, 30, 10, 1), HasSubstr("an operand that is not used must be 0"));
  EXPECT_THAT(refusal_of(Op::LoadConst, 30, 0, 0, 250), HasSubstr("there is no constant 250"));
  EXPECT_THAT(refusal_of(Op::Call, 30, 0), HasSubstr("there is no call site 0"));
  EXPECT_THAT(refusal_of(Op::Native, 30, 11, 0, 250), HasSubstr("there is no native 250"));
  EXPECT_THAT(refusal_of(Op::Jump, 0, 0, 0, 4), HasSubstr("the jump leaves the code"));
  EXPECT_THAT(refusal_of(Op::Jump, 0, 0, 0, -100), HasSubstr("the jump leaves the code"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::EnterBody); }),
              HasSubstr("the code runs off its end"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::Finish).emit(Op::Move, 200, 0).emit(Op::Finish); }),
              HasSubstr("beyond the registers"))
      << "even where nothing gets to";
}

TEST(VerifyTypes, OperandsHaveTheirStorage) {
  for (const OpInfo& info : all_ops()) {
    const std::string_view name = info.name;
    if (!name.ends_with("Int") && !name.ends_with("Float") && !name.ends_with("Bool") &&
        !name.ends_with("Text") && !name.ends_with("Enum"))
      continue;
    if (info.b != Operand::In || info.op == Op::ToText) continue;
    const unsigned c = info.c == Operand::In ? 22u : 0u;
    EXPECT_NE(refusal_of(info.op, 30, 22, c), "") << name << " of a list";
    EXPECT_THAT(refusal_of(info.op, 30, 20, c == 0 ? 0 : 20), HasSubstr("may be null")) << name;
    EXPECT_THAT(refusal_of(info.op, 30, kMachineId, c == 0 ? 0 : kMachineId), HasSubstr("may be null"))
        << name;
  }
  EXPECT_THAT(refusal_of(Op::Not, 30, 10), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::EqualInt, 30, 10, 12), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::IntToFloat, 30, 12), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.load_int(4, 1);
                a.land(a.jump(Op::JumpIf, 4)).emit(Op::Finish);
              }),
              HasSubstr("does not take"));
}

TEST(VerifyTypes, Enums) {
  EXPECT_THAT(refusal_of(Op::EqualEnum, 30, 14, 19),
              HasSubstr("`Severity` and `Status` are different enums"));
  EXPECT_EQ(refusal_of(Op::EqualEnum, 30, 19, 19), "");
  EXPECT_THAT(refusal_of(Op::LessEnum, 30, 19, 19), HasSubstr("`Status` has no order"));
}

TEST(VerifyTypes, Arithmetic) {
  EXPECT_THAT(refusal_of(Op::AddSpan, 30, 21, 10), HasSubstr("`Time` and `Int` do not go together"));
  EXPECT_THAT(refusal_of(Op::AddInt, 30, 21, 10), HasSubstr("r21 is `Time`, not an Int"));
  EXPECT_THAT(refusal_of(Op::ModuloIntImm, 30, 10, 0, 0), HasSubstr("0 is no divisor here"));
  EXPECT_THAT(refusal_of(Op::DivideIntImm, 30, 10, 0, -1), HasSubstr("-1 is no divisor here"));
  EXPECT_THAT(refusal_of(Op::NegateInt, 30, 21), HasSubstr("a moment cannot be negated"));
}

TEST(VerifyTypes, RecordsAndLists) {
  EXPECT_THAT(refusal_of(Op::GetField, 30, kAlert, 0), HasSubstr("`Alert?`, which may be null"));
  EXPECT_THAT(refusal_of(Op::GetField, 30, 18, 4), HasSubstr("`Alert` has no field 4"));
  EXPECT_THAT(refusal_of(Op::GetField, 30, 10, 0), HasSubstr("does not take"));
  const TypeId strings = make_world().strings;
  EXPECT_THAT(refusal_of(Op::NewRecord, 30, 10, 0, kIntType), HasSubstr("`Int` is no record"));
  EXPECT_THAT(refusal_of(Op::NewRecord, 30, 10, 0, -1), HasSubstr("there is no type -1"));
  EXPECT_THAT(refusal_of(Op::NewList, 30, 10, 1, kIntType), HasSubstr("`Int` is no list"));
  EXPECT_THAT(refusal_of(Op::NewList, 30, 11, 2, strings),
              HasSubstr("r12 is `Float` where `String` is needed"));
  EXPECT_THAT(refusal_of(Op::NewList, 30, kRegisters - 1, 2, strings), HasSubstr("are too many"));
  EXPECT_THAT(refusal_of(Op::NewList, 30, 31, 1, strings), HasSubstr("has no value"));
  EXPECT_EQ(refusal_of(Op::NewList, 30, 31, 0, strings), "");
  EXPECT_THAT(refusal_of(Op::GetItem, 30, 17, 12), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::ListLength, 30, 11), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::Contains, 30, 22, 18), HasSubstr("items of `List<Alert>` cannot be compared"));
  EXPECT_THAT(refusal_of(Op::Contains, 30, 17, 10), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::Contains, 30, 17, 20), HasSubstr("may be null"));
  EXPECT_THAT(refusal_of(Op::Contains, 30, 17, 15), HasSubstr("is a secret"));
  const auto new_record = [](unsigned first) {
    return refusal_of([&](Assembler& a) {
      a.load_int(10, 1).load_int(11, 2).emit(Op::NewRecord, 30, first, 0, a.world.node).emit(Op::Finish);
    });
  };
  EXPECT_THAT(new_record(10), HasSubstr("r11 is `Int` where `Node?` is needed"));
  EXPECT_THAT(new_record(kRegisters - 1), HasSubstr("are too many"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.load(4, {.type = a.world.node}).emit(Op::Finish); }),
              HasSubstr("`Node` has no constants"));
}

TEST(VerifyTypes, SecretsStaySecret) {
  for (const Op op : {Op::ToText, Op::EscapeHtml, Op::QuoteKql})
    EXPECT_THAT(refusal_of(op, 30, 15), HasSubstr("ecret")) << int(op);
  for (const Op op : {Op::EqualText, Op::LessText, Op::LessEqualText})
    EXPECT_THAT(refusal_of(op, 30, 11, 15), HasSubstr("is a secret"));
  for (const Op op : {Op::Log, Op::Stop, Op::Fail}) EXPECT_THAT(refusal_of(op, 15), HasSubstr("is a secret"));
  EXPECT_THAT(refusal_of(Op::Concat, 30, 15, 1), HasSubstr("is a secret"));
  for (const NativeInfo& native : all_natives())
    EXPECT_THAT(refusal_of(Op::Native, 30, 15, 0, id(native.id)), HasSubstr("ecret"));
}

TEST(VerifyTypes, EscapesCannotBeLeftOut) {
  EXPECT_THAT(refusal_of(Op::Concat, 30, 10, 1), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::Concat, 30, 11, 0), HasSubstr("there is nothing to join"));
  EXPECT_THAT(refusal_of(Op::Concat, 30, 23, 2),
              HasSubstr("r24 is `MachineId`, which must be escaped before it joins `Kql`"));
  EXPECT_THAT(refusal_of(Op::Concat, 30, 24, 1), HasSubstr("`MachineId` cannot be joined to"));
  EXPECT_THAT(refusal_of(Op::Native, 30, 16, 0, id(NativeId::lower)),
              HasSubstr("`Html` cannot be edited as text"));
  EXPECT_THAT(refusal_of(Op::Native, 30, 10, 0, id(NativeId::lower)), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::Native, 30, kRegisters - 1, 0, id(NativeId::contains)),
              HasSubstr("are too many"));
  EXPECT_THAT(refusal_of(Op::ToText, 30, 17), HasSubstr("`List<String>` has no text"));
  EXPECT_THAT(refusal_of(Op::QuoteKql, 30, 18), HasSubstr("`Alert` has no KQL literal"));
  EXPECT_THAT(refusal_of(Op::QuoteKql, 30, kMachineId), HasSubstr("has no KQL literal"));
  EXPECT_THAT(refusal_of(Op::EscapeHtml, 30, 10), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::Log, 10), HasSubstr("does not take"));
}

TEST(VerifyTypes, CallsTakeWhatTheirParametersTake) {
  const auto mail_to = [](TypeId type, TypeId body) {
    return refusal_of([&](Assembler& a) {
      a.load_text(10, "x", type)
          .load_text(11, "s")
          .load_text(12, "b", body)
          .emit(Op::LoadNull, 13)
          .emit(Op::LoadNull, 14);
      a.emit(Op::LoadNull, 15).call(30, kSendMail, 10).emit(Op::Finish);
    });
  };
  EXPECT_EQ(mail_to(kEmailType, kHtmlType), "");
  EXPECT_THAT(mail_to(kStringType, kHtmlType),
              HasSubstr("parameter `to` of mail.send is `Email or List<Email>` and does not take `String`"));
  EXPECT_THAT(mail_to(kEmailType, kSecretType), HasSubstr("does not take `Secret`"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.call(30, kGetMachine, 20).emit(Op::Finish); }),
              HasSubstr("r20 has no value"));
}

TEST(VerifyFlow, JoinsTypesWherePathsMeet) {
  const auto joined = [](bool second_is_null, Op use) {
    return refusal_of([&](Assembler& a) {
      a.emit(Op::IsNull, 10, kMachineId);
      const auto other = a.jump(Op::JumpIf, 10);
      a.load_text(11, "x");
      const auto meet = a.jump(Op::Jump);
      a.land(other);
      second_is_null ? a.emit(Op::LoadNull, 11) : a.load_int(11, 1);
      a.land(meet).emit(use, 12, 11).emit(Op::Finish);
    });
  };
  EXPECT_EQ(joined(true, Op::ToText), "") << "String or null is String?";
  EXPECT_THAT(joined(true, Op::EscapeHtml), HasSubstr("`String?`, which may be null"));
  EXPECT_THAT(joined(false, Op::ToText), HasSubstr("r11 has no value on every path to here"));
}

TEST(VerifyFlow, NarrowsWhatWasTested) {
  const auto tested = [](Op test, bool use_at_target) {
    return refusal_of([&](Assembler& a) {
      const auto jump = a.jump(test, kMachineId);
      if (!use_at_target) a.emit(Op::EscapeHtml, 10, kMachineId);
      a.emit(Op::Finish).land(jump);
      if (use_at_target) a.emit(Op::EscapeHtml, 10, kMachineId);
      a.emit(Op::Finish);
    });
  };
  EXPECT_EQ(tested(Op::JumpIfSet, true), "");
  EXPECT_THAT(tested(Op::JumpIfSet, false), HasSubstr("may be null"));
  EXPECT_EQ(tested(Op::JumpIfNull, false), "");
  EXPECT_THAT(tested(Op::JumpIfNull, true), HasSubstr("may be null"));
}

TEST(VerifyFlow, LoopsAreFollowedUntilNothingChanges) {
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.load_text(10, "x").emit(Op::LoadBool, 12, 1);
                const auto top = a.here();
                a.emit(Op::EscapeHtml, 11, 10).emit(Op::LoadNull, 10);
                const auto done = a.jump(Op::JumpIf, 12);
                a.aim(a.jump(Op::Jump), top).land(done).emit(Op::Finish);
              }),
              HasSubstr("`String?`, which may be null"));
}

// Liveness looks at all of it.
TEST(VerifyFlow, WhatCannotBeReachedHasItsShapeAllTheSame) {
  const auto unreached = [](Op op, unsigned a, unsigned b, unsigned c, std::int64_t imm) {
    return refusal_of([&](Assembler& as) {
      as.begin_function("two", {kIntType, kIntType}, kIntType);
      as.emit(Op::Return, 0);
      as.end_function();
      as.flow().call_sites = {{.operation = kSendMail, .first_argument = 4}};
      as.emit(Op::Finish).emit(op, a, b, c, imm).emit(Op::Finish);
    });
  };
  constexpr unsigned kLast = kRegisters - 1;
  EXPECT_THAT(unreached(Op::Concat, 4, kLast, 2, 0), HasSubstr("2 registers from r39 are too many"));
  EXPECT_THAT(unreached(Op::NewList, 4, kLast, 2, 0), HasSubstr("too many"));
  EXPECT_THAT(unreached(Op::NewRecord, 4, 5, 0, kIntType), HasSubstr("`Int` is no record"));
  EXPECT_THAT(unreached(Op::Slice, 4, 5, kLast, 0), HasSubstr("too many"));
  EXPECT_THAT(unreached(Op::Invoke, kLast, 0, 0, 0), HasSubstr("too many"));
  EXPECT_THAT(unreached(Op::Native, 4, kLast, 0, id(NativeId::contains)), HasSubstr("too many"));
  EXPECT_THAT(unreached(Op::NextInRange, kLast, 0, 0, 0), HasSubstr("too many"));
  EXPECT_THAT(unreached(Op::NextItem, kLast - 1, 0, 0, 0), HasSubstr("3 registers from r38 are too many"));
  EXPECT_THAT(unreached(Op::NextEntry, kLast - 2, 0, 0, 0), HasSubstr("4 registers from r37 are too many"));
  EXPECT_EQ(unreached(Op::NextEntry, kLast - 3, 0, 0, 0), "");
  EXPECT_EQ(unreached(Op::Call, 4, 0, 0, 0), "");
}

TEST(VerifyFlow, WhatCannotBeReachedMayBeUntyped) {
  EXPECT_EQ(refusal_of([](Assembler& a) { a.emit(Op::Finish).emit(Op::Not, 10, 20).emit(Op::Finish); }), "");
}

TEST(VerifyFlow, HandlersKnowInputsAndTheirMessage) {
  const auto handled = [](std::uint8_t message, unsigned used, Op op = Op::ToText) {
    return refusal_of([&](Assembler& a) {
      a.load_text(10, "x").emit(Op::Finish).emit(op, 11, used).emit(Op::Finish);
      a.flow().handlers = {{.begin = 0, .end = 2, .target = 2, .register_ = message}};
    });
  };
  EXPECT_EQ(handled(20, 20), "");
  EXPECT_EQ(handled(20, kMachineId), "");
  EXPECT_THAT(handled(20, 10), HasSubstr("has no value"));
  EXPECT_THAT(handled(20, kMachineId, Op::EscapeHtml), HasSubstr("may be null"));
  EXPECT_THAT(handled(kMachineId, 20), HasSubstr("a handler's register is an input"));
  EXPECT_THAT(handled(kRegisters, 20), HasSubstr("a handler's register is beyond"));
}

TEST(VerifyFlow, InputsKeepTheirTypes) {
  EXPECT_EQ(refusal_of([](Assembler& a) { a.emit(Op::LoadNull, kMachineId).emit(Op::Finish); }), "");
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::LoadNull, kAlertId).emit(Op::Finish); }),
              HasSubstr("the input in r0 is `AlertId` and cannot hold `null`"));
}

TEST(VerifyTypes, ListsAndTheirLoops) {
  EXPECT_THAT(refusal_of(Op::Append, 17, 10), HasSubstr("`Int` where `String` is needed"));
  EXPECT_THAT(refusal_of(Op::Append, 10, 10), HasSubstr("does not take"));
  EXPECT_THAT(refusal_of(Op::JoinLists, 30, 17, 22), HasSubstr("are different lists"));
  EXPECT_THAT(refusal_of(Op::Slice, 30, 17, 10), HasSubstr("`String`"));
  EXPECT_THAT(refusal_of(Op::Range, 30, 10, 21), HasSubstr("`Time`, not an Int"));
  EXPECT_THAT(refusal_of(Op::SortBy, 30, 17, 22), HasSubstr("items of `List<Alert>` have no order"));
  EXPECT_THAT(refusal_of(Op::Distinct, 30, 22), HasSubstr("cannot be compared"));
  EXPECT_THAT(refusal_of(Op::JoinTexts, 30, 22, 11), HasSubstr("cannot be joined"));
  EXPECT_THAT(refusal_of(Op::JoinTexts, 30, 17, 16), HasSubstr("cannot be joined"));
  EXPECT_THAT(refusal_of(Op::NextInRange, 20), HasSubstr("may be null"));
  EXPECT_THAT(refusal_of(Op::NextItem, 17), HasSubstr("which this instruction does not take"));
  EXPECT_THAT(refusal_of(Op::JumpIfEnum, 14, 4), HasSubstr("`Severity` has no value 4"));
  EXPECT_THAT(refusal_of(Op::JumpIfEnum, 14, 0xff, 0xff), HasSubstr("`Severity` has no value -1"));
  EXPECT_THAT(refusal_of(Op::DivideIntImm, 30, 10, 0, 0), HasSubstr("0 is no divisor here"));
  EXPECT_THAT(refusal_of(Op::ModuloIntImm, 30, 10, 0, -1), HasSubstr("-1 is no divisor here"));
  EXPECT_THAT(refusal_of(Op::JumpIf, 13, 0, 0, -1), HasSubstr("does not jump back"));
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.emit(Op::NewList, 4, 20, 0, a.world.ints).load_int(5, 0);
                a.land(a.jump(Op::NextItem, 4)).show(6).emit(Op::Finish);
              }),
              HasSubstr("r6 has no value on every path"))
      << "the item is known where it jumps, not behind";
}

TEST(VerifyTypes, MapsAreTakenByNoOtherMap) {
  EXPECT_THAT(refusal_of([](Assembler& a) {
                TypeTable& types = a.module.types;
                const TypeId ints = types.map(kIntType), maybe = types.map(a.world.maybe_int);
                const auto put_null = a.begin_function("putNull", {maybe}, maybe);
                a.load_text(1, "k").emit(Op::LoadNull, 2).emit(Op::SetKey, 0, 1, 2).emit(Op::Return, 0);
                a.end_function();
                a.imm(Op::NewMap, 4, ints).emit(Op::Move, 8, 4).imm(Op::Invoke, 8, put_null);
                a.emit(Op::Finish);
              }),
              HasSubstr("r8 is `Map<String, Int>` where `Map<String, Int?>` is needed"))
      << "r4 would have a null in the same table";
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.imm(Op::NewMap, 4, a.module.types.map(kIntType, kIntType)).load_text(5, "k");
                a.emit(Op::HasKey, 6, 4, 5).emit(Op::Finish);
              }),
              HasSubstr("`String` where `Int` is needed"));
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.imm(Op::NewMap, 4, a.module.types.map(kIntType));
                a.emit(Op::Keys, 5, 4, 0, a.world.ints).emit(Op::Finish);
              }),
              HasSubstr("`List<Int>` is no list of `String`"));
  EXPECT_THAT(refusal_of(Op::NewMap, 30, 0, 0, kIntType), HasSubstr("`Int` is no map"));
  EXPECT_THAT(refusal_of(Op::Share, 17), HasSubstr("does not take"));
}

TEST(VerifyFunctions, HaveParametersResultsAndWindows) {
  const auto refusal_with = [](const std::function<void(Assembler&)>& body,
                               const std::function<void(Assembler&)>& flow) {
    return refusal_of([&](Assembler& a) {
      a.begin_function("f", {kIntType}, kStringType);
      body(a);
      a.end_function();
      flow(a);
      a.emit(Op::Finish);
    });
  };
  const auto right = [](Assembler& a) { a.emit(Op::ToText, 1, 0).emit(Op::Return, 1); };
  const auto nothing = [](Assembler&) {};
  EXPECT_EQ(
      refusal_with(right, [](Assembler& a) { a.load_int(8, 1).imm(Op::Invoke, 8, 0).emit(Op::Log, 8); }), "");
  EXPECT_THAT(refusal_with([](Assembler& a) { a.emit(Op::Return, 0); }, nothing),
              HasSubstr("function `f`: pc 0, `Return r0`: r0 is `Int` where `String` is needed"))
      << "though nobody invokes it";
  EXPECT_THAT(refusal_with([](Assembler& a) { a.emit(Op::Return, 1); }, nothing), HasSubstr("no value"));
  for (const Op op : {Op::Finish, Op::Skip})
    EXPECT_THAT(refusal_with([&](Assembler& a) { a.emit(op); }, nothing),
                HasSubstr("a function cannot do this"));
  EXPECT_THAT(refusal_with(right, [](Assembler& a) { a.load_text(8, "x").imm(Op::Invoke, 8, 0); }),
              HasSubstr("`String` where `Int` is needed"));
  EXPECT_THAT(refusal_with(right, [](Assembler& a) { a.load_int(8, 1).imm(Op::Invoke, 8, 1); }),
              HasSubstr("there is no function 1"));
  EXPECT_THAT(refusal_with(right, [](Assembler& a) { a.imm(Op::Invoke, 0, 0); }),
              HasSubstr("an input would be lost"));
  EXPECT_THAT(refusal_with(
                  right, [](Assembler& a) { a.load_int(8, 1).load_int(9, 1).imm(Op::Invoke, 8, 0).show(9); }),
              HasSubstr("r9 has no value on every path"));
  EXPECT_THAT(refusal_with(right,
                           [](Assembler& a) {
                             a.load_int(8, 1).load_int(9, 1).imm(Op::Invoke, 8, 0).emit(Op::Finish);
                             a.show(9);
                             const std::uint32_t handler = a.here() - 2;
                             a.flow().handlers = {{.begin = 2, .end = 3, .target = handler, .register_ = 20}};
                           }),
              HasSubstr("r9 has no value on every path"))
      << "nor where its fault is handled";
  EXPECT_THAT(refusal_of([](Assembler& a) { a.load_int(4, 1).emit(Op::Return, 4); }),
              HasSubstr("a flow returns to nobody"));
}

TEST(VerifyFlow, SizeIsLimited) {
  const auto with_size = [](std::size_t size) {
    return refusal_of([&](Assembler& a) { a.flow().code.assign(size, {Op::Finish}); });
  };
  EXPECT_EQ(with_size(65'535), "");
  EXPECT_THAT(with_size(65'536), HasSubstr("more than 65535 instructions"));
  EXPECT_THAT(with_size(0), HasSubstr("it has no code"));
}

// A null wanders up a chain of registers, one step per round of the loop: each round changes one type.
std::string refusal_of_chain(unsigned length) {
  return refusal_of([&](Assembler& a) {
    a.flow().registers = 255;
    for (unsigned reg = 0; reg <= length; ++reg) a.load_text(10 + reg, "x");
    a.emit(Op::LoadBool, 9, 1);
    const auto top = a.here();
    for (unsigned reg = 0; reg < length; ++reg) a.emit(Op::Move, 10 + reg, 11 + reg);
    a.emit(Op::LoadNull, 10 + length);
    const auto done = a.jump(Op::JumpIf, 9);
    a.aim(a.jump(Op::Jump), top).land(done).emit(Op::Finish);
  });
}

TEST(VerifyFlow, WorkIsLimited) {
  EXPECT_EQ(refusal_of_chain(60), "");
  EXPECT_THAT(refusal_of_chain(240), HasSubstr("too tangled to verify"));
}

}  // namespace
}  // namespace flow::test
