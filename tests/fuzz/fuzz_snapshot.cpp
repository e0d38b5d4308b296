// Snapshots from anywhere: the input is one, its check made right, so that what lies behind it is reached.
// What can be restored must run on without harm, and be the same when it is frozen and restored once more.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tests/fuzz/bytes.hpp"
#include "tests/fuzz/run_module.hpp"
#include "tests/unit/vm/answering.hpp"
#include "tests/unit/vm/branching_flows.hpp"
#include "tests/unit/vm/waiting_flows.hpp"
#include "vm/interp/snapshot.hpp"

namespace flow::fuzz {
namespace {

constexpr Limits kLimits{.fuel = 20'000, .heap_bytes = 64u << 10, .stack_bytes = 64u << 10};

std::vector<Program> make_programs() {
  std::vector<Program> programs;
  for (const test::Assembler& a : {test::with_all_kinds(), test::in_functions(), test::growing(),
                                   test::in_handler(), test::nested(), test::in_branches()}) {
    auto program = Program::load(a.world.module);
    FLOW_CHECK(program, "the module is right");
    programs.push_back(std::move(*program));
  }
  return programs;
}
const std::vector<Program>& programs() {
  static const std::vector<Program> made = make_programs();
  return made;
}

constexpr std::size_t kHeadBytes = kSnapshotPayloadAt + 8;  // with the key of the module

std::string with_head(std::string_view rest) {
  static const std::string head = [] {
    Machine machine(programs()[0], 0, kLimits);
    machine.start(kEvents[0]);
    return machine.snapshot().substr(0, kHeadBytes);
  }();
  std::string bytes = head + std::string(rest);
  const std::uint64_t check =
      XXH3_64bits(bytes.data() + kSnapshotPayloadAt, bytes.size() - kSnapshotPayloadAt);
  for (unsigned i = 0; i < 8; ++i) bytes[kSnapshotCheckAt + i] = static_cast<char>(check >> (8 * i));
  return bytes;
}

Outcome answer(std::size_t number) {
  if (number % 8 == 7) return Fault{.kind = FaultKind::NotFound, .message = "no"};
  return Returned{kAnswers[number % std::size(kAnswers)]};
}

void restore_and_go_on(const Program& program, const std::string& bytes) {
  auto machine = Machine::restore(program, 0, kLimits, bytes);
  if (!machine) return;
  const std::string again = machine->snapshot();
  const auto twin = Machine::restore(program, 0, kLimits, again);
  FLOW_CHECK(twin && twin->snapshot() == again, "a snapshot comes back as it went");
  std::size_t answers = 0;
  test::Answering answering(*machine, [&](const Call&) { return answer(answers++); });
  for (int steps = 0; steps < 60; ++steps) {
    const std::optional<Step> step = answering.next();
    if (!step || std::holds_alternative<Ended>(*step)) return;
  }
}

}  // namespace

// The number of the flow, then its snapshot without the head.
std::vector<std::string> seeds() {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < programs().size(); ++i) {
    Machine machine(programs()[i], 0, kLimits);
    std::optional<Step> step = machine.start(kEvents[0]);
    test::Answering answering(machine, [](const Call&) { return answer(0); });
    for (int number = 0; step && !std::holds_alternative<Ended>(*step) && number < 24; ++number) {
      if (number % 3 == 0) inputs.push_back(static_cast<char>(i) + machine.snapshot().substr(kHeadBytes));
      step = answering.next();
    }
  }
  return inputs;
}

}  // namespace flow::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace flow::fuzz;
  if (size == 0) return 0;
  const auto& program = programs()[data[0] % programs().size()];
  restore_and_go_on(program, with_head({reinterpret_cast<const char*>(data) + 1, size - 1}));
  return 0;
}
