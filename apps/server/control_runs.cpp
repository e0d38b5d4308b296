// flow runs resume and cancel: what a person does to runs of a store that no service holds. The next start
// takes up what goes on.
#include <fmt/format.h>

#include <chrono>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/runtime_commands.hpp"
#include "base/text.hpp"
#include "runtime/control.hpp"
#include "runtime/sqlite_store.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

std::int64_t now_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(system_clock::now().time_since_epoch()).count();
}

// The runs that are meant: the one named, or all that failed within a time.
Attempt<std::vector<std::string>> wanted(Store& store, const ControlOptions& options) {
  if (!options.id.empty()) return std::vector<std::string>{options.id};
  if (!options.failed) return failure("name a run, or say --failed", kUsage);
  RunFilter filter{.tenant = options.tenant, .flow = options.flow, .state = RunState::Failed};
  filter.limit = kMaxListedRuns;
  filter.since_us = options.since_us > 0 ? now_us() - options.since_us : 0;
  FLOW_TRY(const std::vector<RunRow> rows, store.list_runs(filter));
  std::vector<std::string> ids;
  for (const RunRow& row : rows) ids.push_back(row.id);
  return ids;
}

Result<Batch> planned(Store& store, const std::string& id, const ControlOptions& options) {
  FLOW_TRY(const std::optional<RunHistory> history, show_run(store, id));
  if (!history)
    return error(fmt::format("there is no run `{}` in `{}`; `flow runs list` shows them", id, options.store));
  if (options.is_cancel) return plan_cancel(*history, options.by, options.reason, now_us());
  FLOW_TRY(const std::optional<std::string> bytes, store.module(history->run.module));
  if (!bytes) return error(fmt::format("the store has not the module of run `{}`", id));
  FLOW_TRY(const Module module, decode(*bytes));
  ResumeRequest request{.fate = ResumeRequest::Fate::Unknown, .result = options.happened, .by = options.by};
  if (!options.happened.empty()) request.fate = ResumeRequest::Fate::Happened;
  if (options.did_not_happen) request.fate = ResumeRequest::Fate::DidNotHappen;
  return plan_resume(*history, module, request, now_us());
}

Attempt<int> control(const ControlOptions& options) {
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(options.store));
  FLOW_TRY(const std::vector<std::string> ids, wanted(*store, options));
  std::size_t done = 0;
  for (const std::string& id : ids) {
    const Result<Batch> batch = planned(*store, id, options);
    if (!batch) {
      complain(batch.error().message);
      continue;
    }
    FLOW_TRY_STATUS(store->commit(*batch));
    ++done;
    fmt::print("run {} {}\n", id, options.is_cancel ? "is cancelled" : "goes on when the service starts");
  }
  if (ids.empty()) fmt::print("no runs\n");
  return static_cast<int>(done == ids.size() ? kSuccess : kFlowWrong);
}

}  // namespace

int run_runs_control(const ControlOptions& options) {
  const Attempt<int> result = control(options);
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace flow
