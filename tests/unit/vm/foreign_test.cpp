// Json, texts that are more than texts, and results of flows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/running.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/interp/json_read.hpp"
#include "vm/interp/json_scan.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Its `extra` is a Json?.
std::string machine_with(std::string_view extra) {
  return R"({"id":"m1","machineTags":[],"extra":)" + std::string(extra) + "}";
}

struct Foreign {
  Assembler a;
  TypeId maybe_json;

  Foreign() {
    maybe_json = a.module.types.optional(kJsonType);
    a.emit(Op::Unwrap, 5, kMachineId).call(6, kGetMachine, 5).emit(Op::GetField, 10, 6, 5);  // r10: Json?
  }
  Foreign& member(unsigned to, unsigned from, std::string name) {
    const unsigned constant = a.constant({.type = kStringType, .text = std::move(name)});
    a.emit(Op::JsonMember, to, from, 0, constant);
    return *this;
  }
  Foreign& item(unsigned to, unsigned from, std::int64_t index) {
    a.load_int(35, index).emit(Op::JsonItem, to, from, 35);
    return *this;
  }
  // Logs r[reg] as text, or null.
  Foreign& as_text(unsigned reg) {
    a.emit(Op::JsonTo, 36, reg, 0, a.world.maybe_string).show(36);
    return *this;
  }
  // What the run does after the machine was fetched.
  std::vector<std::string> told(std::string_view extra, Limits limits = {}) {
    a.emit(Op::Finish);
    std::vector<std::string> story = run(a.module, {Returned{machine_with(extra)}}, kEvent, limits);
    if (!story.empty()) story.erase(story.begin());
    a.code().pop_back();
    return story;
  }
};

TEST(Json, MembersAndItemsOrNull) {
  Foreign f;
  f.member(11, 10, "a").member(11, 11, "b").item(11, 11, 1).as_text(11);
  EXPECT_THAT(f.told(R"({"a":{"b":["x","y"]}})"), ElementsAre("y", "finished"));
  for (const char* without : {R"({"a":{"b":["x"]}})", R"({"a":{"b":{}}})", R"({"a":null})", R"({"A":{}})",
                              "[]", "null", "7", R"({"a":{"b":["x",null]}})", R"("a")"})
    EXPECT_THAT(f.told(without), ElementsAre("(unknown)", "finished")) << without;
}

TEST(Json, AMemberMayBeNamedByAText) {
  Foreign f;
  f.a.load_text(12, "key").emit(Op::JsonItem, 11, 10, 12);
  f.as_text(11);
  EXPECT_THAT(f.told(R"({"key":"value"})"), ElementsAre("value", "finished"));
}

TEST(Json, OfMembersWithOneNameTheLastCounts) {
  Foreign f;
  f.member(11, 10, "a").as_text(11);
  EXPECT_THAT(f.told(R"({"a":"first","b":1,"a":"last"})"), ElementsAre("last", "finished"));
}

TEST(Json, WhatHasTheFormIsConverted) {
  Foreign f;
  f.a.emit(Op::JsonTo, 11, 10, 0, f.a.world.node).emit(Op::GetField, 12, 11, 0).show(12);
  EXPECT_THAT(f.told(R"({"value":7,"next":{"value":8}})"), ElementsAre("7", "finished"));
  EXPECT_THAT(f.told(R"({"value":7,"next":{"value":8,"next":{"value":"9"}}})"),
              ElementsAre("InvalidValue: at .next.next.value: expected Int, found text"));
  EXPECT_THAT(f.told(R"([1])"), ElementsAre("InvalidValue: expected Node, found list"));
  EXPECT_THAT(f.told("null"), ElementsAre("InvalidValue: expected Node, found null"));
  EXPECT_THAT(f.told("{}"), ElementsAre("InvalidValue: at .value: it is missing"));
}

TEST(Json, WhatIsMissingHasItsDefault) {
  Foreign f;
  std::vector<RecordField>& fields = f.a.module.types.mutable_record(f.a.world.node).fields;
  fields[0].default_json = "7";
  f.a.emit(Op::JsonTo, 11, 10, 0, f.a.world.node).emit(Op::GetField, 12, 11, 0).show(12);
  EXPECT_THAT(f.told("{}"), ElementsAre("7", "finished"));
  EXPECT_THAT(f.told(R"({"value":8,"next":{}})"), ElementsAre("8", "finished"));
  EXPECT_THAT(f.told(R"({"value":null})"), ElementsAre("InvalidValue: at .value: expected Int, found null"));
  // What no compiler writes does no harm: a default that needs another one, of another type, no JSON.
  fields[1].default_json = "{}";
  EXPECT_THAT(f.told("{}"), ElementsAre("InvalidValue: at .next.value: it is missing"));
  fields[0].default_json = "[1]";
  EXPECT_THAT(f.told("{}"), ElementsAre("InvalidValue: at .value: expected Int, found list"));
  fields[0].default_json = "{";
  EXPECT_THAT(f.told("{}"), ElementsAre("InvalidValue: at .value: it has a default that is no JSON"));
}

TEST(Json, BytesAreBase64InOneSpelling) {
  Foreign f;
  f.a.emit(Op::JsonTo, 11, 10, 0, kBytesType).show(11);
  EXPECT_THAT(f.told(R"("-_A")"), ElementsAre("+/A=", "finished"));
  EXPECT_THAT(f.told(R"("")"), ElementsAre("", "finished"));
  EXPECT_THAT(f.told(R"("a b!")"), ElementsAre(R"(InvalidValue: the value is "a b!", which is no Base64)"));
  EXPECT_THAT(f.told("7"), ElementsAre("InvalidValue: expected Bytes, found number"));
}

TEST(Json, PlacesAreNamedAsJsonNamesThem) {
  Foreign f;
  f.a.emit(Op::JsonTo, 11, 10, 0, f.a.world.machine);
  EXPECT_THAT(f.told(R"({"id":")" + std::string(40, 'a') + R"(","machineTags":["a",["b"]]})"),
              ElementsAre("InvalidValue: at .machineTags[1]: expected String, found list"));
}

TEST(Json, TextsAndEnumsAreHeldToTheirForm) {
  Foreign emails;
  emails.a.emit(Op::JsonTo, 11, 10, 0, emails.a.world.emails).emit(Op::ListLength, 12, 11).show(12);
  EXPECT_THAT(emails.told(R"(["a@b.c"])"), ElementsAre("1", "finished"));
  EXPECT_THAT(emails.told(R"(["a@b.c","nobody"])"),
              ElementsAre(R"(InvalidValue: at [1]: it is "nobody", which is no Email: it has no `@`)"));
  Foreign severity;
  severity.a.emit(Op::JsonTo, 11, 10, 0, severity.a.world.severity).show(11);
  EXPECT_THAT(severity.told(R"("high")"), ElementsAre("High", "finished"));
  EXPECT_THAT(severity.told(R"("Hihg")"),
              ElementsAre(R"(InvalidValue: the value is "Hihg", which is no Severity)"));
}

TEST(Json, ValuesBecomeJsonWithTheirWireNames) {
  Foreign f;
  f.a.emit(Op::ToJson, 11, 6, 0, f.a.world.machine);
  f.member(12, 11, "computerDnsName").as_text(12).member(13, 11, "extra").member(13, 13, "k").as_text(13);
  EXPECT_THAT(f.told(R"({"k":"v"})"), ElementsAre("(unknown)", "v", "finished"));
  Foreign list;
  list.a.load_int(20, 1).load_int(21, 2).emit(Op::NewList, 22, 20, 2, list.a.world.ints);
  list.a.emit(Op::ToJson, 23, 22, 0, list.a.world.ints).emit(Op::JsonTo, 24, 23, 0, list.a.world.ints);
  list.a.emit(Op::GetItem, 25, 24, 20).show(25);
  EXPECT_THAT(list.told("null"), ElementsAre("2", "finished"));
}

TEST(Json, TooMuchIsAFault) {
  Foreign f;
  f.a.emit(Op::ToJson, 11, 6, 0, f.a.world.machine);
  const std::string long_text = '"' + std::string(500, 'x') + '"';
  EXPECT_THAT(f.told(long_text, {.text_bytes = 400}),
              ElementsAre(HasSubstr("TooLarge: a text of more than 400")));
}

TEST(Json, CostsFuelAndSurvivesTheLeastMemory) {
  Foreign f;
  f.a.emit(Op::ToJson, 11, 6, 0, f.a.world.machine).emit(Op::JsonTo, 12, 11, 0, f.a.world.machine);
  f.a.emit(Op::ToJson, 13, 12, 0, f.a.world.machine);
  f.member(14, 13, "extra").as_text(14);
  const std::string json = '"' + std::string(10'000, 'x') + '"';
  const std::string id =
      R"({"id":")" + std::string(40, 'a') + R"(","machineTags":["t"],"extra":)" + json + "}";
  f.a.emit(Op::Finish);
  const auto story = run(f.a.module, {Returned{id}});
  EXPECT_EQ(story.back(), "finished");
  EXPECT_EQ(run(f.a.module, {Returned{id}}, kEvent, {.collect_from_bytes = 0}), story);
  EXPECT_THAT(run(f.a.module, {Returned{id}}, kEvent, {.fuel = 500}).back(), HasSubstr("OutOfFuel"));
}

TEST(JsonScan, FindsPartsAmongEverythingElse) {
  const std::string_view json =
      R"( {"a" : [1, {"]":"}"}, "\"]", -2.5e3] , "b\u00e9\n":{"x":"\\"} , "":0,"\ud83d\ude00":true})";
  EXPECT_EQ(scan_member(json, "a"), R"([1, {"]":"}"}, "\"]", -2.5e3])");
  EXPECT_EQ(scan_member(json, "bé\n"), R"({"x":"\\"})");
  EXPECT_EQ(scan_member(json, ""), "0");
  EXPECT_EQ(scan_member(json, "😀"), "true");
  EXPECT_EQ(scan_member(json, "c"), std::nullopt);
  const std::string_view list = *scan_member(json, "a");
  EXPECT_EQ(scan_item(list, 0), "1");
  EXPECT_EQ(scan_item(list, 1), R"({"]":"}"})");
  EXPECT_EQ(scan_item(list, 2), R"("\"]")");
  EXPECT_EQ(scan_item(list, 3), "-2.5e3");
  EXPECT_EQ(scan_item(list, 4), std::nullopt);
  EXPECT_EQ(scan_item(list, -1), std::nullopt);
  EXPECT_EQ(scan_item("[]", 0), std::nullopt);
}

TEST(JsonScan, NonsenseDoesNoHarm) {
  const std::string_view whole = R"({"a":[{"b":"\"c"},[1,2]],"\u00e9\ud83d":{"d":null}})";
  for (std::size_t begin = 0; begin < whole.size(); ++begin)
    for (std::size_t size = 0; begin + size <= whole.size(); ++size) {
      const std::string part(whole.substr(begin, size));  // its own memory, for the sanitizers
      for (const char* name : {"a", "é", ""}) scan_member(part, name);
      for (const int index : {0, 1, 5}) scan_item(part, index);
    }
}

TEST(JsonParse, KeepsTextsWithoutBlanks) {
  Heap heap(10'000, 10'000);
  Slot value;
  EXPECT_FALSE(json_parse(R"( { "a" : [ 1 , 2 ] } )", heap, value));
  EXPECT_EQ(value.view(), R"({"a":[1,2]})");
  const auto problem = json_parse("{", heap, value);
  ASSERT_TRUE(problem);
  EXPECT_THAT(problem->message, HasSubstr("is not JSON"));
}

TEST(CheckText, FormsOfTheTypesKeptAsText) {
  const auto checked = [](std::string text, TypeId type) {
    Assembler a;
    a.load_text(10, std::move(text)).emit(Op::CheckText, 11, 10, 0, type).show(11).emit(Op::Finish);
    return run(a.module).front();
  };
  EXPECT_EQ(checked("a@b.c", kEmailType), "a@b.c");
  EXPECT_EQ(checked("a@b@c", kEmailType), R"(InvalidValue: "a@b@c" is no Email: it has more than one `@`)");
  EXPECT_EQ(checked("::1", kIpType), "::1");
  EXPECT_EQ(checked("1.2.3", kIpType), R"(InvalidValue: "1.2.3" is no Ip: it is no IPv4 or IPv6 address)");
  EXPECT_EQ(checked("ab", kMd5Type), R"(InvalidValue: "ab" is no Md5: it must have 32 hexadecimal digits)");
  EXPECT_EQ(checked("", kStringType), "");
  EXPECT_EQ(checked("AQI", kBytesType), "AQI=");
  EXPECT_EQ(checked("A", kBytesType), R"(InvalidValue: "A" is no Base64)");
  const std::string what = checked(std::string(100, 'z'), kMd5Type);
  EXPECT_EQ(what,
            "InvalidValue: \"" + std::string(80, 'z') + "\"… is no Md5: it must have 32 hexadecimal digits");
}

TEST(CheckText, ValuesOfEnums) {
  const auto checked = [](std::string text) {
    Assembler a;
    a.load_text(10, std::move(text)).emit(Op::CheckText, 11, 10, 0, a.world.status).show(11).emit(Op::Finish);
    return run(a.module).front();
  };
  EXPECT_EQ(checked("closed"), "Closed");
  EXPECT_EQ(checked("open"), R"(InvalidValue: "open" is no Status; its values are New, Closed)");
}

TEST(FinishWith, GivesTheResultAsJson) {
  Assembler a;
  a.flow().result = a.world.node;
  a.load_int(10, 7)
      .emit(Op::LoadNull, 11)
      .emit(Op::NewRecord, 12, 10, 0, a.world.node)
      .emit(Op::FinishWith, 12);
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program) << program.error().message;
  Machine machine(*program, 0);
  const Ended ended = std::get<Ended>(machine.start(kEvent));
  EXPECT_EQ(ended.how, Ended::How::Finished);
  EXPECT_EQ(ended.result, R"({"value":7,"next":null})");
}

std::string refusal_of(const std::function<void(Assembler&)>& write) {
  Assembler a;
  a.module.types.optional(kJsonType);
  a.load_int(10, 1).load_text(11, "s").load_text(15, "name", kSecretType).load_text(16, "<p>", kHtmlType);
  a.emit(Op::ToJson, 12, 10, 0, kIntType);
  write(a);
  a.emit(Op::Finish);
  const auto verified = verify(a.module);
  return verified ? "" : verified.error().message;
}
std::string refusal_of(Op op, unsigned a, unsigned b, unsigned c, std::int64_t imm) {
  return refusal_of([&](Assembler& as) { as.emit(op, a, b, c, imm); });
}

TEST(VerifyForeign, WhatGoesInAndOut) {
  EXPECT_EQ(refusal_of(Op::JsonTo, 20, 12, 0, kIntType), "");
  EXPECT_THAT(refusal_of(Op::JsonTo, 20, 10, 0, kIntType), HasSubstr("r10 is `Int`, not Json"));
  EXPECT_THAT(refusal_of(Op::JsonItem, 20, 10, 10, 0), HasSubstr("r10 is `Int`, not Json"));
  EXPECT_THAT(refusal_of(Op::JsonItem, 20, 12, 12, 0), HasSubstr("r12 is `Json`, which this instruction"));
  EXPECT_THAT(refusal_of(Op::JsonItem, 20, 12, 30, 0), HasSubstr("r30 has no value"));
  EXPECT_THAT(
      refusal_of([](Assembler& a) { a.emit(Op::JsonMember, 20, 12, 0, a.constant({.type = kIntType})); }),
      HasSubstr("`Int` names no member"));
  EXPECT_THAT(refusal_of(Op::ToJson, 20, 10, 0, kStringType), HasSubstr("r10 is `Int` where `String`"));
  EXPECT_THAT(refusal_of(Op::CheckText, 20, 10, 0, kEmailType), HasSubstr("r10 is `Int`"));
  EXPECT_THAT(refusal_of(Op::CheckText, 20, 11, 0, kIntType), HasSubstr("no text becomes `Int`"));
  EXPECT_THAT(refusal_of(Op::CheckText, 20, 16, 0, kEmailType), HasSubstr("r16 is `Html`, which stays"));
}

TEST(VerifyForeign, NeedsTheTypeOfItsResult) {
  Assembler a;
  TypeTable& types = a.module.types;  // has Json? in Machine
  Module bare;
  bare.types = TypeTable();
  bare.triggers = {{.kind = Trigger::Kind::Manual, .name = "manual"}};
  FlowCode flow;
  flow.name = "f";
  flow.registers = 4;
  flow.code = {{Op::LoadInt, 0}, {Op::ToJson, 1, 0, 0, kIntType}, {Op::JsonItem, 2, 1, 0}, {Op::Finish}};
  bare.flows.push_back(flow);
  const auto verified = verify(bare);
  ASSERT_FALSE(verified);
  EXPECT_THAT(verified.error().message, HasSubstr("the module has no type `Json?`"));
  EXPECT_GT(types.size(), 0u);
}

TEST(VerifyForeign, NeitherSecretsNorMarkupComeOfJsonOrTexts) {
  for (const TypeId type : {kSecretType, kHtmlType, kKqlType}) {
    EXPECT_THAT(refusal_of(Op::JsonTo, 20, 12, 0, type), HasSubstr("no Json becomes"));
    EXPECT_THAT(refusal_of(Op::CheckText, 20, 11, 0, type), HasSubstr("no text becomes"));
    EXPECT_THAT(
        refusal_of([&](Assembler& a) {
          const TypeId record = a.module.types.add_record(
              {.name = "R", .fields = {{.name = "x", .wire = "x", .type = a.module.types.list(type)}}});
          a.emit(Op::JsonTo, 20, 12, 0, record);
        }),
        HasSubstr("no Json becomes `R`"));
  }
  EXPECT_THAT(refusal_of(Op::ToJson, 20, 15, 0, kSecretType), HasSubstr("`Secret` holds a secret"));
  EXPECT_EQ(refusal_of(Op::ToJson, 20, 16, 0, kHtmlType), "");
}

TEST(VerifyForeign, ValuesAreOfNoUnionAndNoUnknownType) {
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.emit(Op::ToJson, 20, 11, 0, a.module.types.union_of({kStringType, kHtmlType}));
              }),
              HasSubstr("values are no"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::ToJson, 20, 11, 0, a.module.types.error()); }),
              HasSubstr("values are no"));
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::JsonTo, 20, 12, 0, a.module.types.error()); }),
              HasSubstr("no Json becomes"));
  EXPECT_THAT(refusal_of(Op::JsonTo, 20, 12, 0, kNullType), HasSubstr("no Json becomes"));
}

TEST(VerifyFinishWith, IsForTheResultOfAFlow) {
  EXPECT_THAT(refusal_of([](Assembler& a) { a.emit(Op::FinishWith, 10); }),
              HasSubstr("r10 is `Int` where `null` is needed"));
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.flow().result = kSecretType;
                a.emit(Op::FinishWith, 15);
              }),
              HasSubstr("holds a secret"));
  EXPECT_THAT(refusal_of([](Assembler& a) {
                a.begin_function("f", {kIntType}, kIntType);
                a.emit(Op::FinishWith, 0);
                a.end_function();
              }),
              HasSubstr("a function cannot do this"));
}

}  // namespace
}  // namespace flow::test
