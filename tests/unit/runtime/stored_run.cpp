#include "stored_run.hpp"

#include <fmt/format.h>

#include <set>
#include <sstream>
#include <utility>

#include "base/result.hpp"
#include "runtime/history.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow::test {
namespace {

std::string fault_text(const Fault& fault) {
  return fmt::format("{} `{}` status {} code `{}`{}{} of {} line {}", fault_name(fault.kind), fault.message,
                     fault.status, fault.code, fault.maybe_executed ? " maybe executed" : "",
                     fault.retry_after_us == 0 ? "" : fmt::format(" after {}", fault.retry_after_us),
                     fault.operation, fault.line);
}

std::string outcome_text(const RunStep& step) {
  return fmt::format("{} {} {}", *step.call, step.operation,
                     step.fault ? fault_text(*step.fault) : step.result);
}
std::string call_text(const RunStep& step) {
  return fmt::format("{} {} {} line {}", *step.call, step.operation, step.arguments, step.line);
}
std::string end_text(const RunStep& step) {
  std::string text = fmt::format("{} line {} `{}` {}", step.how, step.line, step.text, step.result);
  if (step.fault) text += fault_text(*step.fault);
  for (const Place& place : step.trace) text += fmt::format(" {}:{}", place.routine, place.line);
  return text;
}

std::string told(const RunStep& step) {
  const std::string name(entry_name(step.kind));
  if (step.is_damaged) return "damaged: " + step.text;
  switch (step.kind) {
    case EntryKind::Started: return fmt::format("{} {} {}", name, step.result, step.settings);
    case EntryKind::Intent: return fmt::format("{} {} attempt {}", name, call_text(step), step.attempt);
    case EntryKind::Begun:
    case EntryKind::Retry: return fmt::format("{} {}", name, outcome_text(step));
    case EntryKind::Answered:
      return fmt::format("{} {}{}", name, outcome_text(step), step.is_settled ? " settled" : "");
    case EntryKind::Log: return fmt::format("{} {} line {}", name, step.text, step.line);
    case EntryKind::Parked: return fmt::format("{} {}", name, step.text);
    case EntryKind::Ended: return fmt::format("{} {}", name, end_text(step));
    case EntryKind::Cancelled: return fmt::format("{} {} {}", name, step.person, step.text);
    case EntryKind::Resumed: return fmt::format("{} {}", name, step.person);
    case EntryKind::Entered:
    case EntryKind::Recovered: return name;
  }
  return name;
}

std::vector<RunStep> steps_of(const StoredRun& run, std::string_view module_bytes) {
  const auto store = SqliteStore::open(":memory:");
  FLOW_CHECK(store, "a store in memory opens");
  put(**store, run, module_bytes);
  auto history = show_run(**store, run.row.id);
  FLOW_CHECK(history && *history, "a run that was put there is there");
  return std::move((*history)->steps);
}

}  // namespace

std::string to_text(const StoredRun& run) {
  const RunRow& row = run.row;
  std::string text = fmt::format(
      "id {}\ntenant {}\nflow {}\nmodule {}\ntrigger {}\nkey {}\nstate {}\ncreated_us {}\nended_us {}\n"
      "reason {}\nfault {}\nline {}\n",
      row.id, row.tenant, row.flow, row.module, row.trigger, row.key, static_cast<int>(row.state),
      row.created_us, row.ended_us, row.reason, row.fault, row.line);
  for (const JournalRow& entry : run.journal)
    text += fmt::format("{} {} {} {}\n", entry.sequence, entry.kind, entry.time_us, entry.payload);
  return text;
}

StoredRun stored_run_from(const std::string& text) {
  std::istringstream lines(text);
  const auto member = [&lines](const std::string& name) {
    std::string line;
    std::getline(lines, line);
    FLOW_CHECK(line.starts_with(name + " "), "the members of a stored run stand in their order");
    return line.substr(name.size() + 1);
  };
  StoredRun run;
  RunRow& row = run.row;
  row.id = member("id");
  row.tenant = member("tenant");
  row.flow = member("flow");
  row.module = member("module");
  row.trigger = member("trigger");
  row.key = member("key");
  row.state = static_cast<RunState>(std::stoi(member("state")));
  row.created_us = std::stoll(member("created_us"));
  row.ended_us = std::stoll(member("ended_us"));
  row.reason = member("reason");
  row.fault = member("fault");
  row.line = static_cast<std::uint32_t>(std::stoul(member("line")));
  for (JournalRow entry{.run = row.id}; lines >> entry.sequence >> entry.kind >> entry.time_us;) {
    lines.get();
    std::getline(lines, entry.payload);
    run.journal.push_back(entry);
  }
  return run;
}

StoredRun cut_after(StoredRun run, std::size_t entries) {
  run.journal.resize(entries);
  run.row.state = RunState::Running;
  run.row.ended_us = 0;
  run.row.reason.clear();
  run.row.fault.clear();
  run.row.line = 0;
  return run;
}

std::string told(const StoredRun& run, std::string_view module_bytes) {
  std::string text;
  for (const RunStep& step : steps_of(run, module_bytes)) text += told(step) + "\n";
  return text;
}

std::string story(const StoredRun& run, std::string_view module_bytes) {
  std::string text;
  std::set<std::string> calls;
  for (RunStep& step : steps_of(run, module_bytes)) {
    step.is_settled = false;
    if (step.kind == EntryKind::Intent) calls.insert(call_text(step));
    if (step.kind != EntryKind::Intent && step.kind != EntryKind::Retry &&
        step.kind != EntryKind::Recovered && step.kind != EntryKind::Parked)
      text += told(step) + "\n";
  }
  for (const std::string& call : calls) text += call + "\n";
  return text;
}

void put(Store& store, const StoredRun& run, std::string_view module_bytes) {
  Batch batch;
  batch.modules = {{run.row.module, std::string(module_bytes)}};
  batch.runs = {run.row};
  batch.journal = run.journal;
  FLOW_CHECK(store.commit(batch), "an empty store takes a run");
}

StoredRun take(Store& store, const std::string& id) {
  auto row = store.run(id);
  auto journal = store.journal(id, 0);
  FLOW_CHECK(row && *row && journal, "the run is there");
  return {std::move(**row), std::move(*journal)};
}

}  // namespace flow::test
