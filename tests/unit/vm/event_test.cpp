#include "vm/interp/event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/verify.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// A flow whose only inputs are members of the event, each of them optional; it logs one after the other.
struct Member {
  std::string wire;
  TypeId type;
};
// An input that is a member of the event, known to the trigger by a name of its own.
void bind(Assembler& a, const Member& member) {
  const std::string name = "binding" + std::to_string(a.flow().inputs.size());
  a.module.triggers[0].bindings.push_back({.name = name, .wire = member.wire, .type = member.type});
  a.flow().inputs.push_back(
      {.name = name, .type = member.type, .source = Input::Source::Binding, .wire = member.wire});
}
Module logs(const std::vector<Member>& members) {
  Assembler a;
  a.flow().inputs.clear();
  for (const Member& member : members) bind(a, {member.wire, a.module.types.optional(member.type)});
  for (std::size_t i = 0; i < members.size(); ++i) a.show(static_cast<unsigned>(i));
  a.emit(Op::Finish);
  return std::move(a.module);
}
// Calls out with the alert's ID, logs it and the rest, so that it waits in between.
Module waits() {
  Assembler a;
  a.emit(Op::Unwrap, 10, kMachineId).load_text(11, "c").call(12, kIsolate, 10).emit(Op::Unwrap, 4, kAlert);
  for (unsigned field = 0; field < 4; ++field) a.emit(Op::GetField, 5, 4, field).show(5);
  a.emit(Op::Finish);
  return std::move(a.module);
}

// Sends on what the event says of a device, a record with a list, a map and foreign data.
Module sends() {
  Assembler a;
  a.flow().inputs.clear();
  bind(a, {"device", a.world.maybe_machine});
  a.load_text(10, "a@x", kEmailType).load_text(11, "s").load_text(12, "b");
  a.emit(Op::LoadNull, 13).emit(Op::LoadNull, 14).emit(Op::Move, 15, 0).call(30, kSendMail, 10);
  a.emit(Op::Finish);
  return std::move(a.module);
}

std::string told(const Step& step) {
  if (const auto* log = std::get_if<LogLine>(&step)) return log->text;
  if (const auto* call = std::get_if<Call>(&step)) return call->arguments;
  const Ended& ended = std::get<Ended>(step);
  return ended.how == Ended::How::Failed
             ? std::string(fault_name(ended.fault.kind)) + ": " + ended.fault.message
             : "finished";
}
std::vector<std::string> rest(Machine& machine, Step step) {
  std::vector<std::string> story{told(step)};
  while (!std::holds_alternative<Ended>(step)) {
    step = machine.resume(Returned{std::holds_alternative<Call>(step) ? R"({"id":"x"})" : "null"});
    story.push_back(told(step));
  }
  return story;
}
std::vector<std::string> alone(const Module& module, std::string_view text) {
  const auto program = Program::load(module);
  if (!program) return {"not verified: " + program.error().message};
  Machine machine(*program, 0);
  return rest(machine, machine.start(text));
}

// Several modules that get the same events, each of which is read once.
class Together {
 public:
  explicit Together(const std::vector<Module>& modules) {
    for (const Module& module : modules) {
      programs_.push_back(Program::load(module).value());
      fields_.add(programs_.back().module().types, programs_.back().module().flows[0]);
    }
  }
  std::vector<std::vector<std::string>> run(std::string_view text) {
    event_.read(text, fields_);
    std::vector<std::vector<std::string>> stories;
    for (const Program& program : programs_) {
      Machine machine(program, 0);
      stories.push_back(rest(machine, machine.start(event_)));
    }
    return stories;
  }

 private:
  std::vector<Program> programs_;
  EventFields fields_;
  ParsedEvent event_;
};

std::vector<Module> four_modules() {
  std::vector<Module> modules;
  modules.push_back(waits());
  const World world = make_world();
  modules.push_back(logs({{"severity", world.status}, {"title", kStringType}, {"id", kStringType}}));
  modules.push_back(logs({{"severity", kStringType},
                          {"count", kIntType},
                          {"count", kFloatType},
                          {"flag", kBoolType},
                          {"alertCreationTime", kTimeType},
                          {"age", kDurationType}}));
  modules.push_back(sends());
  return modules;
}

constexpr const char* kFull =
    R"({"id":"da1","machineId":"m1","count":2,"severity":"hIGH","title":"Beacon","flag":true,)"
    R"("age":"1h30m","skipped":{"a":[1,{"id":"no"}]},"device":{"id":"d","machineTags":["VIP"],"extra":{"a": 1},"counts":{"n":2.0}},)"
    R"("alertCreationTime":"2026-11-20T08:14:22Z"})";

TEST(Event, IsReadOnceForTheFlowsOfSeveralModules) {
  const auto modules = four_modules();
  EXPECT_THAT(
      Together(modules).run(kFull),
      ElementsAre(
          ElementsAre(R"({"machine":"m1","comment":"c"})", "da1", "High", "Beacon", "2026-11-20T08:14:22Z",
                      "finished"),
          ElementsAre("hIGH", "Beacon", "da1", "finished"),
          ElementsAre("hIGH", "2", "2", "true", "2026-11-20T08:14:22Z", "1h30m", "finished"),
          ElementsAre(
              HasSubstr(
                  R"("detail":{"id":"d","computerDnsName":null,"machineTags":["VIP"],"riskScore":null,"score":null,"extra":{"a":1},"counts":{"n":2},"age":null}})"),
              "finished")));
}

TEST(Event, GivesARunWhatItGetsAlone) {
  const auto modules = four_modules();
  Together together(modules);
  std::uint64_t state = 1;
  const auto below = [&state](std::size_t bound) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % bound;
  };
  constexpr std::string_view kInserted = "{}[]\":,\\ \n0-.etn\xff";
  for (int i = 0; i < 5000; ++i) {
    std::string text = kFull;
    for (std::size_t changes = below(4); changes > 0; --changes) {
      const std::size_t at = below(text.size());
      switch (below(3)) {
        case 0: text[at] = kInserted[below(kInserted.size())]; break;
        case 1: text.erase(at, 1 + below(5)); break;
        default: text.insert(at, 1, kInserted[below(kInserted.size())]);
      }
    }
    const auto stories = together.run(text);
    for (std::size_t m = 0; m < modules.size(); ++m) ASSERT_EQ(stories[m], alone(modules[m], text)) << text;
  }
}

TEST(Event, MayGoWhileARunWaits) {
  const auto modules = four_modules();
  const auto program = Program::load(modules[0]);
  ASSERT_TRUE(program);
  EventFields fields;
  fields.add(program->module().types, program->module().flows[0]);
  ParsedEvent event;
  event.read(kFull, fields);
  Machine machine(*program, 0);
  Step step = machine.start(event);
  event.read(std::string(5000, ' ') + "{}", fields);
  EXPECT_THAT(rest(machine, std::move(step)),
              ElementsAre(HasSubstr("m1"), "da1", "High", "Beacon", "2026-11-20T08:14:22Z", "finished"));
}

std::string logged(TypeId type, const std::string& json) {
  return alone(logs({{"x", type}}), R"({"before":[{}],"x":)" + json + R"(,"after":"y"})").front();
}

TEST(Event, UnusualSpellingsMeanTheSame) {
  EXPECT_EQ(logged(kStringType, R"("\u0041\n\"")"), "A\n\"");
  EXPECT_EQ(logged(kStringType, "\"\""), "");
  EXPECT_EQ(logged(kStringType, " \n\"a b\" \t "), "a b");
  EXPECT_EQ(logged(kTimeType, R"("2026\u002d11-20T08:14:22Z")"), "2026-11-20T08:14:22Z");
  EXPECT_EQ(logged(kIntType, "-0"), "0");
  EXPECT_EQ(logged(kIntType, "5.0"), "5");
  EXPECT_EQ(logged(kIntType, "5e1"), "50");
  EXPECT_EQ(logged(kIntType, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(logged(kIntType, "9223372036854775807"), "9223372036854775807");
  EXPECT_EQ(logged(kFloatType, "-0"), "0");
  EXPECT_EQ(logged(kFloatType, "0.1"), "0.1");
  EXPECT_EQ(logged(kFloatType, "25e-1"), "2.5");
  EXPECT_EQ(logged(kFloatType, "7"), "7");
  EXPECT_EQ(logged(kBoolType, "false"), "false");
  EXPECT_EQ(logged(kStringType, "null"), "(unknown)");
}

TEST(Event, WrongMembersAreNamed) {
  EXPECT_THAT(logged(kStringType, "tru"), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(logged(kIntType, "01"), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(logged(kFloatType, "1."), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(logged(kFloatType, "1e999"), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(logged(kBoolType, "nul"), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(logged(kStringType, R"("\q")"), HasSubstr("InvalidEvent: `x` is not JSON: "));
  EXPECT_THAT(alone(sends(), R"({"device":{"id":"d",]})").front(),
              HasSubstr("InvalidEvent: `device` is not JSON: "));
  EXPECT_THAT(alone(sends(), R"({"device":{"id":"d","machineTags":[7]}})").front(),
              "InvalidEvent: `device.tags[0]` is a number where String was expected");
  EXPECT_EQ(logged(kIntType, "9223372036854775808"),
            "InvalidEvent: `x` is a number that is no 64-bit integer");
  EXPECT_EQ(logged(kIntType, "\"5\""), "InvalidEvent: `x` is a text where Int was expected");
  EXPECT_EQ(logged(kDurationType, "\"soon\""), "InvalidEvent: `x` is \"soon\", which is no Duration");
}

TEST(Event, ABrokenMemberIsAProblemOfTheFlowsThatReadIt) {
  const std::vector<Module> modules = [] {
    std::vector<Module> made;
    made.push_back(logs({{"good", kStringType}}));
    made.push_back(logs({{"bad", kStringType}}));
    return made;
  }();
  EXPECT_THAT(
      Together(modules).run(R"({"bad":"\q","good":"g"})"),
      ElementsAre(ElementsAre("g", "finished"), ElementsAre(HasSubstr("InvalidEvent: `bad` is not JSON"))));
}

TEST(Event, WhatNobodyReadsMustOnlyBalance) {
  const Module module = logs({{"x", kStringType}});
  const auto with = [&](const std::string& other) {
    return alone(module, R"({"a":)" + other + R"(,"x":"1"})").front();
  };
  EXPECT_EQ(with(R"({"x":"2","deep":[[{"x":3}]]})"), "1");
  EXPECT_EQ(with("tru"), "1");
  EXPECT_EQ(with("[01,]"), "1");
  EXPECT_EQ(with(R"("\q")"), "1");
  for (const char* broken :
       {"[", "]", "{", "[[]", "1 2", "\"a\" \"b\"", "\"b\":\"c\"", "", "\"\x01\"", "\"\xff\""})
    EXPECT_THAT(with(broken), HasSubstr("InvalidEvent: `event` is not JSON: ")) << broken;
}

TEST(Event, IsOneWholeObject) {
  const Module module = logs({{"x", kStringType}});
  for (const char* text :
       {"", " ", "{", "}", "{\"x\":\"1\"", "{\"x\"}", "{\"x\":}", "{x:1}", "{\"x\":\"1\",}", "{\"x\":\"1\"}}",
        "{\"x\":\"1\"}{}", "{\"x\":\"1\"} 1", "{\"x\":\"1", "{,}", "{\"x\" \"1\"}", "\xef\xbb\xbf{}"})
    EXPECT_THAT(alone(module, text).front(), HasSubstr("InvalidEvent: `event` is not JSON: ")) << text;
  EXPECT_EQ(alone(module, "3").front(), "InvalidEvent: `event` is a number where an object was expected");
  EXPECT_EQ(alone(module, " null ").front(), "InvalidEvent: `event` is null where an object was expected");
  EXPECT_EQ(alone(module, " { } \n").front(), "(unknown)");
  EXPECT_EQ(alone(module, std::string_view("{}\0", 3)).back(), alone(module, "{}\x01").back());
}

// The poll takes the first one as the event's key. What is decided on, acted on and remembered must be one.
TEST(Event, OfMembersWithOneNameTheFirstCounts) {
  const auto story = alone(
      waits(), R"({"id":"1","machineId":"good","severity":"Low","severity":3,"machineId":"evil","id":"2",)"
               R"("i\u0064":"3","alertCreationTime":"2026-11-20T08:14:22Z","alertCreationTime":null})");
  EXPECT_THAT(story, ElementsAre(R"({"machine":"good","comment":"c"})", "1", "Low", "(unknown)",
                                 "2026-11-20T08:14:22Z", "finished"));
}

TEST(Event, KeysMayBeEscapedAndNamesOdd) {
  EXPECT_EQ(alone(logs({{"id", kStringType}}), R"({"\u0069d":"1"})").front(), "1");
  EXPECT_EQ(alone(logs({{"id", kStringType}}), R"({"i\u0064":"1"})").front(), "1");
  EXPECT_EQ(alone(logs({{"severity", kStringType}}), R"({"sever\u0069ty":"1"})").front(), "1");
  EXPECT_EQ(
      alone(logs({{"severity", kStringType}}), R"({"sever\qty":"1","severit":"2","severityy":"3"})").front(),
      "(unknown)");
  EXPECT_EQ(alone(logs({{"a", kStringType}}), R"({"" :"1","a":"2"})").front(), "2");
  EXPECT_EQ(alone(logs({{"a", kStringType}}), R"({"a" :"1"})").front(), "1");
  EXPECT_EQ(alone(logs({{"a\"b\\", kStringType}}), R"({"a\"b\\":"1"})").front(), "1");
  EXPECT_EQ(alone(logs({{"a\"b", kStringType}}), R"({"a":"b"})").front(), "(unknown)");
  EXPECT_EQ(alone(logs({{std::string(300, 'k'), kStringType}}), R"({"kkk":"b"})").front(), "(unknown)");
}

TEST(Event, ManyMembersWithOneBeginningAreToldApart) {
  std::vector<Member> members;
  std::string text = "{";
  for (int i = 0; i < 30; ++i) {
    const std::string name = "alert" + std::to_string(i);
    members.push_back({name, kIntType});
    text += (i == 0 ? "\"" : ",\"") + name + "\":" + std::to_string(100 + i);
  }
  const auto story = alone(logs(members), text + "}");
  for (int i = 0; i < 30; ++i) EXPECT_EQ(story[static_cast<std::size_t>(i)], std::to_string(100 + i));
}

TEST(Event, LargeOnesAreReadToo) {
  const std::string text = R"({"big":")" + std::string(3u << 20, 'b') + R"(","x":"1"})";
  EXPECT_EQ(alone(logs({{"x", kStringType}}), text).front(), "1");
  EXPECT_EQ(alone(logs({{"x", kStringType}}), R"({"x":"2"})").front(), "2");
}

}  // namespace
}  // namespace flow::test
