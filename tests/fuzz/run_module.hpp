// Runs every flow of a program under small limits, with events and answers taken from the input, twice: the
// second run, frozen and restored at each suspension, must take the same steps.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "tests/fuzz/bytes.hpp"
#include "vm/interp/machine.hpp"

namespace flow::fuzz {

inline constexpr const char* kEvents[] = {
    R"({"id":"da1","machineId":"m1","severity":"High","title":"Beacon","alertCreationTime":"2026-11-20T08:14:22Z"})",
    R"({"id":"da1","severity":"Unheard","title":null,"alertCreationTime":"2026-11-20T08:14:22Z"})",
    R"({"id":"da1"})",
    R"({"id":3})",
    "[",
};
inline constexpr const char* kAnswers[] = {
    R"({"id":"m1","computerDnsName":"pc1","machineTags":["VIP"],"riskScore":"HIGH","counts":{"x":1},"age":"1h30m"})",
    R"({"id":"m1","machineTags":[],"score":0.1,"extra":{"a":[1]}})",
    R"([{"id":"x"},{"id":"y"}])",
    R"([{"id":"da1","severity":"Low","title":"t","alertCreationTime":"2026-11-20T08:14:22Z"}])",
    R"({"id":"m","machineTags":null})",
    "null",
    "{",
};

inline Outcome outcome_from(Bytes& bytes) {
  const std::uint32_t choice = bytes.below(std::size(kAnswers) + 1);
  if (choice < std::size(kAnswers)) return Returned{kAnswers[choice]};
  return Fault{.kind = static_cast<FaultKind>(bytes.below(static_cast<std::uint32_t>(kLastFault) + 1)),
               .message = "\xff no"};
}

inline std::string told(const Step& step) {
  if (const auto* call = std::get_if<Call>(&step)) return std::to_string(call->operation) + call->arguments;
  if (const auto* log = std::get_if<LogLine>(&step)) return log->text;
  const Ended& ended = std::get<Ended>(step);
  return std::to_string(static_cast<int>(ended.how)) + ended.reason + ended.fault.message;
}

// With `is_frozen` each suspension is survived as a snapshot only. Snapshots are steps, too: they hold what
// was used of fuel and heap.
inline std::vector<std::string> story(const Program& program, std::uint32_t flow, Bytes bytes,
                                      bool is_frozen) {
  constexpr std::size_t kMostSteps = 80;
  constexpr Limits kLimits{.fuel = 3000, .heap_bytes = 64u << 10};
  Machine machine(program, flow, kLimits);
  std::vector<std::string> steps;
  Step step = machine.start(kEvents[bytes.below(std::size(kEvents))]);
  while (steps.push_back(told(step)), !std::holds_alternative<Ended>(step) && steps.size() < kMostSteps) {
    steps.push_back(machine.snapshot());
    if (is_frozen) {
      auto restored = Machine::restore(program, flow, kLimits, steps.back());
      FLOW_CHECK(restored, "a snapshot can be restored");
      machine = std::move(*restored);
    }
    step = machine.resume(std::holds_alternative<LogLine>(step) ? Outcome(Returned{"null"})
                                                                : outcome_from(bytes));
  }
  steps.push_back(std::to_string(machine.fuel_used()));
  return steps;
}

inline void run_program(const Program& program, const Bytes& bytes) {
  for (std::uint32_t flow = 0; flow < program.module().flows.size() && flow < 4; ++flow)
    FLOW_CHECK(story(program, flow, bytes, false) == story(program, flow, bytes, true),
               "a run takes the same steps when it is frozen and restored between them");
}

}  // namespace flow::fuzz
