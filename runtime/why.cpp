#include "runtime/why.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/json_text.hpp"
#include "vm/interp/machine.hpp"

namespace flow {
namespace {

// Remembers the instruction before the last, which is the one that jumped, and what was fetched.
class ConditionWatcher final : public Watcher {
 public:
  explicit ConditionWatcher(const Machine& machine) : machine_(machine) {}

  void before_instruction() override {
    const Position here = machine_.position();
    if (here.depth != 0 || here.routine == nullptr) return;
    before_ = last_;
    last_ = here.pc;
    line_before_ = line_;
    line_ = here.line;
  }

  std::uint32_t last() const { return last_; }
  std::uint32_t before() const { return before_; }
  std::uint32_t line() const { return line_; }
  std::uint32_t line_before() const { return line_before_; }

 private:
  const Machine& machine_;
  std::uint32_t last_ = 0, before_ = 0, line_ = 0, line_before_ = 0;
};

std::string shortened(std::string text) {
  if (text.size() <= kWhyValueBytes) return text;
  std::size_t size = kWhyValueBytes;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size) + "…";
}

class Question {
 public:
  Question(const ConditionParts& condition, std::string_view event, std::string_view settings,
           const WhyAnswers& answers)
      : module_(condition.program->module()),
        flow_(module_.flows[condition.flow]),
        parts_(condition.parts),
        event_(event),
        settings_(settings),
        answers_(answers),
        machine_(*condition.program, condition.flow),
        watcher_(machine_) {
    machine_.watch(&watcher_);
  }

  Why ask() {
    std::optional<Step> step = machine_.start(event_, settings_);
    while (step && !machine_.in_body()) {
      if (const auto* ended = std::get_if<Ended>(&*step)) return end(*ended);
      if (std::holds_alternative<LogLine>(*step)) break;  // no condition logs
      const Call call = std::get<Call>(*step);
      const Operation& operation = module_.operations[call.operation];
      const std::optional<Outcome> outcome = answers_(call, operation);
      if (!outcome)
        return told(Why::Verdict::Unknown, watcher_.last(), watcher_.line(), operation.full_name());
      const std::uint32_t pc = watcher_.last();
      const auto* returned = std::get_if<Returned>(&*outcome);
      if (call.is_fetch && returned != nullptr && pc < flow_.code.size() && flow_.code[pc].op == Op::Call)
        fetched_[flow_.code[pc].a] = returned->json;
      step = machine_.answer_call(call.number, *outcome);
      if (!step) step = machine_.next();
    }
    return {};
  }

 private:
  Why end(const Ended& ended) const {
    if (ended.how == Ended::How::Skipped)
      return told(Why::Verdict::False, watcher_.before(), watcher_.line_before(), {});
    if (ended.how != Ended::How::Failed) return {};
    return told(Why::Verdict::Fails, watcher_.last(), ended.line,
                fmt::format("{}: {}", fault_name(ended.fault.kind), ended.fault.message));
  }

  Why told(Why::Verdict verdict, std::uint32_t pc, std::uint32_t line, std::string problem) const {
    Why why{.verdict = verdict, .part = {}, .line = line, .values = {}, .problem = std::move(problem)};
    const auto part = std::ranges::find_if(
        parts_, [&](const ConditionPart& each) { return each.begin <= pc && pc < each.end; });
    if (part == parts_.end()) return why;
    why.part = part->text;
    why.line = part->line;
    for (const ConditionPart::Subject& subject : part->subjects)
      why.values.push_back({subject.text, shortened(value_of(subject))});
    return why;
  }

  std::string value_of(const ConditionPart::Subject& subject) const {
    std::optional<std::string> json = input_json(subject.input);
    for (const std::string& member : subject.path) {
      if (!json) return "not there";
      json = json_member(*json, member);
    }
    return json.value_or("not there");
  }

  std::optional<std::string> input_json(std::uint32_t index) const {
    const Input& input = flow_.inputs[index];
    if (const auto fetched = fetched_.find(static_cast<std::uint8_t>(index)); fetched != fetched_.end())
      return fetched->second;
    switch (input.source) {
      case Input::Source::Binding: return json_member(event_, input.wire);
      case Input::Source::Entity: return std::string(event_);
      case Input::Source::Fetched: return std::nullopt;
      case Input::Source::Setting: break;
    }
    if (auto given = json_member(settings_, input.name)) return given;
    const Setting* const declared = module_.setting(input.name);
    if (declared == nullptr || declared->is_secret || declared->default_json.empty()) return std::nullopt;
    return declared->default_json;
  }

  const Module& module_;
  const FlowCode& flow_;
  const std::vector<ConditionPart>& parts_;
  std::string_view event_, settings_;
  const WhyAnswers& answers_;
  Machine machine_;
  ConditionWatcher watcher_;
  std::map<std::uint8_t, std::string> fetched_;  // by the register of the input
};

}  // namespace

Why why(const ConditionParts& condition, std::string_view event_json, std::string_view settings_json,
        const WhyAnswers& answers) {
  return Question(condition, event_json, settings_json, answers).ask();
}

WhyAnswers recorded_answers(const RunHistory& history) {
  std::map<std::uint32_t, Outcome> answers;
  for (const RunStep& step : history.steps)
    if (step.kind == EntryKind::Answered && !step.is_void && step.call)
      answers.insert_or_assign(*step.call,
                               step.fault ? Outcome(*step.fault) : Outcome(Returned{step.result}));
  return [answers = std::move(answers)](const Call& call, const Operation&) -> std::optional<Outcome> {
    const auto found = answers.find(call.number);
    return found == answers.end() ? std::nullopt : std::optional(found->second);
  };
}

}  // namespace flow
