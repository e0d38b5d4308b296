#include "apps/server/narrator.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "apps/cli/terminal.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "stdlib/json/json.hpp"
#include "vm/interp/place_text.hpp"

namespace flow {
namespace {

constexpr std::size_t kLongestShown = 160;
constexpr std::size_t kLongestReason = 2'000;  // what to do about it often stands at its end

// One line, shortened between two characters, nothing that could move the cursor.
std::string shown(std::string_view text, std::size_t longest = kLongestShown) {
  const bool is_long = text.size() > longest;
  if (is_long)
    while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xc0) == 0x80) --longest;
  return printable(text.substr(0, longest)) + (is_long ? "…" : "");
}

std::string short_id(const std::string& run) {
  return run.size() > 8 ? run.substr(run.size() - 8) : run;
}

std::string fault_text(const Fault& fault) {
  return fmt::format("{}: {}", fault_name(fault.kind), shown(fault.message, kLongestReason));
}

constexpr std::string_view kRefuseOperation = "flow.refuse";

std::string without_nulls(const std::string& arguments) {
  Result<JsonValue> all = parse_json(arguments);
  if (!all || all->kind != JsonValue::Kind::Object) return arguments;
  JsonValue said;
  said.kind = JsonValue::Kind::Object;
  for (std::size_t i = 0; i < all->names.size(); ++i) {
    if (all->items[i].is_null()) continue;
    said.names.push_back(std::move(all->names[i]));
    said.items.push_back(std::move(all->items[i]));
  }
  return to_json(said);
}

// What is asked for, without the arguments that were left out: these are null.
std::string call_text(const std::string& operation, const std::string& arguments) {
  const auto text = [&](std::string_view name) {
    const std::string json = json_member(arguments, name).value_or("");
    return json_string(json).value_or(json == "null" ? "" : json);
  };
  if (operation == kRefuseOperation) {
    const std::string target = text("target");
    return fmt::format("`{}` refuses {}{}{}", text("reason"), text("operation"), target.empty() ? "" : " of ",
                       target);
  }
  return fmt::format("{} {}", operation, without_nulls(arguments));
}

// What happened in place of a call that was answered all the same.
std::string_view not_made_text(AnsweredBy by) {
  if (by == AnsweredBy::Shared) return "done (by an equal read of another run)";
  return by == AnsweredBy::Skip ? "skipped: over its limit" : "recorded, not performed";
}

}  // namespace

void Narrator::line(const std::string& run, const char* colour, const std::string& text) const {
  if (quiet_) return;
  say(stdout,
      fmt::format("{}{}{} {}\n", colours_ ? colour : "", short_id(run), colours_ ? "\x1b[0m" : "", text));
}

void Narrator::run_started(const RunRow& run) {
  line(run.id, "\x1b[1;34m", fmt::format("{} starts for {}", run.flow, shown(run.key)));
}

void Narrator::run_recovered(const RunRow& run) {
  line(run.id, "\x1b[1;33m", fmt::format("{} goes on after a restart", run.flow));
}

void Narrator::run_step(const RunRow& run, const JournalRow& row) {
  const auto kind = entry_numbered(row.kind);
  const Result<Entry> entry = kind ? decode_entry(*kind, row.payload) : error("unknown entry");
  if (!entry) return;
  const auto call_of = [&](std::uint32_t number) { return fmt::format("{}/{}", run.id, number); };
  if (const auto* intent = std::get_if<IntentEntry>(&*entry)) {
    calls_[call_of(intent->call)] = intent->operation;
    line(run.id, "", fmt::format("  {}", shown(call_text(intent->operation, intent->arguments))));
  } else if (const auto* answer = std::get_if<OutcomeEntry>(&*entry)) {
    const std::string operation = calls_[call_of(answer->call)];
    const bool is_told = operation == kRefuseOperation;  // by what it asked for
    if (const auto* fault = std::get_if<Fault>(&answer->outcome))
      line(run.id, "\x1b[31m", fmt::format("  {} failed: {}", operation, fault_text(*fault)));
    else if (!is_told)
      line(run.id, "",
           fmt::format("  {} {}", operation,
                       answer->by != AnsweredBy::World ? not_made_text(answer->by)
                       : answer->is_settled            ? "done (found to have happened already)"
                                                       : "done"));
    calls_.erase(call_of(answer->call));
  } else if (const auto* retry = std::get_if<RetryEntry>(&*entry)) {
    line(run.id, "\x1b[33m",
         fmt::format("  {} is tried again{}", calls_[call_of(retry->call)],
                     retry->fault ? " after " + fault_text(*retry->fault) : ""));
  } else if (const auto* over = std::get_if<EndedEntry>(&*entry)) {
    if (over->ended.how == Ended::How::Failed) failures_[run.id] = failure_text(over->ended);
  } else if (const auto* log = std::get_if<LogEntry>(&*entry)) {
    line(run.id, "", fmt::format("  says: {}", shown(log->text)));
  }
}

void Narrator::run_ended(const RunRow& run) {
  const char* const colour =
      run.state == RunState::Failed || run.state == RunState::Parked ? "\x1b[1;31m" : "\x1b[1;32m";
  std::string text = fmt::format("{} {}", run.flow, run_state_name(run.state));
  if (const auto failure = failures_.find(run.id); failure != failures_.end()) {
    text += " " + shown(failure->second, kLongestReason);
    failures_.erase(failure);
  } else if (!run.reason.empty()) {
    text += fmt::format(": {}", shown(run.reason, kLongestReason));
  }
  line(run.id, colour, text);
}

void Narrator::question_asked(const QuestionRow& question) {
  line(question.run, "\x1b[33m",
       question.people.empty()
           ? fmt::format("  waits for the message {}", shown(question.subject))
           : fmt::format("  asks {}: {} (flow questions answer {})", fmt::join(question.people, ", "),
                         shown(question.subject), question.id));
}

void Narrator::question_answered(const QuestionRow& question) {
  line(question.run, "",
       fmt::format("  {} answers: {} ({})", question.by, shown(question.answer), question.via));
}

void Narrator::deployed(const DeploymentRow& row) {
  if (quiet_) return;
  say(stdout, printable(fmt::format("{}: {} is {}{} (module {}{})", row.tenant, row.flow,
                                    row.kind == DeploymentRow::Kind::Back ? "live again as before"
                                                                          : deployment_kind_name(row.kind),
                                    row.file.empty() ? "" : ", from " + row.file, row.module.substr(0, 12),
                                    row.by.empty() ? "" : ", by " + row.by)) +
                  "\n");
}

void Narrator::health(const HealthEvent& event) {
  say(stderr, printable(fmt::format("flow: {} {}: {}", event.tenant, event.subject, event.message)) + "\n");
}

std::string step_text(const RunStep& step) {
  if (step.is_damaged) return fmt::format("damaged entry: {}", shown(step.text));
  switch (step.kind) {
    case EntryKind::Started:
      return fmt::format("started by {}{}", shown(step.result),
                         step.person.empty() ? "" : ", says " + printable(step.person));
    case EntryKind::Intent:
      return fmt::format("{}{}", printable(call_text(step.operation, step.arguments)),
                         step.attempt > 1 ? fmt::format(" (try {})", step.attempt) : "");
    case EntryKind::Retry:
      return fmt::format("{} is tried again{}", step.operation,
                         step.fault ? " after " + fault_text(*step.fault) : "");
    case EntryKind::Answered:
      if (step.fault) return fmt::format("{} failed: {}", step.operation, fault_text(*step.fault));
      if (step.operation == kRefuseOperation) return "the refusal is noted";
      if (step.by != AnsweredBy::World && step.by != AnsweredBy::Shared)
        return fmt::format("{} {}, went on with {}", step.operation, not_made_text(step.by),
                           printable(step.result));
      return fmt::format("{} gave {}{}", step.operation, printable(step.result),
                         step.is_settled                 ? " (found afterwards)"
                         : step.by == AnsweredBy::Shared ? " (to an equal read of another run)"
                                                         : "");
    case EntryKind::Log: return fmt::format("log: {}", printable(step.text));
    case EntryKind::Entered: return "the condition held";
    case EntryKind::Recovered: return "taken up again after a restart";
    case EntryKind::Parked: return fmt::format("waits for a person: {}", printable(step.text));
    case EntryKind::Begun:
      return fmt::format("{} was accepted, its end is awaited: {}", step.operation, printable(step.result));
    case EntryKind::Resumed:
      return fmt::format("goes on from there{}",
                         step.person.empty() ? "" : ", says " + printable(step.person));
    case EntryKind::Cancelled: return printable(cancel_reason(step.person, step.text));
    case EntryKind::Ended:
      return step.fault
                 ? "failed " +
                       shown(failure_text({.fault = *step.fault, .line = step.line, .trace = step.trace}),
                             kLongestReason)
                 : fmt::format("{}{}{}", step.how, step.text.empty() ? "" : ": ", printable(step.text));
  }
  return {};
}

}  // namespace flow
