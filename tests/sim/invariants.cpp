#include "invariants.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <optional>

#include "base/operation.hpp"
#include "runtime/history.hpp"
#include "runtime/json_text.hpp"
#include "runtime/packed_entries.hpp"

namespace flow::test {
namespace {

struct Connection {
  sqlite3* raw = nullptr;
  ~Connection() { sqlite3_close_v2(raw); }
};

// One call of one run, as the journal tells of it.
struct CallStory {
  std::string operation, arguments;
  std::int64_t last_intent_us = 0;
  std::uint32_t intents = 0;
  std::optional<RunStep> answer;
};

std::map<std::uint32_t, CallStory> calls_of(const RunHistory& history) {
  std::map<std::uint32_t, CallStory> calls;
  for (const RunStep& step : history.steps) {
    if (!step.call) continue;
    CallStory& call = calls[*step.call];
    if (step.kind == EntryKind::Intent) {
      call.operation = step.operation;
      call.arguments = step.arguments;
      call.last_intent_us = step.time_us;
      ++call.intents;
    }
    if (step.kind == EntryKind::Answered && !step.is_void) call.answer = step;
  }
  return calls;
}

RunHistory history_of(Store& store, const std::string& run, Problems& problems) {
  auto history = show_run(store, run);
  if (history && *history) return std::move(**history);
  problems.push_back(fmt::format("run {} cannot be read", run));
  return {};
}

bool is_mail_to_asked(const std::string& key) {
  return key.find('-') != std::string::npos;
}

// The most of these times that any span of the window holds.
std::size_t most_within(std::vector<std::int64_t> times, std::int64_t window_us) {
  std::ranges::sort(times);
  std::size_t most = 0, first = 0;
  for (std::size_t last = 0; last < times.size(); ++last) {
    while (times[first] <= times[last] - window_us) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

bool counts_under_limit(const CallStory& call) {
  if (call.intents == 0) return false;
  if (!call.answer) return true;
  if (call.answer->by != AnsweredBy::World) return false;
  return !call.answer->fault || call.answer->fault->maybe_executed;
}

}  // namespace

void check_disk(const std::string& vfs, const std::string& path, const Promises& promises,
                Problems& problems) {
  Connection connection;
  if (sqlite3_open_v2(path.c_str(), &connection.raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                      vfs.c_str()) != SQLITE_OK)
    return problems.push_back("the store cannot be opened after a crash");
  sqlite3_stmt* statement = nullptr;
  const auto prepare = [&](const char* sql) {
    if (sqlite3_prepare_v2(connection.raw, sql, -1, &statement, nullptr) == SQLITE_OK) return true;
    problems.push_back(fmt::format("after a crash: {}", sqlite3_errmsg(connection.raw)));
    return false;
  };
  const auto text = [&](int column) {
    return std::string(static_cast<const char*>(sqlite3_column_blob(statement, column)),
                       static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
  };
  if (!prepare("PRAGMA integrity_check")) return;
  if (sqlite3_step(statement) != SQLITE_ROW || text(0) != "ok")
    problems.push_back("the store is damaged: " + text(0));
  sqlite3_finalize(statement);
  if (promises.entries.empty()) return;  // it may have no tables yet
  if (!prepare("SELECT run, payload, sequence, kind, time_us FROM journal ORDER BY run, sequence")) return;
  std::map<std::string, std::size_t> found;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    const std::string run = text(0);
    const auto told = promises.entries.find(run);
    const Packed packed{sqlite3_column_int(statement, 3), text(1)};
    const auto last = static_cast<std::uint32_t>(sqlite3_column_int64(statement, 2));
    std::vector<JournalRow> rows;
    if (packed.kind != kPacked && packed.kind != kCompressed) {
      rows.push_back({run, last, packed.kind, 0, packed.bytes});
    } else if (!unpack(packed, run, last, sqlite3_column_int64(statement, 4), rows)) {
      problems.push_back(fmt::format("entries of run {} cannot be read any more", run));
    }
    for (const JournalRow& row : rows) {
      const std::size_t at = found[run]++;
      if (told != promises.entries.end() && at < told->second.size() && !told->second[at].empty() &&
          told->second[at] != row.payload)
        problems.push_back(fmt::format("entry {} of run {} is not what was told of", at, run));
    }
  }
  sqlite3_finalize(statement);
  for (const auto& [run, entries] : promises.entries)
    if (found[run] < entries.size())
      problems.push_back(
          fmt::format("run {} has {} entries, and {} were told of", run, found[run], entries.size()));
}

void check_events(const std::vector<RunRow>& runs, const Expected& expected, Problems& problems) {
  std::map<std::pair<std::string, std::string>, int> found;
  for (const RunRow& run : runs) ++found[{run.flow, run.key}];
  for (const auto& event : expected.events)
    if (const int count = found[event]; count != 1)
      problems.push_back(fmt::format("event `{}` has {} runs of flow {}", event.second, count, event.first));
  for (const auto& [event, count] : found)
    if (count > 1) problems.push_back(fmt::format("event `{}` ran {} times", event.second, count));
}

void check_promises(Store& store, const Promises& promises, Problems& problems) {
  for (const auto& [key, id] : promises.runs) {
    const auto row = store.run(id);
    if (!row || !*row) {
      problems.push_back(fmt::format("request `{}` was told of run {}, which is not there", key, id));
    } else if ((*row)->key != key) {
      problems.push_back(fmt::format("request `{}` was told of a run of `{}`", key, (*row)->key));
    }
  }
  for (const auto& [id, answer] : promises.answers) {
    const auto question = store.question(id);
    if (!question || !*question || (*question)->state != QuestionRow::State::Answered ||
        (*question)->answer != answer)
      problems.push_back(fmt::format("the answer `{}` to {} was recorded, and is not there", answer, id));
  }
  for (const auto& [run, key] : promises.messages) {
    const auto has = store.has_message(run, key);
    if (!has || !*has)
      problems.push_back(fmt::format("message `{}` to run {} was kept, and is not there", key, run));
  }
}

void check_ends(Store& store, const std::vector<RunRow>& runs, Problems& problems) {
  for (const RunRow& run : runs) {
    const RunHistory history = history_of(store, run.id, problems);
    for (std::size_t i = 0; i < history.steps.size(); ++i)
      if (history.steps[i].is_damaged || history.steps[i].sequence != i)
        problems.push_back(fmt::format("the journal of run {} is damaged at entry {}", run.id, i));
    const bool is_over = run.state != RunState::Running && run.state != RunState::Parked;
    if (!is_over)
      problems.push_back(fmt::format("run {} of {} has come to no end: {}, `{}`", run.id, run.flow,
                                     run_state_name(run.state), run.reason));
    if (is_over && (history.steps.empty() || history.steps.back().kind != EntryKind::Ended))
      problems.push_back(fmt::format("the journal of run {} has no end", run.id));
    if (run.state == RunState::Failed && (run.fault.empty() || run.reason.empty()))
      problems.push_back(fmt::format("run {} failed for no stated reason", run.id));
  }
}

void check_deeds(Store& store, const std::vector<RunRow>& runs, const Tenant& tenant, Problems& problems) {
  std::set<std::string> explained;
  for (const RunRow& run : runs) {
    const RunHistory history = history_of(store, run.id, problems);
    for (const auto& [number, call] : calls_of(history)) {
      const std::string key = fmt::format("{}/{}", run.id, number);
      if (call.intents > 0) explained.insert(key);
      const auto deed = tenant.deeds().find(key);
      const bool is_done = deed != tenant.deeds().end();
      if (is_done && deed->second.operation != call.operation)
        problems.push_back(
            fmt::format("{} did {}, the journal has {}", key, deed->second.operation, call.operation));
      if (is_done && deed->second.arguments != call.arguments)
        problems.push_back(fmt::format("{} was carried out with other arguments than the journal's", key));
      if (!call.answer) continue;
      const RunStep& answer = *call.answer;
      const bool is_act = call.operation.starts_with("mail.") || call.operation == "defender.isolate" ||
                          call.operation == "defender.unisolate" ||
                          call.operation == "defender.update_alert" || call.operation == "defender.add_tag" ||
                          call.operation == "defender.run_antivirus_scan" ||
                          call.operation == "defender.collect_investigation_package";
      if (!is_act) continue;
      if (answer.by == AnsweredBy::World && !answer.fault && !is_done)
        problems.push_back(fmt::format("{} ({}) was answered, and never happened", key, call.operation));
      const bool is_instead = answer.by != AnsweredBy::World && answer.by != AnsweredBy::Deadline;
      const bool is_surely_not = answer.fault && !answer.fault->maybe_executed;
      if ((is_instead || (answer.by == AnsweredBy::World && is_surely_not)) && is_done &&
          !deed->second.may_be_repeated)
        problems.push_back(
            fmt::format("{} ({}) happened, and the journal says that it did not", key, call.operation));
    }
  }
  for (const auto& [key, deed] : tenant.deeds()) {
    if (deed.times > 1 && !deed.may_be_repeated)
      problems.push_back(fmt::format("{} ({}) happened {} times", key, deed.operation, deed.times));
    if (!is_mail_to_asked(key) && !explained.contains(key))
      problems.push_back(fmt::format("{} ({}) happened, and no journal has an intent", key, deed.operation));
  }
}

void check_guardrails(Store& store, const std::vector<RunRow>& runs, const Expected& expected,
                      const Promises& promises, const Tenant& tenant, Problems& problems) {
  // By the time of the world: what a clock shows that is set back comes twice.
  const auto time_of = [&](const std::string& run, const RunStep& step) {
    const auto told = promises.times.find(run);
    const bool is_told = told != promises.times.end() && step.sequence < told->second.size();
    return is_told ? told->second[step.sequence] : std::int64_t{0};
  };
  std::map<std::string, std::vector<std::int64_t>> limited;
  std::map<std::string, std::vector<std::int64_t>> taken;  // keys of flow.once
  std::vector<std::pair<std::int64_t, int>> few;           // begins and ends
  for (const RunRow& run : runs) {
    const RunHistory history = history_of(store, run.id, problems);
    std::int64_t first_us = 0;
    for (const auto& [number, call] : calls_of(history)) {
      if (first_us == 0 || call.last_intent_us < first_us) first_us = call.last_intent_us;
      if (call.operation == "flow.once" && call.answer && call.answer->result == "true")
        if (const std::int64_t time_us = time_of(run.id, *call.answer))
          taken[run.flow + call.arguments].push_back(time_us);
      const bool is_limited = (run.flow == "limited" && call.operation == "defender.run_antivirus_scan") ||
                              (run.flow == "spared" && call.operation == "defender.isolate");
      const auto sent = tenant.sent().find(fmt::format("{}/{}", run.id, number));
      if (is_limited && counts_under_limit(call) && sent != tenant.sent().end())
        limited[run.flow].push_back(sent->second);
      if (run.flow == "in_time" && expected.is_clock_steady &&
          call.operation == "defender.run_antivirus_scan" &&
          call.last_intent_us >= run.created_us + 30 * kMinute &&
          !(call.answer && call.answer->by == AnsweredBy::Deadline))
        problems.push_back(fmt::format("run {} acted beyond its deadline", run.id));
    }
    if (run.flow != "few_at_once" || first_us == 0) continue;
    std::int64_t begin_us = 0;
    for (const RunStep& step : history.steps)
      if (step.kind == EntryKind::Intent && begin_us == 0) begin_us = step.time_us;
    few.emplace_back(begin_us, 1);
    few.emplace_back(run.ended_us, -1);
  }
  if (expected.is_clock_never_ahead) {
    if (const std::size_t most = most_within(limited["limited"], kHour); most > 3)
      problems.push_back(fmt::format("{} scans within an hour where 3 are allowed", most));
    if (const std::size_t most = most_within(limited["spared"], 30 * kMinute); most > 2)
      problems.push_back(fmt::format("{} isolations within 30 minutes where 2 are allowed", most));
    for (const auto& [key, times] : taken)
      if (most_within(times, 2 * kHour) > 1)
        problems.push_back(fmt::format("{} was taken twice in 2 hours", key));
  }
  if (!expected.is_clock_steady) return;
  // As the connectors declare them.
  const std::map<std::string, std::size_t> quotas = {{"defender", 100}, {"mail", 30}};
  for (const auto& [connector, most] : tenant.most_in_a_minute())
    if (const auto quota = quotas.find(connector); quota != quotas.end() && most > quota->second)
      problems.push_back(fmt::format("{} calls of {} within a minute", most, connector));
  std::ranges::sort(few);  // an end before a begin at the same time
  int at_once = 0;
  for (const auto& [time_us, change] : few)
    if ((at_once += change) > 2)
      return problems.push_back(fmt::format("{} runs at once where 2 are allowed", at_once));
}

}  // namespace flow::test
