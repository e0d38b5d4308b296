// JSON from outside: the input is taken as an event, as answers of every shape, and sent on as an argument.
#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/run_module.hpp"
#include "tests/unit/vm/assembler.hpp"

namespace flow::fuzz {
namespace {

Program make_program() {
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
  auto program = Program::load(std::move(a.module));
  FLOW_CHECK(program, "the module is right");
  return std::move(*program);
}

void answer_all(const Program& program, std::string_view event, const std::string& answer) {
  Machine machine(program, 0, {.fuel = 1000, .heap_bytes = 64u << 10});
  Step step = machine.start(event);
  while (std::holds_alternative<Call>(step)) step = machine.resume(Returned{answer});
  FLOW_CHECK(std::holds_alternative<Ended>(step), "the flow logs nothing");
}

}  // namespace

std::vector<std::string> seeds() {
  std::vector<std::string> texts(std::begin(kEvents), std::end(kEvents));
  texts.insert(texts.end(), std::begin(kAnswers), std::end(kAnswers));
  return texts;
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const flow::Program program = flow::fuzz::make_program();
  const std::string text(reinterpret_cast<const char*>(data), size);
  flow::fuzz::answer_all(program, text, text);
  flow::fuzz::answer_all(program, flow::fuzz::kEvents[0], text);
  return 0;
}
