// flow runs: what happened, read from the store; a service may be writing to it meanwhile.
#include <fmt/format.h>
#include <unistd.h>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/run_json.hpp"
#include "apps/server/run_search.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/world.hpp"
#include "base/text.hpp"
#include "runtime/caller.hpp"
#include "runtime/history.hpp"
#include "runtime/leases.hpp"
#include "runtime/rerun.hpp"
#include "runtime/sqlite_store.hpp"

namespace flow {
namespace {

Attempt<int> list(const RunsOptions& options) {
  auto filter = read_search({.tenant = options.tenant,
                             .flow = options.flow,
                             .alert = options.alert,
                             .machine = options.machine,
                             .state = options.state,
                             .since = options.since,
                             .until = options.until,
                             .before = options.before},
                            SystemClock().now_us());
  if (!filter) return failure(filter.error().message, kUsage);
  filter->limit = options.limit;
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(options.store));
  FLOW_TRY(const std::vector<RunRow> runs, store->list_runs(*filter));
  if (options.json) {
    std::string all;
    for (const RunRow& run : runs) all += (all.empty() ? "" : ",\n") + json_run(run);
    fmt::print("[{}]\n", all);
    return static_cast<int>(kSuccess);
  }
  if (runs.empty()) fmt::print("no runs\n");
  for (const RunRow& run : runs)
    fmt::print("{}  {:<24} {:<9} {:<10} {}  {}\n", run.id, format_time_us(run.created_us / 1000 * 1000),
               run_state_name(run.state), run.tenant, run.flow, printable(run.reason));
  return static_cast<int>(kSuccess);
}

Attempt<int> show(const RunsOptions& options) {
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(options.store));
  FLOW_TRY(const std::optional<RunHistory> history, show_run(*store, options.id));
  if (!history)
    return error(
        fmt::format("there is no run `{}` in `{}`; `flow runs list` shows them", options.id, options.store));
  const RunRow& run = history->run;
  FLOW_TRY(const std::vector<std::string> repeats, reruns(*store, run));
  if (options.json) {
    std::string steps;
    for (const RunStep& step : history->steps) steps += (steps.empty() ? "" : ",\n") + json_step(step);
    std::string again;
    for (const std::string& id : repeats) again += (again.empty() ? "" : ",") + json_quoted(id);
    fmt::print("{{\"run\":{},\n\"retriedAs\":[{}],\n\"steps\":[{}]}}\n", json_run(run), again, steps);
    return static_cast<int>(kSuccess);
  }
  fmt::print("run {} of {} for tenant {}: {}\n", run.id, run.flow, run.tenant, run_state_name(run.state));
  if (const auto caller = caller_of(run))
    fmt::print("  called by run {}\n", caller->run);
  else if (const auto holder = holder_of(run))
    fmt::print("  ends what run {} leased\n", holder->run);
  else if (const auto repeated = rerun_of(run))
    fmt::print("  retry {} of run {}\n", repeated->number, printable(repeated->run));
  else
    fmt::print("  because of {} {}\n", run.trigger, printable(run.key));
  for (const std::string& again : repeats) fmt::print("  retried as run {}\n", again);
  for (const RunStep& step : history->steps)
    fmt::print("  {:<27} {:>8} {}\n", format_time_us(step.time_us),
               step.line == 0 ? "" : fmt::format("line {}", step.line), step_text(step));
  return static_cast<int>(kSuccess);
}

int finish(const Attempt<int>& result) {
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace

int run_runs_list(const RunsOptions& options) {
  return finish(list(options));
}
int run_runs_show(const RunsOptions& options) {
  return finish(show(options));
}

}  // namespace flow
