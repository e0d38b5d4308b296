// Runs a test's module and tells what it did.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/vm/assembler.hpp"
#include "vm/interp/machine.hpp"

namespace flow::test {

// A run told in one line: logs, calls and the end. `answers` are given to the calls in turn.
inline std::string told(const Step& step, const Module& module) {
  if (const auto* log = std::get_if<LogLine>(&step)) return log->text;
  if (const auto* call = std::get_if<Call>(&step))
    return module.operations[call->operation].name + call->arguments;
  const Ended& ended = std::get<Ended>(step);
  switch (ended.how) {
    case Ended::How::Skipped: return "skipped";
    case Ended::How::Finished: return "finished";
    case Ended::How::Stopped: return "stopped: " + ended.reason;
    case Ended::How::Failed: return std::string(fault_name(ended.fault.kind)) + ": " + ended.fault.message;
  }
  return "?";
}

inline std::vector<std::string> run(const Module& module, std::vector<Outcome> answers = {},
                                    std::string_view event = kEvent, Limits limits = {}) {
  const auto program = Program::load(module);
  if (!program) return {"not verified: " + program.error().message};
  Machine machine(*program, 0, limits);
  std::vector<std::string> story;
  std::size_t next = 0;
  Step step = machine.start(event);
  for (; !std::holds_alternative<Ended>(step) && story.size() < 100;) {
    story.push_back(told(step, module));
    const bool is_log = std::holds_alternative<LogLine>(step);
    step = machine.resume(is_log || next >= answers.size() ? Outcome(Returned{"null"}) : answers[next++]);
  }
  story.push_back(told(step, module));
  return story;
}

}  // namespace flow::test
