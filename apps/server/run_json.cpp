#include "apps/server/run_json.hpp"

#include <fmt/format.h>

#include "base/text.hpp"
#include "runtime/leases.hpp"
#include "runtime/rerun.hpp"

namespace flow {

std::string json_run(const RunRow& run) {
  const auto caller = is_lease(run) ? holder_of(run) : caller_of(run);
  const auto repeated = rerun_of(run);
  return fmt::format(
      R"({{"id":{},"tenant":{},"flow":{},"trigger":{},"key":{},"machine":{},"parent":{},"retryOf":{},"state":{},"created":{},"ended":{},"reason":{},"fault":{},"line":{},"module":{}}})",
      json_quoted(run.id), json_quoted(run.tenant), json_quoted(run.flow), json_quoted(run.trigger),
      json_quoted(run.key), run.machine.empty() ? "null" : json_quoted(run.machine),
      caller ? json_quoted(caller->run) : "null", repeated ? json_quoted(repeated->run) : "null",
      json_quoted(run_state_name(run.state)), json_quoted(format_time_us(run.created_us)),
      run.ended_us == 0 ? "null" : json_quoted(format_time_us(run.ended_us)), json_quoted(run.reason),
      json_quoted(run.fault), run.line, json_quoted(run.module));
}

std::string json_question(const QuestionRow& question) {
  const auto list = [](const std::vector<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += (out.empty() ? "" : ",") + json_quoted(text);
    return "[" + out + "]";
  };
  const auto time_json = [](std::int64_t time_us) {
    return time_us == 0 || time_us == kNever ? "null" : json_quoted(format_time_us(time_us));
  };
  const bool is_answered = question.state == QuestionRow::State::Answered;
  const auto known = [&](const std::string& text) { return is_answered ? json_quoted(text) : "null"; };
  return fmt::format(
      R"({{"id":{},"run":{},"call":{},"tenant":{},"flow":{},"kind":{},"state":{},"people":{},"subject":{},"details":{},"options":{},"asked":{},"expires":{},"closed":{},"answer":{},"by":{},"via":{}}})",
      json_quoted(question.id), json_quoted(question.run), question.call, json_quoted(question.tenant),
      json_quoted(question.flow), json_quoted(question_kind_name(question.kind)),
      json_quoted(question_state_name(question.state)), list(question.people), json_quoted(question.subject),
      question.details, list(question.options), time_json(question.asked_us), time_json(question.expires_us),
      time_json(question.closed_us), known(question.answer), known(question.by), known(question.via));
}

std::string json_places(const std::vector<Place>& places) {
  std::string out;
  for (const Place& place : places)
    out += fmt::format(R"({}{{"routine":{},"line":{}}})", out.empty() ? "" : ",", json_quoted(place.routine),
                       place.line);
  return "[" + out + "]";
}

std::string json_step(const RunStep& step) {
  std::string out =
      fmt::format(R"({{"sequence":{},"time":{},"kind":{})", step.sequence,
                  json_quoted(format_time_us(step.time_us)), json_quoted(entry_name(step.kind)));
  if (!step.operation.empty()) out += ",\"operation\":" + json_quoted(step.operation);
  if (!step.arguments.empty()) out += ",\"arguments\":" + step.arguments;
  if (!step.result.empty()) out += ",\"result\":" + step.result;
  if (step.fault)
    out += fmt::format(R"(,"fault":{{"kind":{},"message":{},"status":{},"code":{}}})",
                       json_quoted(fault_name(step.fault->kind)), json_quoted(step.fault->message),
                       step.fault->status, json_quoted(step.fault->code));
  if (step.by != AnsweredBy::World) out += ",\"by\":" + json_quoted(answered_by_name(step.by));
  if (!step.text.empty()) out += ",\"text\":" + json_quoted(step.text);
  if (!step.person.empty()) out += ",\"person\":" + json_quoted(step.person);
  if (step.is_void) out += ",\"void\":true";
  if (!step.how.empty()) out += ",\"how\":" + json_quoted(step.how);
  if (!step.trace.empty()) out += ",\"trace\":" + json_places(step.trace);
  return out + fmt::format(",\"line\":{}}}", step.line);
}

}  // namespace flow
