// Random programs over a fixed world of types and operations. Nothing the verifier accepts may crash the
// machine. To get programs of some length past the verifier, each instruction is kept only when the program
// so far verifies.
#include <algorithm>

#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/run_module.hpp"
#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/op_table.hpp"
#include "vm/bytecode/verify_code.hpp"

namespace flow::fuzz {
namespace {

constexpr std::uint8_t kMessage = test::kRegisters - 1;

// Registers of every kind to begin with.
void fill_registers(test::Assembler& a) {
  a.load_int(4, 3)
      .load_int(5, -1)
      .load_float(6, 0.5)
      .load_text(7, "text <é>")
      .load_text(8, "e")
      .emit(Op::LoadBool, 9, 1);
  a.load_severity(10, 2)
      .load_int(11, 1'000'000, kTimeType)
      .load_int(12, 5'000'000, kDurationType)
      .emit(Op::LoadNull, 13);
  a.load_text(14, "<p>", kHtmlType).load_text(15, "T", kKqlType).load_text(16, "key", kSecretType);
  a.emit(Op::NewList, 17, 7, 2, a.world.strings)
      .emit(Op::NewList, 18, 4, 2, a.world.ints)
      .emit(Op::Move, 19, 4)
      .emit(Op::LoadNull, 20);
  a.emit(Op::NewRecord, 21, 19, 0, a.world.node);
  a.load_text(22, "a@x", kEmailType)
      .emit(Op::Move, 23, 7)
      .emit(Op::Move, 24, 14)
      .emit(Op::LoadNull, 25)
      .emit(Op::Move, 26, 21);
  a.emit(Op::Move, 27, test::kMachine)
      .load(28, {.type = a.world.status, .number = 1})
      .emit(Op::Move, 29, test::kAlert);
  a.flow().call_sites = {{.operation = test::kSendMail, .first_argument = 22},
                         {.operation = test::kGetMachine, .first_argument = 30, .is_fetch = true},
                         {.operation = test::kListAlerts, .first_argument = 13},
                         {.operation = test::kFindActions, .first_argument = 30}};
}

std::uint8_t operand(Operand kind, Bytes& bytes) {
  switch (kind) {
    case Operand::Out:
    case Operand::In:
    case Operand::Both: return static_cast<std::uint8_t>(bytes.below(test::kRegisters));
    case Operand::Field: return static_cast<std::uint8_t>(bytes.below(9));
    case Operand::Count: return static_cast<std::uint8_t>(bytes.below(6));
    case Operand::Short: return static_cast<std::uint8_t>(bytes.below(4));
    default: return 0;
  }
}

std::int32_t wide_operand(Operand kind, Bytes& bytes, const Module& module, std::uint32_t pc) {
  const auto index = [&](std::size_t count) {
    return static_cast<std::int32_t>(
        bytes.below(static_cast<std::uint32_t>(std::max<std::size_t>(count, 1))));
  };
  switch (kind) {
    case Operand::Const: return index(module.constants.size());
    case Operand::Site: return index(4);
    case Operand::Type: return index(module.types.size());
    case Operand::Function: return index(module.functions.size());
    case Operand::Fun: return index(all_natives().size());
    case Operand::Number:
    case Operand::Divisor: return static_cast<std::int32_t>(bytes.below(100)) - 50;
    case Operand::Jump:
      return static_cast<std::int32_t>(bytes.below(pc + 2)) - static_cast<std::int32_t>(pc + 1);
    default: return 0;
  }
}

Instruction random_instruction(Bytes& bytes, const test::Assembler& a, std::uint32_t pc) {
  const OpInfo& info = all_ops()[bytes.below(static_cast<std::uint32_t>(all_ops().size()))];
  return {info.op, operand(info.a, bytes), operand(info.b, bytes), operand(info.c, bytes),
          wide_operand(info.imm, bytes, a.module, pc)};
}

test::Assembler random_program(Bytes& bytes) {
  test::Assembler a;
  fill_registers(a);
  const bool is_filtered = bytes.byte() % 8 != 0;
  auto& code = a.flow().code;
  const auto from = a.here();
  code.push_back({Op::Stop, kMessage});  // kept last: where faults and forward jumps go
  const auto set_handler = [&] {
    const auto last = a.here() - 1;
    a.flow().handlers = {{.begin = from, .end = last + 1, .target = last, .register_ = kMessage}};
  };
  for (int i = 0; i < 40 && !bytes.is_empty(); ++i) {
    const auto at = a.here() - 1;
    code.insert(code.begin() + at, random_instruction(bytes, a, at));
    set_handler();
    if (is_filtered && !verify_flow(a.module, a.flow())) code.erase(code.begin() + at), set_handler();
  }
  code.insert(code.end() - 1, {Op::Finish});
  a.flow().handlers.clear();
  if (bytes.byte() % 2 == 0) set_handler();
  return a;
}

}  // namespace

std::vector<std::string> seeds() {
  std::string rising;
  for (int i = 0; i < 200; ++i) rising += static_cast<char>(i * 7);
  return {rising, std::string(100, '\1')};
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow;
  fuzz::Bytes bytes(data, size);
  const test::Assembler program = fuzz::random_program(bytes);
  const auto loaded = Program::load(program.module);
  if (!loaded) return 0;
  const std::string encoded = encode(program.module);
  const auto back = decode(encoded);
  FLOW_CHECK(back && encode(*back) == encoded, "a verified module comes back as it went");
  fuzz::run_program(*loaded, fuzz::Bytes(data, size));
  return 0;
}
