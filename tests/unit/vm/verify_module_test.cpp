// What a module says about itself, and how it is shown.
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

// Each changes one thing of a module that is right.
struct Damage {
  const char* expected;
  std::function<void(Assembler&)> change;
};
void PrintTo(const Damage& damage, std::ostream* out) {
  *out << damage.expected;
}
class VerifyModule : public ::testing::TestWithParam<Damage> {};

TEST_P(VerifyModule, Refuses) {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).call(kMachine, kGetMachine, 10, true).emit(Op::Finish);
  ASSERT_EQ(refusal(a.module), "");
  GetParam().change(a);
  EXPECT_THAT(refusal(a.module), HasSubstr(GetParam().expected));
  EXPECT_NE(disassemble(a.module), "") << "what is wrong can still be shown";
  EXPECT_NE(print_manifest(a.module), "");
}

Operation& isolate(Assembler& a) {
  return a.module.operations[kIsolate];
}
std::optional<Several>& get_machine(Assembler& a) {
  return a.module.operations[*a.module.operation("defender", "get_machine")].several;
}
Several list_of_machines(const std::string& operation = "find_actions") {
  return {.operation = operation,
          .arguments = object_template({"machine"}, {param_template("machine")}),
          .at_most = 40,
          .field = "id"};
}
Route& route(Assembler& a) {
  return isolate(a).routes[0];
}

const Damage kDamages[] = {
    {"its items have no type of values", [](Assembler& a) { a.module.types.list(a.module.types.error()); }},
    {"field `x` has no type of values",
     [](Assembler& a) { a.module.types.add_record({.name = "R", .fields = {{.name = "x", .type = 9999}}}); }},
    {"nested too deeply",
     [](Assembler& a) {
       TypeId type = kIntType;
       for (int i = 0; i < 40; ++i) type = a.module.types.list(type);
     }},
    {"constant 0: it has no type of values", [](Assembler& a) { a.constant({.type = 9999}); }},
    {"constant 0: it has no type of values", [](Assembler& a) { a.constant({.type = a.world.maybe_int}); }},
    {"has no constants", [](Assembler& a) { a.constant({.type = a.world.strings}); }},
    {"a Bool is 0 or 1", [](Assembler& a) { a.constant({.type = kBoolType, .number = 2}); }},
    {"`Severity` has no value 4", [](Assembler& a) { a.constant({.type = a.world.severity, .number = 4}); }},
    {"`Severity` has no value -1",
     [](Assembler& a) { a.constant({.type = a.world.severity, .number = -1}); }},
    {"a Float must be a finite number",
     [](Assembler& a) { a.constant({.type = kFloatType, .real = std::nan("")}); }},
    {"its bytes are not in Base64", [](Assembler& a) { a.constant({.type = kBytesType, .text = "AQI"}); }},
    {"its text is not UTF-8", [](Assembler& a) { a.constant({.type = kStringType, .text = "\xff"}); }},
    {"it has no name", [](Assembler& a) { isolate(a).name.clear(); }},
    {"nothing says how to carry it out", [](Assembler& a) { isolate(a).routes.clear(); }},
    {"its result has no type of values", [](Assembler& a) { isolate(a).result = 9999; }},
    {"parameter `machine` has no type",
     [](Assembler& a) { isolate(a).parameters[0].type = a.module.types.error(); }},
    {"it targets `user`, which is no parameter", [](Assembler& a) { isolate(a).targets = "user"; }},
    {"there is no connector 9", [](Assembler& a) { route(a).connector = 9; }},
    {"`FETCH` is no method", [](Assembler& a) { route(a).method = "FETCH"; }},
    {"its path does not begin with `/`", [](Assembler& a) { route(a).path.children[0].text = "api"; }},
    {"mail has a body and no method",
     [](Assembler& a) { a.module.operations[kSendMail].routes[0].body.reset(); }},
    {"a template has a wrong number of parts",
     [](Assembler& a) { route(a).body->children[1].children.pop_back(); }},
    {"a template has a wrong number of parts",
     [](Assembler& a) {
       route(a).headers = {{"h", {.kind = Template::Kind::If, .children = {{}, {}}}}};
     }},
    {"speaks of a parameter `x`",
     [](Assembler& a) {
       route(a).query = {{"q", param_template("x")}};
     }},
    {"speaks of a parameter `result`",
     [](Assembler& a) {
       route(a).query = {{"q", param_template("result")}};
     }},
    {"can only ask for Html, Kql or String",
     [](Assembler& a) {
       route(a).body = Template{.kind = Template::Kind::IsType, .text = "machine", .type = kIntType};
     }},
    {"an item outside of a list",
     [](Assembler& a) { route(a).body = Template{.kind = Template::Kind::Item}; }},
    {"names no setting", [](Assembler& a) { route(a).body = Template{.kind = Template::Kind::Setting}; }},
    {"no finite number",
     [](Assembler& a) { route(a).body = Template{.kind = Template::Kind::Float, .real = INFINITY}; }},
    {"not as many names as members", [](Assembler& a) { route(a).body->names.pop_back(); }},
    {"lacks operation `defender.gone`", [](Assembler& a) { route(a).crash->operation = "gone"; }},
    {"`defender.isolate` does more than read", [](Assembler& a) { route(a).crash->operation = "isolate"; }},
    {"the arguments of its lookup are no object", [](Assembler& a) { route(a).crash->arguments = {}; }},
    {"lacks operation `defender.gone`", [](Assembler& a) { isolate(a).completes->operation = "gone"; }},
    {"the arguments of its poll are no object", [](Assembler& a) { isolate(a).completes->arguments = {}; }},
    {"its poll never ends", [](Assembler& a) { isolate(a).completes->final_values.clear(); }},
    {"it is no read of one thing", [](Assembler& a) { isolate(a).several = list_of_machines(); }},
    {"lacks operation `defender.gone`", [](Assembler& a) { get_machine(a) = list_of_machines("gone"); }},
    {"`defender.isolate` does more than read",
     [](Assembler& a) { get_machine(a) = list_of_machines("isolate"); }},
    {"the arguments of its list are no object",
     [](Assembler& a) {
       get_machine(a) = list_of_machines();
       get_machine(a)->arguments = {};
     }},
    {"speaks of a parameter `result.id`",
     [](Assembler& a) {
       get_machine(a) = list_of_machines();
       get_machine(a)->arguments.children[0] = param_template("result.id");
     }},
    {"its list does not tell several apart",
     [](Assembler& a) {
       get_machine(a) = list_of_machines();
       get_machine(a)->at_most = 1;
     }},
    {"its list does not tell several apart",
     [](Assembler& a) {
       get_machine(a) = list_of_machines();
       get_machine(a)->field.clear();
     }},
    {"trigger ``: it has no name", [](Assembler& a) { a.module.triggers[0].name.clear(); }},
    {"lacks operation `defender.gone`", [](Assembler& a) { a.module.triggers[0].operation = "gone"; }},
    {"`defender.isolate` does more than read",
     [](Assembler& a) { a.module.triggers[0].operation = "isolate"; }},
    {"page size or times are out of range", [](Assembler& a) { a.module.triggers[0].page_size = 0; }},
    {"binding `machineId` is incomplete",
     [](Assembler& a) { a.module.triggers[0].bindings[1].wire.clear(); }},
    {"entity `machine` is no record", [](Assembler& a) { a.module.triggers[0].entities[1].type = kIntType; }},
    {"entity `machine` is no record", [](Assembler& a) { a.module.triggers[0].entities[1].type = 9999; }},
    {"binding `machineId` is incomplete", [](Assembler& a) { a.module.triggers[0].bindings[1].type = 9999; }},
    {"which is no binding", [](Assembler& a) { a.module.triggers[0].entities[1].argument = "x"; }},
    {"flow ``: it has no name", [](Assembler& a) { a.flow().name.clear(); }},
    {"there is no trigger 1", [](Assembler& a) { a.flow().trigger = 1; }},
    {"more inputs than registers", [](Assembler& a) { a.flow().registers = 3; }},
    {"input `machineId` has no type of values", [](Assembler& a) { a.flow().inputs[1].type = kSecretType; }},
    {"is no binding of its trigger", [](Assembler& a) { a.flow().inputs[1].name = "x"; }},
    {"names no member of the event", [](Assembler& a) { a.flow().inputs[1].wire.clear(); }},
    {"is no entity of its trigger", [](Assembler& a) { a.flow().inputs[2].name = "x"; }},
    {"must be a record or null", [](Assembler& a) { a.flow().inputs[3].type = a.world.machine; }},
    {"there is no operation 99", [](Assembler& a) { a.flow().call_sites[0].operation = 99; }},
    {"are beyond the registers", [](Assembler& a) { a.flow().call_sites[0].first_argument = kRegisters; }},
    {"is fetched, but does more than read",
     [](Assembler& a) {
       a.flow().call_sites[0] = {.operation = kIsolate, .first_argument = 10, .is_fetch = true};
     }},
    {"the manifest keeps defender.get_machine secret", [](Assembler& a) { a.flow().manifest.calls.clear(); }},
    {"its manifest speaks of operation 77",
     [](Assembler& a) { a.flow().manifest.calls.push_back({.operation = 77}); }},
    {"its manifest reads `user`", [](Assembler& a) { a.flow().manifest.reads[0].entity = "user"; }},
    {"a handler covers no code",
     [](Assembler& a) { a.flow().handlers = {{.begin = 1, .end = 1, .target = 0, .register_ = 20}}; }},
    {"a handler covers no code",
     [](Assembler& a) { a.flow().handlers = {{.begin = 0, .end = 1, .target = 99, .register_ = 20}}; }},
    {"a handler does not stand behind the code it covers",
     [](Assembler& a) { a.flow().handlers = {{.begin = 0, .end = 2, .target = 1, .register_ = 20}}; }},
    {"a union of types that cannot be told apart",
     [](Assembler& a) {
       isolate(a).parameters[1].type = a.module.types.union_of({a.world.alert, a.world.machine});
     }},
    {"a union of types that cannot be told apart",
     [](Assembler& a) {
       a.module.types.union_of({a.world.strings, kIntType, a.world.alerts});
     }},
    {"a union of more than 32 types",
     [](Assembler& a) { a.module.types.union_of(std::vector<TypeId>(33, kIntType)); }},
    {"its keys have no type of keys", [](Assembler& a) { a.module.types.map(kFloatType, kIntType); }},
    {"its keys have no type of keys",
     [](Assembler& a) { a.module.types.map(a.world.maybe_string, kIntType); }},
    {"a line stands for no code", [](Assembler& a) { a.flow().lines = {{.pc = 99, .line = 1}}; }},
    {"the lines are not in order",
     [](Assembler& a) {
       a.flow().lines = {{.pc = 1, .line = 1}, {.pc = 1, .line = 2}};
     }},
    {"the name `n` stands for no register",
     [](Assembler& a) { a.flow().names = {{.begin = 0, .end = 1, .register_ = kRegisters, .name = "n"}}; }},
};
INSTANTIATE_TEST_SUITE_P(OneThing, VerifyModule, ::testing::ValuesIn(kDamages));

TEST(Disassemble, ShowsOperationsConstantsAndCode) {
  Assembler a;
  const auto fetched = a.jump(Op::JumpIfSet, kMachine);
  a.emit(Op::Unwrap, 10, kMachineId)
      .call(kMachine, kGetMachine, 10, true)
      .land(fetched)
      .load_severity(11, 3)
      .emit(Op::Finish);
  a.flow().lines = {{.pc = 0, .line = 4, .column = 6}};
  a.flow().names = {{.begin = 2, .end = 3, .register_ = 10, .name = "id"}};
  const std::string text = disassemble(a.module);
  EXPECT_THAT(
      text,
      HasSubstr("operation 3 act defender.isolate(machine: MachineId, comment: String) -> MachineAction\n"
                "  defender POST /api/machines/{machine}/isolate\n"));
  EXPECT_THAT(text, HasSubstr("k0 Severity.High\n"));
  EXPECT_THAT(
      text,
      HasSubstr("  ; line 4:6\n"
                "     0  JumpIfSet r3, @3             ; r3 = machine\n"
                "     1  Unwrap r10, r1               ; r10 = id, r1 = machineId\n"
                "     2  Call r3, site 0              ; r3 = machine, defender.get_machine from r10, fetch\n"
                "@    3  LoadConst r11, k0            ; Severity.High\n"
                "     4  Finish\n"));
  EXPECT_EQ(disassemble(a.module), text);
}

TEST(Disassemble, ShowsFunctionsAndTheirCallers) {
  Assembler a;
  const auto twice = a.begin_function("twice", {kIntType, a.world.strings}, a.world.maybe_int);
  a.emit(Op::AddInt, 2, 0, 0).emit(Op::Return, 2);
  a.module.functions[twice].names = {{.begin = 0, .end = 2, .register_ = 0, .name = "n"}};
  a.end_function();
  a.load_int(8, 1).emit(Op::NewList, 9, 8, 0, a.world.strings).imm(Op::Invoke, 8, twice).emit(Op::Finish);
  const std::string text = disassemble(a.module);
  EXPECT_THAT(text, HasSubstr("function twice(Int, List<String>) -> Int?, 40 registers\n"
                              "     0  AddInt r2, r0, r0            ; r0 = n, r0 = n\n"
                              "     1  Return r2\n"));
  EXPECT_THAT(text, HasSubstr("Invoke r8, function 0        ; twice\n"));
}

TEST(Disassemble, PrintsTheManifestInTenLines) {
  Assembler a;
  a.emit(Op::Finish);
  a.flow().manifest.calls = {{.operation = kGetMachine, .at_most = 1, .is_fetch = true, .line = 4},
                             {.operation = kIsolate, .at_most = 2, .line = 6}};
  EXPECT_EQ(print_manifest(a.module),
            "flow isolate\n"
            "  starts on    alert.new\n"
            "  polls only   severity eq 'High'\n"
            "  expands      evidence\n"
            "  reads        alert.severity, alert.title\n"
            "  fetches      defender.get_machine (read, at most 1, line 4)\n"
            "  calls        defender.isolate (act, at most 2, line 6, retired on 2027-01-01)\n"
            "  tells        isolate to soc@contoso.com\n"
            "  hosts        api.example\n"
            "  needs        Machine.Read.All of defender\n"
            "  guardrails   none\n"
            "  sustains     500 alerts an hour (quota default, 3 calls each)\n");
}

TEST(OpTable, FormatsWhatIsNoInstruction) {
  EXPECT_EQ(format_instruction(0, {static_cast<Op>(0x99)}), "code 0x99");
  EXPECT_EQ(format_instruction(5, {Op::Jump}), "Jump @6");
  EXPECT_EQ(format_instruction(0, {Op::Native, 1, 2, 0, 0}), "Native r1, r2, lower");
  EXPECT_EQ(format_instruction(0, {Op::Native, 1, 2, 0, 250}), "Native r1, r2, native 250");
}

}  // namespace
}  // namespace flow::test
