// Which flows are live: at the start, and changed while the service runs. A change is checked as a whole
// before anything of it is done, and is durable before whoever asked is told.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/mail_digest.hpp"
#include "base/text.hpp"
#include "runtime/deployment.hpp"
#include "runtime/digest.hpp"
#include "runtime/loop.hpp"
#include "runtime/schedule.hpp"
#include "runtime/served.hpp"
#include "runtime/shadow.hpp"
#include "vm/interp/settings.hpp"

namespace flow {
namespace {

using What = DeployRequest::What;
using Kind = DeploymentRow::Kind;

// What is started by events, and is deployed by its name. Runs that end leases or send digests
// begin with the call that they belong to.
bool is_served(const Module& module, const FlowCode& flow) {
  return !is_made_by_compiler(module.triggers[flow.trigger]);
}

}  // namespace

Result<std::string> Runtime::Loop::deploy(const std::string& tenant, std::string_view module_bytes,
                                          std::string_view settings_json) {
  FLOW_TRY(const DeployReply reply, carry_out({.what = What::Live,
                                               .tenant = tenant,
                                               .module = std::string(module_bytes),
                                               .settings = std::string(settings_json),
                                               .file = {},
                                               .flow = {},
                                               .by = {}},
                                              Extent::All));
  if (reply.how == DeployReply::How::Refused) return error(reply.problem);
  FLOW_TRY_STATUS(commit());
  return sha256_hex(module_bytes);
}

// `leaving` are live flows that this change withdraws.
Result<Runtime::Loop::NewVersion> Runtime::Loop::check_version(const std::string& tenant,
                                                               std::string_view bytes,
                                                               std::string_view settings,
                                                               const std::set<std::string>& leaving,
                                                               bool is_shadow) {
  NewVersion version;
  FLOW_TRY(version.module, engine_.load(bytes));
  version.hash = sha256_hex(bytes);
  version.settings = settings;
  FLOW_TRY_STATUS(check_settings(*version.module, settings));
  FLOW_TRY_STATUS(check_served(*version.module));
  if (!options_.can_be_answered) FLOW_TRY_STATUS(check_asks_nobody(*version.module));
  std::map<std::string, std::string> hooks;  // and the flow that waits there
  if (!is_shadow)
    for (const auto& [key, waiting] : deployed_) {
      const Subscriber& other = waiting.subscriber;
      if (other.tenant == tenant && other.trigger().kind == Trigger::Kind::Webhook &&
          !flow::is_shadow(other.flow) && !leaving.contains(other.flow))
        hooks.emplace(other.trigger().endpoint, other.flow);
    }
  for (std::uint32_t flow = 0; flow < version.module->flows.size(); ++flow) {
    const Subscriber each = subscriber(tenant, version, flow, is_shadow);
    if (!is_served(*version.module, each.code()) || !is_for_tenant(each.code().policies, tenant)) continue;
    FLOW_TRY_STATUS(check_startable(each));
    const Trigger& trigger = each.trigger();
    if (trigger.kind != Trigger::Kind::Webhook) continue;
    const auto [at, is_new] = hooks.emplace(trigger.endpoint, each.flow);
    if (!is_new && at->second != each.flow)
      return error(fmt::format("flow `{}` waits at the hook `{}`, and so does flow `{}`; give each its own",
                               each.flow, trigger.endpoint, at->second));
  }
  modules_[version.hash] = version.module;
  return version;
}

Subscriber Runtime::Loop::subscriber(const std::string& tenant, const NewVersion& version, std::uint32_t flow,
                                     bool is_shadow) {
  const std::string& name = version.module->flows[flow].name;
  return Subscriber{
      tenant, is_shadow ? shadow_of(name) : name, version.hash, version.module, flow, version.settings,
      nullptr};
}

// What would keep it from ever starting.
Status Runtime::Loop::check_startable(const Subscriber& subscriber) {
  const Trigger& trigger = subscriber.trigger();
  if (trigger.kind == Trigger::Kind::Every || trigger.kind == Trigger::Kind::Cron)
    return check_schedule(trigger);
  if (trigger.kind == Trigger::Kind::Poll || trigger.kind == Trigger::Kind::Hunt) {
    if (!subscriber.module->operation(trigger.connector, trigger.operation))
      return error(fmt::format("flow `{}`: its module lacks {}.{}, which its trigger asks", subscriber.flow,
                               trigger.connector, trigger.operation));
  }
  if (trigger.kind == Trigger::Kind::Call && is_shadow(subscriber.flow))
    return error(
        fmt::format("flow `{}` is started by calls of others, whose shadows start nothing: shadow "
                    "the flows that call it",
                    name_in_module(subscriber.flow)));
  return {};
}

void Runtime::Loop::change_deployment(std::vector<DeployRequest> requests, DeployDone done) {
  inbox_->ask([this, requests = std::move(requests), done = std::move(done)](bool is_open) -> Status {
    if (!is_open) return done({}), Status();
    // What was changed in this very turn is to be in the store, by which this change goes.
    if (!batch_.deployments.empty()) FLOW_TRY_STATUS(commit());
    FLOW_TRY(DeployReply reply, carry_out(requests));
    if (reply.how != DeployReply::How::Done) return done(std::move(reply)), Status();
    when_durable([done, reply = std::move(reply)] { done(reply); });
    return {};
  });
}

// Nothing is done before all of it was checked.
Result<DeployReply> Runtime::Loop::carry_out(const std::vector<DeployRequest>& requests) {
  std::vector<const DeployRequest*> wanted;
  DeployReply absent{.how = DeployReply::How::Refused, .problem = "no tenant was named", .changes = {}};
  for (const DeployRequest& request : requests) {
    FLOW_TRY(DeployReply checked, carry_out(request, Extent::Check));
    if (checked.how == DeployReply::How::Refused && requests.size() > 1)
      checked.problem = fmt::format("tenant `{}`: {}", request.tenant, checked.problem);
    if (checked.how == DeployReply::How::Refused && !checked.is_absent) return checked;
    if (checked.is_absent)
      absent = std::move(checked);
    else
      wanted.push_back(&request);
  }
  if (wanted.empty()) return absent;
  DeployReply all{.how = DeployReply::How::Done, .problem = {}, .changes = {}};
  for (const DeployRequest* request : wanted) {
    FLOW_TRY(DeployReply one, carry_out(*request, Extent::All));
    if (one.how != DeployReply::How::Done)
      return error(fmt::format("a change that was found good is refused: {}", one.problem));
    all.changes.insert(all.changes.end(), one.changes.begin(), one.changes.end());
  }
  return all;
}

// The Error is the store's.
Result<DeployReply> Runtime::Loop::carry_out(const DeployRequest& request, Extent extent) {
  switch (request.what) {
    case What::Live:
    case What::Shadow: return carry_out_module(request, extent);
    case What::Back: return go_back(request, extent);
    case What::Withdraw:
    case What::EndShadow: return take_away(request, extent);
  }
  return DeployReply{};
}

namespace {

DeployReply refused(std::string problem) {
  return {.how = DeployReply::How::Refused, .problem = std::move(problem), .changes = {}};
}

DeployReply nothing_to_change(std::string problem) {
  return {.how = DeployReply::How::Refused, .problem = std::move(problem), .is_absent = true, .changes = {}};
}

}  // namespace

Result<DeployReply> Runtime::Loop::carry_out_module(const DeployRequest& request, Extent extent) {
  const bool is_shadow = request.what == What::Shadow;
  FLOW_TRY(const std::vector<DeploymentRow> rows, store_.deployments(request.tenant, ""));
  const auto versions = versions_by_flow(rows);
  // What the file had before and has no more.
  std::set<std::string> leaving;
  if (!is_shadow && !request.file.empty())
    for (const auto& [key, of_flow] : versions)
      if (const DeploymentRow* const current = of_flow.current();
          current != nullptr && current->file == request.file)
        leaving.insert(key.second);
  const Result<NewVersion> version =
      check_version(request.tenant, request.module, request.settings, leaving, is_shadow);
  if (!version) return refused(version.error().message);
  DeployReply reply{.how = DeployReply::How::Done, .problem = {}, .changes = {}};
  if (extent == Extent::Check) return reply;
  const auto change = [&](const std::string& flow, Kind kind, const std::string& module) {
    reply.changes.push_back({.tenant = request.tenant,
                             .flow = flow,
                             .kind = kind,
                             .module = module,
                             .settings = request.settings,
                             .file = request.file,
                             .time_us = clock_.now_us(),
                             .by = request.by});
  };
  for (const FlowCode& flow : version->module->flows) leaving.erase(flow.name);
  for (const std::string& flow : leaving) {
    change(flow, Kind::Removed, versions.at({request.tenant, flow}).current()->module);
    unsubscribe(request.tenant, flow);
  }
  for (std::uint32_t i = 0; i < version->module->flows.size(); ++i) {
    const std::string& flow = version->module->flows[i].name;
    if (!is_served(*version->module, version->module->flows[i])) continue;
    const auto found = versions.find({request.tenant, flow});
    const FlowVersions before = found == versions.end() ? FlowVersions() : found->second;
    const DeploymentRow* const now =
        is_shadow ? (before.shadow ? &*before.shadow : nullptr) : before.current();
    const bool is_so_already = now != nullptr && now->module == version->hash &&
                               now->settings == request.settings && now->file == request.file;
    if (!is_so_already) change(flow, is_shadow ? Kind::Shadow : Kind::Live, version->hash);
    if (!is_shadow && before.shadow && before.shadow->module == version->hash)
      unsubscribe(request.tenant, shadow_of(flow));
    FLOW_TRY_STATUS(subscribe(subscriber(request.tenant, *version, i, is_shadow)));
  }
  batch_.modules.push_back(ModuleRow{version->hash, request.module, request.conditions});
  note_deployments(reply.changes);
  return reply;
}

void Runtime::Loop::note_deployments(const std::vector<DeploymentRow>& changes) {
  for (const DeploymentRow& change : changes) {
    batch_.deployments.push_back(change);
    batch_.audit.push_back({.kind = AuditKind::Deployed,
                            .time_us = change.time_us,
                            .tenant = change.tenant,
                            .flow = change.flow,
                            .result = std::string(deployment_kind_name(change.kind)),
                            .by = change.by,
                            .module = change.module});
    after_commit([this, change] { observer_->deployed(change); });
  }
}

Result<DeployReply> Runtime::Loop::never_deployed(const DeployRequest& request) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, store_.deployments(request.tenant, ""));
  std::vector<std::string> known;
  for (const DeploymentRow& row : rows) known.push_back(row.flow);
  const auto near = nearest_name(request.flow, known);
  return nothing_to_change(fmt::format("flow `{}` was never deployed{}", request.flow,
                                       near ? fmt::format("; did you mean `{}`?", *near) : ""));
}

Result<DeployReply> Runtime::Loop::go_back(const DeployRequest& request, Extent extent) {
  FLOW_TRY(const std::vector<DeploymentRow> rows, store_.deployments(request.tenant, request.flow));
  const FlowVersions versions = versions_of(rows);
  if (versions.live.empty()) return never_deployed(request);
  if (versions.before() == nullptr)
    return nothing_to_change(
        fmt::format("flow `{}` has no version before the one of {}{}", request.flow,
                    format_time_us(versions.live.back().time_us),
                    versions.is_withdrawn ? "; deploy its file to make it live again" : ""));
  const DeploymentRow& before = *versions.before();
  const Status served = extent == Extent::Check ? check_stored(before) : subscribe_stored(before, false);
  if (!served) return refused(fmt::format("the version before cannot be served: {}", served.error().message));
  if (extent == Extent::Check)
    return DeployReply{.how = DeployReply::How::Done, .problem = {}, .changes = {}};
  DeploymentRow row = before;
  row.kind = Kind::Back;
  row.time_us = clock_.now_us();
  row.by = request.by;
  DeployReply reply{.how = DeployReply::How::Done, .problem = {}, .changes = {std::move(row)}};
  note_deployments(reply.changes);
  return reply;
}

Result<DeployReply> Runtime::Loop::take_away(const DeployRequest& request, Extent extent) {
  const bool is_shadow = request.what == What::EndShadow;
  FLOW_TRY(const std::vector<DeploymentRow> rows, store_.deployments(request.tenant, request.flow));
  const FlowVersions versions = versions_of(rows);
  const DeploymentRow* const now =
      is_shadow ? (versions.shadow ? &*versions.shadow : nullptr) : versions.current();
  if (rows.empty()) return never_deployed(request);
  if (now == nullptr)
    return nothing_to_change(
        fmt::format("flow `{}` {}", request.flow, is_shadow ? "has no shadow" : "is not live"));
  if (extent == Extent::Check)
    return DeployReply{.how = DeployReply::How::Done, .problem = {}, .changes = {}};
  DeploymentRow row = *now;
  row.kind = is_shadow ? Kind::ShadowEnded : Kind::Withdrawn;
  row.time_us = clock_.now_us();
  row.by = request.by;
  unsubscribe(request.tenant, is_shadow ? shadow_of(request.flow) : request.flow);
  DeployReply reply{.how = DeployReply::How::Done, .problem = {}, .changes = {std::move(row)}};
  note_deployments(reply.changes);
  return reply;
}

Status Runtime::Loop::check_stored(const DeploymentRow& row) {
  FLOW_TRY(const auto bytes, store_.module(row.module));
  if (!bytes) return error(fmt::format("module {} is not in the store", row.module));
  FLOW_TRY(const NewVersion version, check_version(row.tenant, *bytes, row.settings, {row.flow}, false));
  if (std::ranges::find(version.module->flows, row.flow, &FlowCode::name) == version.module->flows.end())
    return error(fmt::format("its module has no flow `{}`", row.flow));
  return {};
}

// One flow of a module that the store has.
Status Runtime::Loop::subscribe_stored(const DeploymentRow& row, bool is_shadow) {
  FLOW_TRY(const auto bytes, store_.module(row.module));
  if (!bytes) return error(fmt::format("module {} is not in the store", row.module));
  FLOW_TRY(const NewVersion version, check_version(row.tenant, *bytes, row.settings, {row.flow}, is_shadow));
  const auto& flows = version.module->flows;
  const auto found = std::ranges::find(flows, row.flow, &FlowCode::name);
  if (found == flows.end()) return error(fmt::format("its module has no flow `{}`", row.flow));
  return subscribe(
      subscriber(row.tenant, version, static_cast<std::uint32_t>(found - flows.begin()), is_shadow));
}

// What a person has gone back from or withdrawn stays so although its file is still there: else the next
// start would undo it.
Status Runtime::Loop::deploy_file(const DeployRequest& request,
                                  const std::map<FlowKey, FlowVersions>& versions) {
  FLOW_TRY(const NewVersion version,
           check_version(request.tenant, request.module, request.settings, {}, false));
  const auto held_back = [&](const FlowCode& flow) {
    const auto found = versions.find({request.tenant, flow.name});
    return found != versions.end() &&
           std::ranges::find(found->second.taken_back, version.hash) != found->second.taken_back.end();
  };
  if (std::ranges::none_of(version.module->flows, held_back)) {
    FLOW_TRY(const DeployReply reply, carry_out(request, Extent::All));
    return reply.how == DeployReply::How::Refused ? error(reply.problem) : Status();
  }
  for (const FlowCode& flow : version.module->flows) {
    if (!is_served(*version.module, flow)) continue;
    const auto found = versions.find({request.tenant, flow.name});
    const DeploymentRow* const current = found == versions.end() ? nullptr : found->second.current();
    if (current != nullptr) FLOW_TRY_STATUS(subscribe_stored(*current, false));
    health(HealthEvent::Kind::HeldBack, request.tenant, flow.name,
           fmt::format("`{}` has a version that somebody {}; {}. Change the file, or say `flow deploy`",
                       request.file, current == nullptr ? "withdrew" : "went back from",
                       current == nullptr
                           ? std::string("the flow stays withdrawn")
                           : fmt::format("that of {} stays live", format_time_us(current->time_us))));
  }
  return {};
}

Status Runtime::Loop::deploy(const DeploySet& set) {
  FLOW_TRY(const std::vector<DeploymentRow> before, store_.deployments("", ""));
  const auto versions_before = versions_by_flow(before);
  std::set<FlowKey> served;
  for (const DeployRequest& request : set.files) {
    if (const Status done = deploy_file(request, versions_before); !done)
      return error(fmt::format("`{}`: {}", request.file, done.error().message));
    for (const FlowCode& flow : modules_.at(sha256_hex(request.module))->flows)
      served.emplace(request.tenant, flow.name);
  }
  FLOW_TRY_STATUS(commit());
  FLOW_TRY(const std::vector<DeploymentRow> rows, store_.deployments("", ""));
  for (const auto& [key, versions] : versions_by_flow(rows)) {
    if (std::ranges::find(set.tenants, key.first) == set.tenants.end()) continue;
    const bool is_left = versions.current() != nullptr && !served.contains(key);
    const Status done = is_left && set.is_all ? remove(*versions.current(), set.by)
                        : is_left             ? subscribe_stored(*versions.current(), false)
                                              : Status();
    const Status shadowed = versions.shadow ? subscribe_stored(*versions.shadow, true) : Status();
    for (const Status& each : {done, shadowed}) {
      if (each) continue;
      // Of a store that cannot be read, taking a flow away mends nothing.
      const bool is_read = !versions.current() || store_.module(versions.current()->module);
      return error(
          fmt::format("flow `{}` of tenant `{}`, which the store says is live, cannot be served: {}{}",
                      key.second, key.first, each.error().message,
                      is_read ? fmt::format("; `flow deploy --withdraw {}` takes it away", key.second) : ""));
    }
  }
  return commit();
}

Status Runtime::Loop::remove(const DeploymentRow& live, const std::string& by) {
  DeploymentRow row = live;
  row.kind = Kind::Removed;
  row.time_us = clock_.now_us();
  row.by = by;
  note_deployments({row});
  return {};
}

}  // namespace flow
