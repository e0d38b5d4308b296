#include "runtime/shadow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/deployment.hpp"
#include "runtime/history.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

constexpr std::string_view kSuffix = "~shadow";

// What one of the two did on an event.
struct Deeds {
  std::string run;
  bool is_running = false;
  std::string text;
};

// The operations of a module that are no reads.
Result<std::set<std::string>> acts_of(Store& store, const std::string& hash) {
  FLOW_TRY(const auto bytes, store.module(hash));
  if (!bytes) return error(fmt::format("module {} is not in the store", hash));
  FLOW_TRY(const Module module, decode(*bytes));
  std::set<std::string> acts;
  for (const Operation& operation : module.operations)
    if (operation.effect != Effect::Read) acts.insert(operation.full_name());
  for (const char* const starts : {"flow.call", "flow.start"}) acts.insert(starts);
  return acts;
}

class Comparison {
 public:
  explicit Comparison(Store& store) : store_(store) {}

  Result<Deeds> deeds(const RunRow& row) {
    Deeds deeds{.run = row.id, .is_running = row.state == RunState::Running, .text = {}};
    FLOW_TRY(const std::set<std::string>* acts, acts_in(row.module));
    FLOW_TRY(const auto history, show_run(store_, row.id));
    deeds.text = std::string(run_state_name(row.state));
    if (!row.fault.empty()) deeds.text += " with " + row.fault;
    if (!history) return deeds;
    for (const RunStep& step : history->steps)
      if (step.kind == EntryKind::Intent && step.attempt <= 1 && !step.is_void &&
          acts->contains(step.operation))
        deeds.text += fmt::format(", {} {}", step.operation, step.arguments);
    return deeds;
  }

 private:
  Result<const std::set<std::string>*> acts_in(const std::string& hash) {
    const auto found = acts_.find(hash);
    if (found != acts_.end()) return &found->second;
    FLOW_TRY(std::set<std::string> acts, acts_of(store_, hash));
    return &acts_.emplace(hash, std::move(acts)).first->second;
  }

  Store& store_;
  std::map<std::string, std::set<std::string>> acts_;  // by module
};

}  // namespace

bool is_shadow(std::string_view flow) {
  return flow.ends_with(kSuffix);
}

std::string shadow_of(std::string_view flow) {
  return std::string(flow).append(kSuffix);
}

std::string_view name_in_module(std::string_view flow) {
  return is_shadow(flow) ? flow.substr(0, flow.size() - kSuffix.size()) : flow;
}

Result<ShadowReport> compare_shadow(Store& store, const std::string& tenant, const std::string& flow) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, store.deployments(tenant, flow));
  const FlowVersions versions = versions_of(rows);
  if (!versions.shadow) return error(fmt::format("flow `{}` of tenant `{}` has no shadow", flow, tenant));
  ShadowReport report{.shadow = *versions.shadow};
  Comparison comparison(store);
  // Of one of the two: its runs on events that the other has no run of are added by the second pass.
  const auto runs_of = [&](const std::string& name) {
    RunFilter filter{.tenant = tenant, .flow = name};
    filter.since_us = report.shadow.time_us;
    filter.limit = kMaxListedRuns;
    return store.list_runs(filter);
  };
  const auto other_of = [&](const RunRow& row, const std::string& name) -> Result<Deeds> {
    FLOW_TRY(const auto id, store.run_of(tenant, name, row.trigger, row.key));
    if (!id) return Deeds{.run = {}, .is_running = false, .text = "no run"};
    FLOW_TRY(const auto other, store.run(*id));
    if (!other) return Deeds{.run = {}, .is_running = false, .text = "no run"};
    return comparison.deeds(*other);
  };
  FLOW_TRY(const std::vector<RunRow> shadows, runs_of(shadow_of(flow)));
  FLOW_TRY(const std::vector<RunRow> lives, runs_of(flow));
  report.is_cut = shadows.size() == kMaxListedRuns || lives.size() == kMaxListedRuns;
  const auto compare = [&](const RunRow& row, const Deeds& live, const Deeds& shadow) {
    if (live.is_running || shadow.is_running) {
      ++report.running;
    } else if (live.text == shadow.text) {
      ++report.same;
    } else {
      report.differences.push_back({row.trigger, row.key, live.run, shadow.run, live.text, shadow.text});
    }
  };
  for (const RunRow& row : shadows) {
    FLOW_TRY(const Deeds shadow, comparison.deeds(row));
    FLOW_TRY(const Deeds live, other_of(row, flow));
    compare(row, live, shadow);
  }
  for (const RunRow& row : lives) {
    FLOW_TRY(const Deeds shadow, other_of(row, shadow_of(flow)));
    if (!shadow.run.empty()) continue;  // compared above
    FLOW_TRY(const Deeds live, comparison.deeds(row));
    compare(row, live, shadow);
  }
  const auto newest = [](const ShadowDifference& difference) {
    return std::max(difference.live_run, difference.shadow_run);
  };
  std::ranges::sort(report.differences, std::ranges::greater(), newest);
  return report;
}

}  // namespace flow
