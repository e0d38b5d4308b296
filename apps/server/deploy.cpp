// flow deploy and flow deployments: which version of which flow is live. The service that has the store open
// is asked for a change; while none has, it is made here, and the next start serves it.
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/deployments.hpp"
#include "apps/server/run_json.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/service_client.hpp"
#include "apps/server/setup.hpp"
#include "apps/server/store_place.hpp"
#include "apps/server/stored_conditions.hpp"
#include "apps/server/world.hpp"
#include "base/text.hpp"
#include "runtime/json_text.hpp"
#include "runtime/shadow.hpp"

namespace flow {
namespace {

using Change = DeployRequest::What;

Status check_usage(const DeployOptions& options) {
  const std::size_t named = !options.back.empty() + !options.withdraw.empty() +
                            static_cast<std::size_t>(!options.end_shadow.empty());
  if (named + static_cast<std::size_t>(!options.files.empty()) != 1)
    return error("name files to deploy, or say one of --back, --withdraw and --end-shadow with a flow");
  if (options.shadow && options.files.empty()) return error("--shadow goes with files");
  return {};
}

// Without tenant and settings.
Attempt<std::vector<DeployRequest>> requests_for(const DeployOptions& options,
                                                 std::vector<LoadedModule>& modules) {
  std::vector<DeployRequest> requests;
  const auto about = [&](Change what, const std::string& flow) {
    if (!flow.empty())
      requests.push_back({.what = what, .tenant = {}, .module = {}, .file = {}, .flow = flow});
  };
  about(Change::Back, options.back);
  about(Change::Withdraw, options.withdraw);
  about(Change::EndShadow, options.end_shadow);
  FLOW_TRY(modules, load_modules(options.files));
  for (const LoadedModule& module : modules)
    requests.push_back({.what = options.shadow ? Change::Shadow : Change::Live,
                        .tenant = {},
                        .module = module.bytes,
                        .conditions = conditions_to_store(module.bytes, {}),
                        .file = deployed_name(module.file),
                        .flow = {}});
  for (DeployRequest& request : requests) {
    request.by = options.by;
    request.tenant = options.tenant;
  }
  return requests;
}

void tell_row(const std::string& tenant, const std::string& flow, const std::string& kind) {
  const std::string text = kind == "live"        ? "is live"
                           : kind == "back"      ? "is live again in the version before"
                           : kind == "withdrawn" ? "is withdrawn: nothing starts it any more"
                           : kind == "removed"   ? "is no longer in its file: nothing starts it any more"
                           : kind == "shadow" ? "has a shadow: `flow deployments compare` shows what differs"
                           : kind == "shadow ended" ? "has no shadow any more"
                                                    : kind;
  say(stdout, printable(fmt::format("{}: {} {}", tenant, flow, text)) + "\n");
}

// Without the conditions where both are more than the service takes: nothing but `flow why` needs them.
Attempt<std::size_t> change_at_service(const Config& config, DeployRequest request) {
  if (deployment_body(request).size() > config.inbound.body_bytes) request.conditions.clear();
  FLOW_TRY(const HttpResponse response,
           ask_service(config, "POST", deployment_path(request), deployment_body(request)));
  if (response.status != 200) return tl::unexpected<Failure>(service_refusal(response));
  const auto changes = json_elements(json_member(response.body, "changes").value_or("[]"));
  const auto text = [](const std::string& row, std::string_view name) {
    return json_string(json_member(row, name).value_or("")).value_or("");
  };
  for (const std::string& row : changes.value_or(std::vector<std::string>()))
    tell_row(text(row, "tenant"), text(row, "flow"), text(row, "kind"));
  return changes ? changes->size() : 0;
}

// A runtime that starts nothing, on a store that no service has open.
class Closed {
 public:
  Closed(Store& store, const Config& config)
      : engine_(vm_engine(config.limits)),
        runtime_(store, clock_, random_, nobody_, *engine_,
                 {.waits_for = RuntimeOptions::WaitsFor::Requests}) {}

  Result<DeployReply> change(std::vector<DeployRequest> requests) {
    DeployReply reply;
    runtime_.change_deployment(std::move(requests), [&](DeployReply told) { reply = std::move(told); });
    FLOW_TRY_STATUS(runtime_.run_until_idle());
    return reply;
  }

 private:
  class Nobody final : public Executor {
   public:
    void perform(OperationCall, std::function<void(Outcome)>) override {}
    void progress(OperationCall, std::string, std::function<void(Outcome)>) override {}
    void settle(OperationCall, std::function<void(Settlement)>) override {}
  };
  SystemClock clock_;
  SystemRandom random_;
  Nobody nobody_;
  std::unique_ptr<Engine> engine_;
  Runtime runtime_;
};

Attempt<std::size_t> change_in_store(Store& store, const Config& config,
                                     std::vector<DeployRequest> requests) {
  Closed closed(store, config);
  FLOW_TRY(const DeployReply reply, closed.change(std::move(requests)));
  if (reply.how != DeployReply::How::Done) return failure(reply.problem, kFlowWrong);
  for (const DeploymentRow& row : reply.changes)
    tell_row(row.tenant, row.flow, std::string(deployment_kind_name(row.kind)));
  return reply.changes.size();
}

Attempt<std::vector<std::string>> wanted_tenants(const Config& config, const std::string& name) {
  std::vector<std::string> tenants;
  for (const TenantConfig& tenant : config.tenants) tenants.push_back(tenant.name);
  if (name.empty()) return tenants;
  if (std::ranges::find(tenants, name) != tenants.end()) return std::vector<std::string>{name};
  const auto near = nearest_name(name, tenants);
  return failure(fmt::format("the configuration has no tenant `{}`{}", name,
                             near ? fmt::format("; did you mean `{}`?", *near) : ""),
                 kUsage);
}

Attempt<int> deploy(const DeployOptions& options) {
  if (const Status usage = check_usage(options); !usage) return failure(usage.error().message, kUsage);
  if (options.config.empty())
    return failure("name the configuration of the service with --config flow.toml", kUsage);
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  std::vector<LoadedModule> modules;
  FLOW_TRY(const std::vector<DeployRequest> requests, requests_for(options, modules));
  FLOW_TRY(const std::vector<std::string> tenants, wanted_tenants(*place.config, options.tenant));
  Config concerned = *place.config;
  std::erase_if(concerned.tenants, [&](const TenantConfig& tenant) {
    return std::ranges::find(tenants, tenant.name) == tenants.end();
  });
  FLOW_TRY_STATUS(check_connectors_of(concerned, modules));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, open_to_change(place, Absent::IsMade));
  std::size_t changes = 0;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    if (!store) {
      FLOW_TRY(const std::size_t done, change_at_service(*place.config, requests[i]));
      changes += done;
      continue;
    }
    std::vector<DeployRequest> of_tenants;
    for (const std::string& tenant : tenants) {
      of_tenants.push_back(requests[i]);
      of_tenants.back().tenant = tenant;
      if (!modules.empty()) of_tenants.back().settings = settings_json(*place.config, modules[i]);
    }
    FLOW_TRY(const std::size_t done, change_in_store(*store, *place.config, std::move(of_tenants)));
    changes += done;
  }
  if (changes == 0) say(stdout, "it was so already\n");
  if (changes > 0 && store) say(stdout, "no service has the store open: the next start serves this\n");
  return static_cast<int>(kSuccess);
}

Attempt<int> list(const DeploymentsCommandOptions& options) {
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(place.store));
  FLOW_TRY(std::vector<DeploymentRow> rows, store->deployments(options.tenant, options.flow));
  if (!options.all) {  // of each flow what is so now
    const auto by_flow = versions_by_flow(rows);
    rows.clear();
    for (const auto& [key, versions] : by_flow) {
      if (versions.current() != nullptr) rows.push_back(*versions.current());
      if (versions.shadow) rows.push_back(*versions.shadow);
    }
  }
  if (options.json) {
    std::string all;
    for (const DeploymentRow& row : rows) all += (all.empty() ? "" : ",\n") + json_deployment(row);
    fmt::print("[{}]\n", all);
    return static_cast<int>(kSuccess);
  }
  if (rows.empty()) fmt::print("nothing is deployed\n");
  for (const DeploymentRow& row : rows)
    fmt::print("{}  {:<12} {:<10} {}  {} of {}{}\n", format_time_us(row.time_us),
               deployment_kind_name(row.kind), printable(row.tenant), printable(row.flow),
               row.module.substr(0, 12), printable(row.file),
               row.by.empty() ? "" : ", by " + printable(row.by));
  return static_cast<int>(kSuccess);
}

std::string json_difference(const ShadowDifference& difference) {
  return fmt::format(R"({{"trigger":{},"key":{},"liveRun":{},"live":{},"shadowRun":{},"shadow":{}}})",
                     json_quoted(difference.trigger), json_quoted(difference.key),
                     json_quoted(difference.live_run), json_quoted(difference.live),
                     json_quoted(difference.shadow_run), json_quoted(difference.shadow));
}

// The tenant may be left out when only one has the flow's shadow.
Attempt<std::string> tenant_with_shadow(Store& store, const DeploymentsCommandOptions& options) {
  if (!options.tenant.empty()) return options.tenant;
  FLOW_TRY(const std::vector<DeploymentRow> rows, store.deployments("", options.flow));
  std::set<std::string> tenants;
  for (const DeploymentRow& row : rows)
    if (row.kind == DeploymentRow::Kind::Shadow) tenants.insert(row.tenant);
  if (tenants.size() > 1)
    return failure(fmt::format("say for which --tenant: there are {}", fmt::join(tenants, ", ")), kUsage);
  if (tenants.empty()) return failure(fmt::format("flow `{}` has no shadow", options.flow), kFlowWrong);
  return *tenants.begin();
}

Attempt<int> compare(const DeploymentsCommandOptions& options) {
  FLOW_TRY(const StorePlace place, store_place(options.config, options.store));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open_read_only(place.store));
  FLOW_TRY(const std::string tenant, tenant_with_shadow(*store, options));
  FLOW_TRY(const ShadowReport report, compare_shadow(*store, tenant, options.flow));
  if (options.json) {
    std::string all;
    for (const ShadowDifference& difference : report.differences)
      all += (all.empty() ? "" : ",\n") + json_difference(difference);
    fmt::print(R"({{"since":{},"same":{},"running":{},"isCut":{},"differences":[{}]}})"
               "\n",
               json_quoted(format_time_us(report.shadow.time_us)), report.same, report.running, report.is_cut,
               all);
    return static_cast<int>(kSuccess);
  }
  fmt::print("since {}: the same on {} events, different on {}, {} still under way\n",
             format_time_us(report.shadow.time_us), report.same, report.differences.size(), report.running);
  for (const ShadowDifference& difference : report.differences)
    fmt::print("\n{} {}\n  live    {}{}\n  shadow  {}{}\n", printable(difference.trigger),
               printable(difference.key), printable(difference.live),
               difference.live_run.empty() ? "" : "  (run " + difference.live_run + ")",
               printable(difference.shadow),
               difference.shadow_run.empty() ? "" : "  (run " + difference.shadow_run + ")");
  if (report.is_cut) fmt::print("\nthere are more runs than were looked at\n");
  return static_cast<int>(kSuccess);
}

}  // namespace

int run_deploy(const DeployOptions& options) {
  const Attempt<int> result = deploy(options);
  if (!result) complain(result.error().message);
  leave(result ? *result : result.error().code);
}

int run_deployments(const DeploymentsCommandOptions& options) {
  const Attempt<int> result = options.compares ? compare(options) : list(options);
  if (!result) return complain(result.error().message), result.error().code;
  return *result;
}

}  // namespace flow
