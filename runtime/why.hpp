// Why a flow did not run for an event: a machine asks its condition once more, watched, and what decided it
// is told as its author wrote it, with the values. Nothing is called; the caller answers what the condition
// asks.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/history.hpp"
#include "vm/interp/program.hpp"
#include "vm/interp/watch.hpp"

namespace flow {

// A part of a flow's condition that must hold, or its `once`, as its author wrote it. The instructions
// [begin, end) of the flow decide it.
struct ConditionPart {
  struct Subject {                  // a value that it speaks of
    std::string text;               // as written: `machine.risk`
    std::uint32_t input = 0;        // of the flow: whose value
    std::vector<std::string> path;  // and which member of its JSON, by wire names; empty: the whole
  };
  std::uint32_t begin = 0;
  std::uint32_t end = 0;
  std::uint32_t line = 0;  // from 1
  std::string text;
  std::vector<Subject> subjects;
};
// A module with the parts of its flows' conditions, as far as they are known.
struct ConditionParts {
  const Program* program = nullptr;
  std::uint32_t flow = 0;
  std::vector<ConditionPart> parts;
};

struct Why {
  enum class Verdict : std::uint8_t {
    Holds,
    False,    // the part of the condition below is
    Fails,    // and the part below raises a fault: `problem`
    Unknown,  // it depends on a call whose answer is not known: `problem` names it
  };
  Verdict verdict = Verdict::Holds;
  std::string part;                // as written; empty when it is not known
  std::uint32_t line = 0;          // from 1; 0 unknown
  std::vector<NamedValue> values;  // what the part speaks of, as JSON, cut at kWhyValueBytes
  std::string problem;
};
inline constexpr std::size_t kWhyValueBytes = 300;

// What a call of the condition gives; nothing when that is not known.
using WhyAnswers = std::function<std::optional<Outcome>(const Call& call, const Operation& operation)>;

// `settings_json` as of Machine::start().
Why why(const ConditionParts& condition, std::string_view event_json, std::string_view settings_json,
        const WhyAnswers& answers);

// What a recorded run was answered, by the numbers of its calls.
WhyAnswers recorded_answers(const RunHistory& history);

}  // namespace flow
