#include "apps/server/json_log.hpp"

#include <fmt/format.h>

#include <optional>
#include <vector>

#include "apps/cli/terminal.hpp"
#include "base/text.hpp"
#include "vm/interp/place_text.hpp"

namespace flow {
namespace {

constexpr std::string_view kFields[] = {
#define FLOW_LOG_FIELD(id, name, type, meaning) name,
#define FLOW_LOG_EVENT(id, name, level, meaning)
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
};
struct EventInfo {
  std::string_view name;
  LogLevel level;
};
constexpr EventInfo kEvents[] = {
#define FLOW_LOG_FIELD(id, name, type, meaning)
#define FLOW_LOG_EVENT(id, name, level, meaning) {name, LogLevel::level},
#include "apps/server/log.def"
#undef FLOW_LOG_EVENT
#undef FLOW_LOG_FIELD
};

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::Info: return "info";
    case LogLevel::Warning: return "warning";
    case LogLevel::Error: return "error";
  }
  return {};
}

}  // namespace

class JsonLog::Line {
 public:
  explicit Line(LogEvent event) : event_(event), level_(kEvents[static_cast<std::size_t>(event)].level) {}

  Line& text(LogField field, std::string_view value) {
    if (!value.empty()) member(field, json_quoted(value));
    return *this;
  }
  Line& number(LogField field, std::int64_t value) {
    member(field, std::to_string(value));
    return *this;
  }
  Line& texts(LogField field, const std::vector<std::string>& values) {
    std::string all;
    for (const std::string& value : values) all += (all.empty() ? "" : ",") + json_quoted(value);
    if (!values.empty()) member(field, "[" + all + "]");
    return *this;
  }
  Line& level(LogLevel level) {
    level_ = level;
    return *this;
  }

  LogLevel level() const { return level_; }
  std::string whole(std::int64_t now_us) const {
    return fmt::format("{{\"{}\":{},\"{}\":\"{}\",\"{}\":\"{}\"{}}}\n", name(LogField::Time),
                       json_quoted(format_time_us(now_us)), name(LogField::Level), level_name(level_),
                       name(LogField::Event), kEvents[static_cast<std::size_t>(event_)].name, members_);
  }

 private:
  static std::string_view name(LogField field) { return kFields[static_cast<std::size_t>(field)]; }
  void member(LogField field, const std::string& json) {
    members_ += fmt::format(",\"{}\":{}", name(field), json);
  }

  LogEvent event_;
  LogLevel level_;
  std::string members_;
};

JsonLog::Line JsonLog::line(LogEvent event) const {
  return Line(event);
}

JsonLog::Line JsonLog::line(LogEvent event, const RunRow& run) const {
  Line made(event);
  made.text(LogField::Tenant, run.tenant).text(LogField::Flow, run.flow).text(LogField::Run, run.id);
  return made;
}

void JsonLog::write(const Line& line) const {
  if (quiet_ && line.level() == LogLevel::Info) return;
  say(out_, line.whole(clock_.now_us()));
}

void JsonLog::note(LogEvent event, const Note& what) {
  write(line(event)
            .text(LogField::Flow, what.flow)
            .text(LogField::By, what.by)
            .text(LogField::Message, what.message));
}

void JsonLog::run_started(const RunRow& run) {
  write(line(LogEvent::RunStarted, run).text(LogField::Trigger, run.trigger).text(LogField::Key, run.key));
}

void JsonLog::run_recovered(const RunRow& run) {
  write(line(LogEvent::RunTakenUp, run).text(LogField::Trigger, run.trigger).text(LogField::Key, run.key));
}

void JsonLog::call_answered(const RunRow& run, const OutcomeEntry& answer) {
  const auto known = operations_.find({run.id, answer.call});
  Line made = line(LogEvent::CallAnswered, run);
  if (known != operations_.end()) made.text(LogField::Operation, known->second);
  made.number(LogField::Call, answer.call).text(LogField::By, answered_by_name(answer.by));
  if (const auto* fault = std::get_if<Fault>(&answer.outcome))
    made.level(LogLevel::Warning)
        .text(LogField::Fault, fault_name(fault->kind))
        .text(LogField::Message, fault->message);
  if (known != operations_.end()) operations_.erase(known);
  write(made);
}

void JsonLog::run_step(const RunRow& run, const JournalRow& row) {
  const auto kind = entry_numbered(row.kind);
  const Result<Entry> entry = kind ? decode_entry(*kind, row.payload) : error("unknown entry");
  if (!entry) return;
  if (const auto* intent = std::get_if<IntentEntry>(&*entry)) {
    operations_[{run.id, intent->call}] = intent->operation;
    write(line(LogEvent::CallSent, run)
              .text(LogField::Operation, intent->operation)
              .number(LogField::Call, intent->call)
              .number(LogField::Attempt, intent->attempt)
              .number(LogField::Line, intent->line));
  } else if (const auto* answer = std::get_if<OutcomeEntry>(&*entry)) {
    call_answered(run, *answer);
  } else if (const auto* retry = std::get_if<RetryEntry>(&*entry)) {
    const auto known = operations_.find({run.id, retry->call});
    Line made = line(LogEvent::CallRetried, run);
    if (known != operations_.end()) made.text(LogField::Operation, known->second);
    made.number(LogField::Call, retry->call);
    if (retry->fault)
      made.text(LogField::Fault, fault_name(retry->fault->kind))
          .text(LogField::Message, retry->fault->message);
    write(made);
  } else if (const auto* log = std::get_if<LogEntry>(&*entry)) {
    write(line(LogEvent::FlowSays, run).number(LogField::Line, log->line).text(LogField::Message, log->text));
  } else if (const auto* resumed = std::get_if<ResumedEntry>(&*entry)) {
    write(line(LogEvent::RunControlled, run)
              .text(LogField::By, resumed->by)
              .text(LogField::Message, "resumed"));
  } else if (const auto* cancelled = std::get_if<CancelledEntry>(&*entry)) {
    write(line(LogEvent::RunControlled, run)
              .text(LogField::By, cancelled->by)
              .text(LogField::Message, cancel_reason(cancelled->by, cancelled->reason)));
  } else if (const auto* started = std::get_if<StartedEntry>(&*entry); started && !started->by.empty()) {
    write(
        line(LogEvent::RunControlled, run).text(LogField::By, started->by).text(LogField::Message, run.key));
  }
}

void JsonLog::run_ended(const RunRow& run) {
  const bool is_bad = run.state == RunState::Failed || run.state == RunState::Parked;
  Line made = line(LogEvent::RunEnded, run);
  made.level(is_bad ? LogLevel::Warning : LogLevel::Info).text(LogField::State, run_state_name(run.state));
  if (run.ended_us > 0) made.number(LogField::Duration, (run.ended_us - run.created_us) / 1000);
  if (run.line > 0) made.number(LogField::Line, run.line);
  write(made.text(LogField::Fault, run.fault).text(LogField::Message, run.reason));
  const auto first = operations_.lower_bound({run.id, 0});
  auto last = first;
  while (last != operations_.end() && last->first.first == run.id) ++last;
  operations_.erase(first, last);
}

void JsonLog::question_asked(const QuestionRow& question) {
  write(line(LogEvent::QuestionAsked)
            .text(LogField::Tenant, question.tenant)
            .text(LogField::Flow, question.flow)
            .text(LogField::Run, question.run)
            .text(LogField::Question, question.id)
            .texts(LogField::People, question.people)
            .text(LogField::Subject, question.subject));
}

void JsonLog::question_answered(const QuestionRow& question) {
  write(line(LogEvent::QuestionAnswered)
            .text(LogField::Tenant, question.tenant)
            .text(LogField::Flow, question.flow)
            .text(LogField::Run, question.run)
            .text(LogField::Question, question.id)
            .text(LogField::By, question.by)
            .text(LogField::Answer, question.answer));
}

void JsonLog::polled(const PollReport& report) {
  if (report.fresh == 0) return;
  write(line(LogEvent::Polled)
            .text(LogField::Tenant, report.tenant)
            .text(LogField::Trigger, report.trigger)
            .number(LogField::Events, report.events)
            .number(LogField::Fresh, report.fresh));
}

void JsonLog::health(const HealthEvent& event) {
  write(line(LogEvent::Health)
            .level(event.kind == HealthEvent::Kind::StoreFailed ? LogLevel::Error : LogLevel::Warning)
            .text(LogField::Tenant, event.tenant)
            .text(LogField::Kind, health_kind_name(event.kind))
            .text(LogField::Subject, event.subject)
            .text(LogField::Message, event.message));
}

}  // namespace flow
