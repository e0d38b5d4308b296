// Bytes to module: decode, verify, and run what passes. The checksum would stop nearly every change, so an
// input whose first byte is odd is a bare payload, which gets a right header here.
#include <zlib.h>

#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/run_module.hpp"
#include "tests/unit/vm/assembler.hpp"
#include "vm/bytecode/disassemble.hpp"
#include "vm/bytecode/encode.hpp"
#include "vm/bytecode/summary.hpp"

namespace flow::fuzz {
namespace {

constexpr std::size_t kHeaderBytes = 24;

void append_number(std::string& out, std::uint64_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>((number >> (8 * i)) & 0xff);
}

std::string with_header(std::string_view payload) {
  std::string checked;
  append_number(checked, payload.size(), 8);
  checked += payload;
  std::string bytes("FLOWC\r\n\x1a", 8);
  append_number(bytes, kFormatVersion, 4);
  append_number(bytes, crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size()), 4);
  return bytes + checked;
}

Module sample() {
  test::Assembler a;
  const auto fetched = a.jump(Op::JumpIfSet, test::kMachine);
  a.emit(Op::Unwrap, 10, test::kMachineId).call(test::kMachine, test::kGetMachine, 10, true).land(fetched);
  a.load_text(10, "text").load_int(11, 5).show(11).emit(Op::Finish);
  const auto handler = a.here();
  a.emit(Op::Stop, 12);
  a.flow().handlers = {{.begin = 0, .end = handler, .target = handler, .register_ = 12}};
  a.flow().lines = {{.pc = 0, .line = 1, .column = 1}};
  a.flow().names = {{.begin = 0, .end = 2, .register_ = 10, .name = "id"}};
  return std::move(a.module);
}

}  // namespace

std::vector<std::string> seeds() {
  const std::string whole = encode(sample()), empty = encode(Module());
  return {'\0' + whole, '\1' + whole.substr(kHeaderBytes), '\1' + empty.substr(kHeaderBytes)};
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto module = (data[0] & 1) != 0 ? decode(fuzz::with_header(rest)) : decode(rest);
  if (!module) return 0;
  FLOW_CHECK(disassemble(*module) == disassemble(*module), "any decoded module can be shown");
  print_manifest(*module);
  if (const auto program = Program::load(*module)) fuzz::run_program(*program, fuzz::Bytes(data, size));
  return 0;
}
