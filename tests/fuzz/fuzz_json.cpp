// JSON from outside: the input is taken as an event, alone and among flows that read other members of it, as
// answers of every shape, and sent on as an argument.
#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/run_module.hpp"
#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/event.hpp"

namespace flow::fuzz {
namespace {

Module make_module() {
  test::Assembler a;
  a.emit(Op::Unwrap, 10, test::kMachineId).call(test::kMachine, test::kGetMachine, 10, true);
  a.load_text(10, "a@x", kEmailType)
      .load_text(11, "s")
      .load_text(12, "b")
      .emit(Op::LoadNull, 13)
      .emit(Op::LoadNull, 14);
  a.emit(Op::Move, 15, test::kMachine).call(30, test::kSendMail, 10).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::LoadNull, 13).call(30, test::kListAlerts, 13).emit(Op::Finish);
  a.flow().handlers = {{.begin = 0, .end = handler, .target = handler, .register_ = 31}};
  return std::move(a.module);
}

void answer_all(const Program& program, std::string_view event, const std::string& answer) {
  Machine machine(program, 0, {.fuel = 1000, .heap_bytes = 64u << 10});
  Step step = machine.start(event);
  while (std::holds_alternative<Call>(step)) step = machine.resume(Returned{answer});
  FLOW_CHECK(std::holds_alternative<Ended>(step), "the flow logs nothing");
}

// Reads what the flow of make_module() does not, in every way there is to read, and the alert's severity as
// something else.
Module make_other_module() {
  test::Assembler a;
  a.flow().inputs.clear();
  TypeTable& types = a.module.types;
  const auto bind = [&](const char* wire, TypeId type) {
    const std::string name = "binding" + std::to_string(a.flow().inputs.size());
    const TypeId maybe = types.optional(type);
    a.module.triggers[0].bindings.push_back({.name = name, .wire = wire, .type = maybe});
    a.flow().inputs.push_back({.name = name, .type = maybe, .source = Input::Source::Binding, .wire = wire});
  };
  bind("severity", a.world.status);
  for (const TypeId type : {kStringType, kIntType, kFloatType, kBoolType, kDurationType}) bind("title", type);
  for (unsigned i = 0; i < 6; ++i) a.show(i);
  bind("device", a.world.machine);
  a.load_text(10, "a@x", kEmailType).load_text(11, "s").load_text(12, "b").emit(Op::LoadNull, 13);
  a.emit(Op::LoadNull, 14).emit(Op::Move, 15, 6).call(30, test::kSendMail, 10).emit(Op::Finish);
  return std::move(a.module);
}

std::vector<Program> make_programs() {
  std::vector<Program> programs;
  for (const auto make : {make_module, make_other_module}) {
    auto program = Program::load(make());
    FLOW_CHECK(program, "the module is right");
    programs.push_back(std::move(*program));
  }
  return programs;
}

std::string story(Machine& machine, Step step) {
  std::string told_so_far = told(step);
  while (!std::holds_alternative<Ended>(step)) {
    step = machine.resume(Returned{"null"});
    told_so_far += '\n' + told(step);
  }
  return told_so_far;
}

// What a run gets of an event must not depend on who else reads it.
void start_together(const std::vector<Program>& programs, const std::string& text) {
  EventFields fields;
  for (const Program& program : programs) fields.add(program.module().types, program.module().flows[0]);
  ParsedEvent event;
  event.read(text, fields);
  FLOW_CHECK(event.json() == text, "an event keeps its text");
  for (const Program& program : programs) {
    Machine alone(program, 0);
    Machine together(program, 0);
    FLOW_CHECK(story(alone, alone.start(text)) == story(together, together.start(event)),
               "a run gets the same, alone and together");
  }
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> texts(std::begin(kEvents), std::end(kEvents));
  texts.insert(texts.end(), std::begin(kAnswers), std::end(kAnswers));
  for (const char* title : {"\"1h\"", "1.50", "-7", "true", "\"\\u0041\"", "null"})
    texts.push_back(R"({"i\u0064":"a","x":[{"title":1},{}],"title":)" + std::string(title) +
                    R"(,"severity":"new","id":"b","device":)" + kAnswers[0] + "}");
  return texts;
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<flow::Program> programs = flow::fuzz::make_programs();
  const std::string text(reinterpret_cast<const char*>(data), size);
  flow::fuzz::answer_all(programs[0], text, text);
  flow::fuzz::answer_all(programs[0], flow::fuzz::kEvents[0], text);
  flow::fuzz::start_together(programs, text);
  return 0;
}
