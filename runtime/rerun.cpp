#include "runtime/rerun.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/auditing.hpp"
#include "runtime/deployment.hpp"
#include "runtime/journal.hpp"
#include "runtime/json_text.hpp"
#include "runtime/leases.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"
#include "runtime/starting.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

constexpr std::string_view kBefore = "retry ", kBetween = " of ";

std::string rerun_key(const std::string& run, std::uint32_t number) {
  return fmt::format("{}{}{}{}", kBefore, number, kBetween, run);
}

// That version of the flow that serves the run's tenant today, if what starts it is what started the run.
Result<DeploymentRow> version_for(Store& store, const RunRow& run) {
  if (is_shadow(run.flow))
    return error(fmt::format("run `{}` is of a shadow, which only goes along with what is live", run.id));
  FLOW_TRY(const std::vector<DeploymentRow> rows, store.deployments(run.tenant, run.flow));
  const FlowVersions versions = versions_of(rows);
  const DeploymentRow* const found = versions.current();
  if (found == nullptr)
    return error(fmt::format("run `{}` cannot be repeated: tenant `{}` has no flow `{}` any more", run.id,
                             run.tenant, run.flow));
  FLOW_TRY(const std::optional<std::string> bytes, store.module(found->module));
  if (!bytes) return error(fmt::format("the store has not the module of flow `{}`", run.flow));
  FLOW_TRY(const Module module, decode(*bytes));
  const auto flow = std::ranges::find(module.flows, run.flow, &FlowCode::name);
  if (flow == module.flows.end())
    return error(fmt::format("the module of flow `{}` does not have it", run.flow));
  if (!is_for_tenant(flow->policies, run.tenant))
    return error(fmt::format("run `{}` cannot be repeated: flow `{}` is not for tenant `{}` any more", run.id,
                             run.flow, run.tenant));
  const std::string starts_on = run_trigger(module.triggers[flow->trigger]);
  if (starts_on != run.trigger)
    return error(
        fmt::format("run `{}` cannot be repeated: flow `{}` starts on {} now, and its event was of {}",
                    run.id, run.flow, starts_on, run.trigger));
  return *found;
}

}  // namespace

std::optional<RerunOf> rerun_of(const RunRow& row) {
  const std::string_view key = row.key;
  const std::size_t between = key.find(kBetween, kBefore.size());
  if (!key.starts_with(kBefore) || between == std::string_view::npos) return std::nullopt;
  const auto number = json_int(key.substr(kBefore.size(), between - kBefore.size()));
  if (!number || *number < 1 || *number > kMaxReruns) return std::nullopt;
  return RerunOf{std::string(key.substr(between + kBetween.size())), static_cast<std::uint32_t>(*number)};
}

Result<std::vector<std::string>> reruns(Store& store, const RunRow& row) {
  std::vector<std::string> found;
  for (std::uint32_t number = 1; number <= kMaxReruns; ++number) {
    FLOW_TRY(const std::optional<std::string> run,
             store.run_of(row.tenant, row.flow, row.trigger, rerun_key(row.id, number)));
    if (!run) break;
    found.push_back(*run);
  }
  return found;
}

Result<Batch> plan_rerun(Store& store, const RunHistory& history, const std::string& by, RunIds& ids,
                         std::int64_t now_us) {
  const RunRow& run = history.run;
  if (is_lease(run))
    return error(fmt::format("run `{}` ends a lease, which it does once: {}", run.id,
                             run.state == RunState::Failed || run.state == RunState::Parked
                                 ? "`flow runs resume` lets it try again"
                                 : "retry the run that leased, or call what undoes it"));
  if (run.state == RunState::Running)
    return error(fmt::format("run `{}` is under way; cancel it first, or wait for its end", run.id));
  if (run.state == RunState::Parked)
    return error(fmt::format("run `{}` waits for a person; resume or cancel it first", run.id));
  if (history.steps.empty() || history.steps[0].kind != EntryKind::Started || history.steps[0].is_damaged)
    return error(fmt::format("the journal of run `{}` is damaged: its event cannot be read", run.id));
  FLOW_TRY(const DeploymentRow version, version_for(store, run));
  FLOW_TRY(const std::vector<std::string> before, reruns(store, run));
  if (before.size() >= kMaxReruns)
    return error(fmt::format("run `{}` was repeated {} times already", run.id, before.size()));
  RunRow row;
  row.id = ids.next();
  row.tenant = run.tenant;
  row.flow = run.flow;
  row.module = version.module;
  row.trigger = run.trigger;
  row.key = rerun_key(run.id, static_cast<std::uint32_t>(before.size()) + 1);
  row.created_us = now_us;
  row.machine = run.machine;
  const StartedEntry started{.event = history.steps[0].result, .settings = version.settings, .by = by};
  Batch batch;
  batch.journal.push_back({row.id, 0, static_cast<int>(EntryKind::Started), now_us, encode_entry(started)});
  batch.audit.push_back(audit_control(AuditKind::Retry, row, by, "of run " + run.id, now_us));
  batch.audit.push_back(audit_started(row));
  batch.runs.push_back(std::move(row));
  return batch;
}

}  // namespace flow
