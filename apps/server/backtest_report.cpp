#include "apps/server/backtest_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "vm/bytecode/policy_text.hpp"

namespace flow {
namespace {

constexpr std::size_t kMostTargets = 10;  // of one operation, in the text

std::string text_of(const std::string& json) {
  return json_string(json).value_or(json);
}

std::vector<std::pair<std::string, std::uint64_t>> most_first(
    const std::map<std::string, std::uint64_t>& counts) {
  std::vector<std::pair<std::string, std::uint64_t>> sorted(counts.begin(), counts.end());
  std::ranges::stable_sort(sorted, [](const auto& a, const auto& b) { return a.second > b.second; });
  return sorted;
}

std::string counted(const std::map<std::string, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, name);
  return out;
}

void rows(std::string& out, std::string_view title, const std::map<std::string, std::uint64_t>& counts) {
  for (const auto& [name, count] : most_first(counts))
    out += fmt::format("  {:<10} {} {}\n", std::exchange(title, ""), count, printable(name));
}

std::string json_counts(const std::map<std::string, std::uint64_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts)
    out += fmt::format("{}{}:{}", out.empty() ? "" : ",", json_quoted(name), count);
  return "{" + out + "}";
}

std::string flow_text(const BacktestFlow& flow) {
  std::string out = fmt::format("\nflow {} on {}\n", flow.name, flow.trigger);
  if (!flow.is_replayed && flow.runs == 0) return out + "  not tried: nothing of the past starts it\n";
  if (flow.is_replayed) {
    std::uint64_t kept = flow.matched + flow.repeated;
    out += fmt::format("  {:<10} {}\n", "events", flow.events);
    out +=
        fmt::format("  {:<10} {} by the condition{}\n", "skipped", flow.events - std::min(kept, flow.events),
                    flow.repeated == 0 ? "" : fmt::format(", {} by `once per`", flow.repeated));
  }
  out += fmt::format("  {:<10} {}{}\n", "matched", flow.matched,
                     flow.ended.empty() ? "" : fmt::format(": {}", counted(flow.ended)));
  for (const auto& [operation, calls] : flow.calls) {
    out += fmt::format("  {:<10} {} {} time{}", "would call", operation, calls.count,
                       calls.count == 1 ? "" : "s");
    if (calls.targets.size() > 1) out += fmt::format(", on {} targets", calls.targets.size());
    out += "\n";
    std::size_t shown = 0;
    for (const auto& [target, count] : most_first(calls.targets)) {
      if (shown++ == kMostTargets) {
        out += fmt::format("  {:<12} and {} more\n", "", calls.targets.size() - kMostTargets);
        break;
      }
      out += fmt::format("  {:<12} {} {}\n", "", count, printable(target));
    }
  }
  rows(out, "limited", flow.limited);
  rows(out, "refused", flow.refused);
  rows(out, "faults", flow.faults);
  rows(out, "reads", flow.reads);
  return out;
}

std::string flow_json(const BacktestFlow& flow) {
  std::string calls;
  for (const auto& [operation, made] : flow.calls)
    calls += fmt::format("{}{}:{{\"count\":{},\"targets\":{}}}", calls.empty() ? "" : ",",
                         json_quoted(operation), made.count, json_counts(made.targets));
  const std::uint64_t kept = flow.matched + flow.repeated;
  return fmt::format(
      R"({{"flow":{},"trigger":{},"tried":{},"events":{},"skipped":{{"condition":{},"once":{}}},"matched":{},"ended":{},"calls":{{{}}},"limited":{},"refused":{},"faults":{},"reads":{}}})",
      json_quoted(flow.name), json_quoted(flow.trigger), flow.is_replayed || flow.runs > 0, flow.events,
      flow.events - std::min(kept, flow.events), flow.repeated, flow.matched, json_counts(flow.ended), calls,
      json_counts(flow.limited), json_counts(flow.refused), json_counts(flow.faults),
      json_counts(flow.reads));
}

}  // namespace

BacktestReport::BacktestReport(const Module& module) : module_(module) {
  for (const FlowCode& flow : module.flows) {
    const Trigger& trigger = module.triggers[flow.trigger];
    if (is_made_by_compiler(trigger)) continue;
    BacktestFlow made;
    made.name = flow.name;
    made.trigger = trigger_text(trigger);
    made.is_replayed = trigger.kind == Trigger::Kind::Poll;
    flows_.push_back(std::move(made));
  }
}

BacktestFlow& BacktestReport::flow_of(const RunRow& run) {
  const auto found = std::ranges::find(flows_, run.flow, &BacktestFlow::name);
  if (found != flows_.end()) return *found;
  flows_.emplace_back().name = run.flow;
  return flows_.back();
}

std::string BacktestReport::target_of(const std::string& operation, const std::string& arguments) const {
  const auto found = std::ranges::find(module_.operations, operation, &Operation::full_name);
  const std::string name =
      found == module_.operations.end() || found->targets.empty() ? "to" : found->targets;
  const auto given = json_member(arguments, name);
  return given ? text_of(*given) : "";
}

void BacktestReport::run_started(const RunRow& run) {
  ++flow_of(run).runs;
  open_[run.id];
  flow_of_run_[run.id] = run.flow;
}

void BacktestReport::run_step(const RunRow& run, const JournalRow& row) {
  const auto kind = entry_numbered(row.kind);
  const Result<Entry> entry = kind ? decode_entry(*kind, row.payload) : error("unknown entry");
  if (!entry) return;
  BacktestFlow& flow = flow_of(run);
  Open& open = open_[run.id];
  if (std::holds_alternative<EnteredEntry>(*entry)) ++flow.matched;
  if (const auto* intent = std::get_if<IntentEntry>(&*entry))
    open.calls[intent->call] = {intent->operation, intent->arguments};
  const auto* const answer = std::get_if<OutcomeEntry>(&*entry);
  if (answer == nullptr) return;
  const auto [operation, arguments] = open.calls[answer->call];
  const auto* const fault = std::get_if<Fault>(&answer->outcome);
  const auto* const returned = std::get_if<Returned>(&answer->outcome);
  if (operation == "flow.once" && returned != nullptr && returned->json == "false") open.is_repeated = true;
  if (operation == "flow.refuse")
    ++flow.refused[fmt::format("{} is refused by `{}`",
                               text_of(json_member(arguments, "operation").value_or("")),
                               text_of(json_member(arguments, "reason").value_or("")))];
  switch (answer->by) {
    case AnsweredBy::DryRun: {
      BacktestCalls& calls = flow.calls[operation];
      ++calls.count;
      if (const std::string target = target_of(operation, arguments); !target.empty())
        ++calls.targets[target];
      break;
    }
    case AnsweredBy::Skip:
    case AnsweredBy::Limit: ++flow.limited[operation]; break;
    case AnsweredBy::Protection: ++flow.refused[fault == nullptr ? operation : fault->message]; break;
    case AnsweredBy::Deadline: break;
    case AnsweredBy::World:
    case AnsweredBy::Shared:
      if (!operation.starts_with("flow.")) ++flow.reads[operation];
      break;
  }
}

void BacktestReport::run_ended(const RunRow& run) {
  BacktestFlow& flow = flow_of(run);
  if (open_[run.id].is_repeated && run.state == RunState::Skipped)
    ++flow.repeated;
  else if (run.state != RunState::Skipped)
    ++flow.ended[std::string(run_state_name(run.state))];
  if (run.state == RunState::Failed)
    ++flow.faults[fmt::format("{} in line {}: {}", run.fault, run.line, run.reason)];
  open_.erase(run.id);
}

void BacktestReport::polled(const PollReport& report) {
  for (BacktestFlow& flow : flows_) {
    const auto code = std::ranges::find(module_.flows, flow.name, &FlowCode::name);
    if (code == module_.flows.end()) continue;
    const Trigger& trigger = module_.triggers[code->trigger];
    if (trigger.connector + "." + trigger.name == report.trigger) flow.events += report.fresh;
  }
}

void BacktestReport::health(const HealthEvent& event) {
  ++problems_[event.message];
}

void BacktestReport::end() {
  for (const auto& [run, open] : open_)
    for (BacktestFlow& flow : flows_)
      if (flow.name == flow_of_run_[run]) ++flow.ended["waiting"];
}

std::string BacktestReport::text() const {
  std::string out = "no events\n";
  if (events > 0)
    out = fmt::format("{} event{} from {} to {}; nothing was performed\n", events, events == 1 ? "" : "s",
                      format_time_us(first_us), format_time_us(last_us));
  for (const BacktestFlow& flow : flows_) out += flow_text(flow);
  if (!problems_.empty()) out += "\n";
  rows(out, "problems", problems_);
  return out;
}

std::string BacktestReport::json() const {
  std::string flows;
  for (const BacktestFlow& flow : flows_) flows += (flows.empty() ? "" : ",\n") + flow_json(flow);
  const auto moment = [&](std::int64_t us) { return events == 0 ? "null" : json_quoted(format_time_us(us)); };
  return fmt::format("{{\"events\":{},\"from\":{},\"to\":{},\"problems\":{},\"flows\":[{}]}}\n", events,
                     moment(first_us), moment(last_us), json_counts(problems_), flows);
}

}  // namespace flow
