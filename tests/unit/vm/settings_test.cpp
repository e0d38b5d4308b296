// Settings: what a run starts with beside its event.
#include "vm/interp/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/running.hpp"
#include "vm/bytecode/verify.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// One setting of `type`, in r4, which is shown.
Assembler with_setting(Setting setting) {
  Assembler a;
  a.flow().inputs.push_back({.name = setting.name, .type = setting.type, .source = Input::Source::Setting});
  a.module.settings.push_back(std::move(setting));
  return a;
}

std::vector<std::string> told(const Assembler& a, std::string_view settings) {
  const auto program = Program::load(a.world.module);
  if (!program) return {program.error().message};
  Machine machine(*program, 0);
  std::vector<std::string> story;
  Step step = machine.start(kEvent, settings);
  for (; !std::holds_alternative<Ended>(step); step = machine.resume(Returned{"null"}))
    story.push_back(test::told(step, a.world.module));
  story.push_back(test::told(step, a.world.module));
  return story;
}

TEST(Settings, AreGivenOrHaveADefault) {
  Assembler a = with_setting({.name = "threshold", .type = kIntType, .default_json = "5"});
  a.show(4).emit(Op::Finish);
  EXPECT_THAT(told(a, R"({"threshold":9})"), ElementsAre("9", "finished"));
  EXPECT_THAT(told(a, "{}"), ElementsAre("5", "finished"));
  EXPECT_THAT(told(a, R"({"threshold":null})"), ElementsAre("5", "finished"));
  EXPECT_THAT(told(a, R"({"threshold":"9"})"),
              ElementsAre("InvalidValue: parameter `threshold`: expected Int, found text"));
}

TEST(Settings, AreRequiredOrNull) {
  Assembler a = with_setting({.name = "soc", .type = kEmailType, .is_required = true});
  a.show(4).emit(Op::Finish);
  EXPECT_THAT(told(a, "{}"),
              ElementsAre("InvalidValue: parameter `soc`: it is required, and nothing was given"));
  EXPECT_THAT(told(a, R"({"soc":"nobody"})"),
              ElementsAre(HasSubstr(R"(the value is "nobody", which is no Email: it has no `@`)")));
  Assembler other;
  const TypeId maybe = other.world.maybe_string;
  Assembler b = with_setting({.name = "note", .type = maybe});
  b.show(4).emit(Op::Finish);
  EXPECT_THAT(told(b, "{}"), ElementsAre("(unknown)", "finished"));
}

TEST(Settings, ASecretIsOnlyItsName) {
  Assembler a = with_setting({.name = "key", .type = kSecretType, .is_secret = true});
  a.load_text(10, "a@b.c", kEmailType).load_text(11, "s").load_text(12, "t").emit(Op::Move, 13, 4);
  a.emit(Op::LoadNull, 14).emit(Op::LoadNull, 15).call(20, kSendMail, 10).emit(Op::Finish);
  EXPECT_THAT(told(a, "{}"), ElementsAre(HasSubstr(R"("password":{"$secret":"key"})"), "finished"));
  EXPECT_THAT(told(a, R"({"key":"vault-key"})").front(), HasSubstr(R"({"$secret":"vault-key"})"));
  EXPECT_THAT(told(a, R"({"key":{"$secret":"other"}})").front(), HasSubstr(R"({"$secret":"other"})"));
  EXPECT_THAT(told(a, R"({"key":7})"),
              ElementsAre("InvalidValue: parameter `key`: expected String, found number"));
}

TEST(Settings, AreKeptInSnapshots) {
  Assembler a = with_setting({.name = "threshold", .type = kIntType, .default_json = "5"});
  a.load_text(10, "waits").emit(Op::Log, 10).show(4).emit(Op::Finish);
  const auto program = Program::load(a.module);
  ASSERT_TRUE(program) << program.error().message;
  Machine machine(*program, 0);
  machine.start(kEvent, R"({"threshold":9})");
  auto restored = Machine::restore(*program, 0, {}, machine.snapshot());
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(test::told(restored->resume(Returned{"null"}), a.module), "9");
}

TEST(CheckSettings, SaysWhatIsWrongBeforeAnyRun) {
  Module module;
  module.settings = {{.name = "soc", .type = kEmailType, .is_required = true},
                     {.name = "age", .type = kDurationType, .default_json = R"("1h")"}};
  const auto problem = [&](std::string_view settings) {
    const auto checked = check_settings(module, settings);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(problem(R"({"soc":"a@b.c","age":"2h"})"), "");
  EXPECT_EQ(problem(R"({"soc":"a@b.c","agee":"2h"})"), "there is no setting `agee`");
  EXPECT_EQ(problem("{}"), "parameter `soc`: it is required, and nothing was given");
  EXPECT_EQ(problem(R"({"soc":"a@b.c","age":"long"})"),
            R"(parameter `age`: the value is "long", which is no Duration)");
  EXPECT_EQ(problem("7"), "the settings are no JSON object");
  module.settings[1].default_json = "2";
  EXPECT_EQ(problem(R"({"soc":"a@b.c"})"), "parameter `age`: expected Duration, found number");
}

TEST(VerifySettings, EachRule) {
  const auto refusal = [](Setting setting, TypeId input_type) {
    Assembler a = with_setting(std::move(setting));
    a.flow().inputs.back().type = input_type;
    a.emit(Op::Finish);
    const auto verified = verify(a.module);
    return verified ? "" : verified.error().message;
  };
  EXPECT_EQ(refusal({.name = "x", .type = kIntType}, kIntType), "");
  EXPECT_THAT(refusal({.name = "x", .type = kIntType}, kStringType),
              HasSubstr("another type than the setting"));
  EXPECT_THAT(refusal({.type = kIntType}, kIntType), HasSubstr("it has no name"));
  EXPECT_THAT(refusal({.name = "x", .type = kSecretType}, kSecretType),
              HasSubstr("is a secret, and nothing else"));
  EXPECT_THAT(refusal({.name = "x", .type = kIntType, .is_secret = true}, kIntType),
              HasSubstr("nothing else"));
  EXPECT_THAT(refusal({.name = "x", .type = kHtmlType}, kHtmlType), HasSubstr("`Html` cannot be read"));
  EXPECT_THAT(refusal({.name = "x", .type = kIntType, .default_json = "1", .is_required = true}, kIntType),
              HasSubstr("it is required, and can do without"));
  Assembler twice = with_setting({.name = "x", .type = kIntType});
  twice.module.settings.push_back(twice.module.settings.front());
  twice.emit(Op::Finish);
  EXPECT_THAT(verify(twice.module).error().message, HasSubstr("another one of that name"));
  Assembler none = with_setting({.name = "x", .type = kIntType});
  none.module.settings.clear();
  none.emit(Op::Finish);
  EXPECT_THAT(verify(none.module).error().message, HasSubstr("is no setting of the module"));
}

}  // namespace
}  // namespace flow::test
