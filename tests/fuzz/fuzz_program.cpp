// Random programs over a fixed world of types and operations. Nothing the verifier accepts may crash the
// machine, and what a program does depends neither on when garbage is collected nor on whether it was stored
// as bytes.
#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/program_writer.hpp"
#include "tests/fuzz/run_module.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow::fuzz {

std::vector<std::string> seeds() {
  std::string rising;
  for (int i = 0; i < 600; ++i) rising += static_cast<char>(i * 7 + i / 16);
  std::string mixed;
  std::uint32_t state = 1;
  for (int i = 0; i < 1000; ++i) mixed += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return {rising, mixed, std::string(100, '\1')};
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
  FLOW_CHECK(Program::load(*back), "and is as right as before");
  fuzz::run_program(*loaded, fuzz::Bytes(data, size));
  return 0;
}
