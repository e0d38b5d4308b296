// Runs every flow of a program under small limits, with events and answers taken from the input: twice, of
// which the second run, frozen and restored at each suspension, must take the same steps, and once with a
// collection at each allocation.
#pragma once

#include <algorithm>
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
  const std::uint32_t choice = bytes.byte();
  if (choice < 250) return Returned{kAnswers[choice % std::size(kAnswers)]};
  return Fault{.kind = static_cast<FaultKind>(bytes.below(static_cast<std::uint32_t>(kLastFault) + 1)),
               .message = "\xff no"};
}

inline std::string told(const Step& step) {
  if (const auto* call = std::get_if<Call>(&step)) return std::to_string(call->operation) + call->arguments;
  if (const auto* log = std::get_if<LogLine>(&step)) return log->text;
  const Ended& ended = std::get<Ended>(step);
  return std::to_string(static_cast<int>(ended.how)) + ended.reason + ended.fault.message;
}

// Small ones, so that each is met: a run that meets none still ends soon.
inline Limits limits_from(Bytes& bytes) {
  return {.fuel = 1000u << bytes.byte() % 6,
          .heap_bytes = std::size_t{256} << bytes.byte() % 10,
          .stack_bytes = 1024u << bytes.byte() % 6,
          .text_bytes = std::size_t{16} << bytes.byte() % 10,
          .list_items = std::size_t{4} << bytes.byte() % 10,
          .collect_from_bytes = std::size_t{256} << bytes.byte() % 10};
}

// What a run does, step by step, and the fuel it has used at each.
struct Story {
  std::vector<std::string> steps;
  std::vector<std::uint64_t> fuel;
  bool is_used_up = false;  // it ended for lack of fuel or heap
  bool operator==(const Story&) const = default;
};

// With `is_frozen` each suspension is survived as a snapshot only.
inline Story story(const Program& program, std::uint32_t flow, const Limits& limits, Bytes bytes,
                   bool is_frozen = false) {
  constexpr std::size_t kMostSteps = 80;
  Machine machine(program, flow, limits);
  Story story;
  const auto add = [&](const Step& step) {
    story.steps.push_back(told(step));
    story.fuel.push_back(machine.fuel_used());
  };
  const std::uint32_t event = bytes.byte();
  Step step = machine.start(kEvents[event < 200 ? event % 2 : event % std::size(kEvents)]);
  while (add(step), !std::holds_alternative<Ended>(step) && story.steps.size() < kMostSteps) {
    if (is_frozen) {
      auto restored = Machine::restore(program, flow, limits, machine.snapshot());
      FLOW_CHECK(restored, "a snapshot can be restored");
      machine = std::move(*restored);
    }
    step = machine.resume(std::holds_alternative<LogLine>(step) ? Outcome(Returned{"null"})
                                                                : outcome_from(bytes));
  }
  if (const auto* ended = std::get_if<Ended>(&step); ended != nullptr && ended->how == Ended::How::Failed)
    story.is_used_up =
        ended->fault.kind == FaultKind::OutOfFuel || ended->fault.kind == FaultKind::OutOfMemory;
  return story;
}

// Collections and in-place growth change nothing but fuel and memory: up to where one of them ends for lack
// of these, both runs take the same steps.
inline void check_same_values(const Story& one, const Story& other) {
  std::size_t common = std::min(one.steps.size(), other.steps.size());
  if (one.is_used_up) common = std::min(common, one.steps.size() - 1);
  if (other.is_used_up) common = std::min(common, other.steps.size() - 1);
  for (std::size_t k = 0; k < common; ++k)
    FLOW_CHECK(one.steps[k] == other.steps[k], "values do not depend on when garbage is collected");
  if (!one.is_used_up && !other.is_used_up)
    FLOW_CHECK(one.steps.size() == other.steps.size(), "and neither does the end");
}

inline void run_program(const Program& program, Bytes bytes) {
  const Limits limits = limits_from(bytes);
  Limits always = limits;
  always.collect_from_bytes = 0;
  always.fuel = 1'000'000;
  for (std::uint32_t flow = 0; flow < program.module().flows.size() && flow < 4; ++flow) {
    const Story first = story(program, flow, limits, bytes);
    FLOW_CHECK(first == story(program, flow, limits, bytes, true),
               "a run takes the same steps when it is frozen and restored between them");
    check_same_values(first, story(program, flow, always, bytes));
  }
}

}  // namespace flow::fuzz
