// flow run: one event, as if a poll had brought it, or the arguments of a flow on manual, through the same
// runtime as `serve`, with a store in memory.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "apps/cli/exit_code.hpp"
#include "apps/cli/terminal.hpp"
#include "apps/server/narrator.hpp"
#include "apps/server/params.hpp"
#include "apps/server/runtime_commands.hpp"
#include "apps/server/setup.hpp"
#include "runtime/json_text.hpp"
#include "runtime/sqlite_store.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

// Answers the trigger's poll with the one event; everything else goes to the tenant.
class OneEvent final : public Executor {
 public:
  OneEvent(Executor& world, std::string event) : world_(world), event_(std::move(event)) {}

  void perform(OperationCall call, std::function<void(Outcome)> done) override {
    const Operation& operation = call.module->operations[call.operation];
    if (event_.empty() || !call.key.empty() || operation.name != call.module->triggers[0].operation)
      return world_.perform(std::move(call), std::move(done));
    done(Returned{was_asked_ ? "[]" : "[" + event_ + "]"});
    was_asked_ = true;
  }
  void progress(OperationCall call, std::string result, std::function<void(Outcome)> done) override {
    world_.progress(std::move(call), std::move(result), std::move(done));
  }
  void progress_of_several(std::vector<BegunCall> calls, std::function<void(Outcome)> done) override {
    world_.progress_of_several(std::move(calls), std::move(done));
  }
  void settle(OperationCall call, std::function<void(Settlement)> done) override {
    world_.settle(std::move(call), std::move(done));
  }

 private:
  Executor& world_;
  std::string event_;
  bool was_asked_ = false;
};

// Stops the runtime when every flow has decided and every run is over.
class UntilOver final : public Narrator {
 public:
  UntilOver(bool colours, std::size_t flows) : Narrator(colours, false), flows_(flows) {}

  void attach(Runtime& runtime) { runtime_ = &runtime; }
  void run_started(const RunRow& run) override {
    ++open_;
    Narrator::run_started(run);
  }
  void run_ended(const RunRow& run) override {
    Narrator::run_ended(run);
    is_failed_ = is_failed_ || run.state == RunState::Failed || run.state == RunState::Parked;
    --open_;
  }
  void polled(const PollReport& report) override {
    is_dispatched_ = true;
    is_unusable_ = report.unusable > 0;
  }
  void asked(const StartAnswer& answer) {
    is_dispatched_ = true;
    problem_ = answer.problem;
    if (!problem_.empty()) runtime_->stop();
  }
  void told() override {
    if (is_dispatched_ && open_ == 0) runtime_->stop();
  }
  const std::string& problem() const { return problem_; }
  // Where no flow is for the tenant, nothing is polled.
  void health(const HealthEvent& event) override {
    Narrator::health(event);
    if (event.kind == HealthEvent::Kind::NotForTenant && ++left_out_ == flows_) runtime_->stop();
  }
  bool is_left_out() const { return left_out_ == flows_; }
  bool is_failed() const { return is_failed_ || is_unusable_; }
  bool is_unusable() const { return is_unusable_; }

 private:
  Runtime* runtime_ = nullptr;
  std::size_t flows_, left_out_ = 0;
  int open_ = 0;
  std::string problem_;
  bool is_dispatched_ = false, is_failed_ = false, is_unusable_ = false;
};

// The event as the text of one JSON object; what it must hold is the poller's to say.
Result<std::string> read_event(const std::string& path) {
  FLOW_TRY(std::string text, read_file(path, 8u << 20));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return error(fmt::format("`{}` is empty; it must hold one event as JSON", path));
  if (!json_members(text))
    return error(fmt::format("`{}` is not one well-formed JSON object, as an alert is", path));
  return text;
}

// The one that is meant of those that people start.
Attempt<std::string> manual_flow(const RunOptions& options, const LoadedModule& module) {
  const auto& flows = module.manual;
  if (options.flow.empty() && flows.size() == 1) return flows.front();
  if (std::ranges::find(flows, options.flow) != flows.end()) return options.flow;
  if (flows.empty())
    return failure(fmt::format("`{}` has no flow on manual: give an event with --event", module.file),
                   kUsage);
  return failure(fmt::format("`{}` has {} flows on manual; choose one with --flow: {}", module.file,
                             flows.size(), fmt::join(flows, ", ")),
                 kUsage);
}

// What is leased is undone by this process, which nobody replaces when it ends.
void warn_of_leases(const LoadedModule& loaded) {
  const Result<Module> module = decode(loaded.bytes);
  if (!module) return;
  std::set<std::string> leased;
  for (const Trigger& trigger : module->triggers)
    if (trigger.kind == Trigger::Kind::Lease) leased.insert(trigger.endpoint);
  if (leased.empty()) return;
  complain(fmt::format(
      "warning: `{}` leases {}: this command goes on until the leases are over, and ended before "
      "it leaves what is leased as it is; a service (`flow serve`) undoes it also after a restart",
      loaded.file, fmt::join(leased, ", ")));
}

Attempt<int> run_here(const RunOptions& options) {
  FLOW_TRY(Config config, choose_config({options.config, options.sim, options.sim_port, options.sim_smtp_port,
                                         options.mail}));
  if (!options.tenant.empty())
    std::erase_if(config.tenants, [&](const TenantConfig& tenant) { return tenant.name != options.tenant; });
  if (config.tenants.empty())
    return error(fmt::format("the configuration has no tenant `{}`", options.tenant));
  if (config.tenants.size() > 1)
    return failure("the configuration has several tenants; choose one with --tenant", kUsage);
  FLOW_TRY(const std::vector<LoadedModule> modules, load_modules({options.file}));
  FLOW_TRY_STATUS(set_params(options.params, modules.front(), config));
  FLOW_TRY_STATUS(check_connectors_of(config, modules));
  warn_of_leases(modules.front());
  std::string event;
  StartRequest request{.tenant = config.tenants.front().name, .event = "{}"};
  if (options.event.empty()) {
    FLOW_TRY(request.name, manual_flow(options, modules.front()));
    FLOW_TRY(request.written, written_arguments(options.args));
  } else {
    FLOW_TRY(event, read_event(options.event));
  }
  FLOW_TRY(const std::unique_ptr<World> world, World::make(config));
  FLOW_TRY(const std::unique_ptr<SqliteStore> store, SqliteStore::open(":memory:"));
  const std::unique_ptr<Engine> engine = vm_engine(config.limits);
  OneEvent executor(world->executor(), std::move(event));
  UntilOver narrator(wants_colours(STDOUT_FILENO), modules.front().flows.size());
  RuntimeOptions runtime_options;
  using WaitsFor = RuntimeOptions::WaitsFor;
  runtime_options.waits_for = options.event.empty() ? WaitsFor::Requests : WaitsFor::PollsAndRequests;
  runtime_options.can_be_answered = false;  // nothing of the run is stored where others could see it
  runtime_options.poll_interval_us = 3'600'000'000;
  runtime_options.look_back_us = std::int64_t{50} * 365 * 86'400'000'000;  // an event of any age will do
  runtime_options.reuse_reads_us = config.reuse_reads_us;
  runtime_options.protections = config.protections;
  runtime_options.settle_after_us = config.settle_after_us;
  runtime_options.chosen_route = [&](const std::string& tenant, const Operation& operation) {
    return world->chosen_route(tenant, operation);
  };
  Runtime runtime(*store, world->clock(), world->random(), executor, *engine, runtime_options, &narrator);
  narrator.attach(runtime);
  FLOW_TRY_STATUS(deploy_all(runtime, config, modules));
  if (options.event.empty())
    runtime.start(request, [&](const StartAnswer& answer) { narrator.asked(answer); });
  const SignalWatch watch(runtime);
  FLOW_TRY_STATUS(runtime.run());
  if (!narrator.problem().empty())
    return failure(fmt::format("flow `{}`: {}", request.name, narrator.problem()), kUsage);
  if (runtime.counters().events_too_old > 0)
    return error(fmt::format("`{}` was not taken: it says it is more than 50 years old", options.event));
  if (narrator.is_left_out()) return static_cast<int>(kFlowWrong);
  if (narrator.is_unusable()) return static_cast<int>(kWorldWrong);
  if (runtime.counters().runs_started == 0) say(stdout, "the condition is false: nothing was done\n");
  return static_cast<int>(narrator.is_failed() ? kFlowWrong : kSuccess);
}

}  // namespace

int run_once(const RunOptions& options) {
  const Attempt<int> ran = run_here(options);
  if (!ran) complain(ran.error().message);
  leave(ran ? *ran : ran.error().code);
}

}  // namespace flow
