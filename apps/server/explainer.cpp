#include "apps/server/explainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <map>
#include <utility>

#include "apps/cli/terminal.hpp"
#include "apps/server/condition_source.hpp"
#include "apps/server/stored_conditions.hpp"
#include "apps/server/world.hpp"
#include "base/text.hpp"
#include "runtime/deployment.hpp"
#include "runtime/json_text.hpp"
#include "runtime/poller.hpp"
#include "runtime/rerun.hpp"
#include "runtime/served.hpp"
#include "runtime/starting.hpp"
#include "vm/bytecode/encode.hpp"

namespace flow {
namespace {

constexpr std::size_t kEventBytes = 8u << 20;
constexpr const char* kNoText =
    "the store has no text of the condition, as this version was deployed by an older program or without its "
    "source; name the flow's file with --source, or deploy it again";

// A deployed version, ready to be asked.
struct Version {
  std::string bytes;
  std::unique_ptr<Program> program;
  std::unique_ptr<ConditionSource> source;   // of the file that was named, or else …
  std::unique_ptr<StoredConditions> stored;  // … what the store has; nullptr: nothing, as of an older deploy

  bool has_text() const { return source || stored; }
  ConditionParts condition(const std::string& flow) const {
    if (source) return source->condition(flow);
    if (stored) return stored->condition(flow);
    const auto& flows = program->module().flows;
    const auto found = std::ranges::find(flows, flow, &FlowCode::name);
    return {.program = program.get(), .flow = static_cast<std::uint32_t>(found - flows.begin()), .parts = {}};
  }
};

class Explainer {
 public:
  Explainer(Store& store, const StorePlace& place, const WhyOptions& options)
      : store_(store), place_(place), options_(options) {}

  Attempt<std::vector<Told>> of_alert() {
    FLOW_TRY(const std::vector<DeploymentRow> all, live_deployments(store_));
    std::vector<Told> told;
    for (const DeploymentRow& one : all) {
      if (!options_.tenant.empty() && one.tenant != options_.tenant) continue;
      if (!options_.flow.empty() && one.flow != options_.flow) continue;
      FLOW_TRY(std::optional<Told> each, of_flow(one));
      if (each) told.push_back(std::move(*each));
    }
    if (told.empty())
      return failure(
          fmt::format("`{}` knows of no flow{}{} that waits for alerts; a service notes them when it starts",
                      place_.store, options_.flow.empty() ? "" : " `" + options_.flow + "`",
                      options_.tenant.empty() ? "" : " of tenant `" + options_.tenant + "`"),
          kUsage);
    return told;
  }

  Attempt<std::vector<Told>> of_run() {
    FLOW_TRY(const std::optional<RunHistory> history, show_run(store_, options_.run));
    if (!history)
      return failure(fmt::format("there is no run `{}` in `{}`; `flow runs list` shows them", options_.run,
                                 place_.store),
                     kFlowWrong);
    FLOW_TRY(Told told, of_recorded(*history));
    return std::vector<Told>{std::move(told)};
  }

 private:
  Result<const Version*> version(const std::string& hash) {
    if (const auto known = versions_.find(hash); known != versions_.end()) return &known->second;
    FLOW_TRY(const std::optional<std::string> bytes, store_.module(hash));
    if (!bytes) return error(fmt::format("the store has no module `{}`", hash));
    FLOW_TRY(Module module, decode(*bytes));
    FLOW_TRY(Program program, Program::load(std::move(module)));
    Version made{.bytes = *bytes,
                 .program = std::make_unique<Program>(std::move(program)),
                 .source = {},
                 .stored = {}};
    FLOW_TRY(const std::optional<std::string> kept, store_.conditions_of(hash));
    if (kept && options_.source.empty()) {
      auto read = StoredConditions::decode(*kept);
      if (read) made.stored = std::move(*read);
    }
    if (!made.stored) made.source = ConditionSource::find(*bytes, options_.source);
    return &versions_.emplace(hash, std::move(made)).first->second;
  }

  static const FlowCode* flow_of(const Version& version, const std::string& name) {
    const auto& flows = version.program->module().flows;
    const auto found = std::ranges::find(flows, name, &FlowCode::name);
    return found == flows.end() ? nullptr : &*found;
  }

  Attempt<std::optional<Told>> of_flow(const DeploymentRow& one) {
    FLOW_TRY(const Version* const version, this->version(one.module));
    const FlowCode* const code = flow_of(*version, one.flow);
    if (code == nullptr) return error(fmt::format("the module of flow `{}` does not have it", one.flow));
    const Trigger& trigger = version->program->module().triggers[code->trigger];
    Told told{.tenant = one.tenant,
              .flow = one.flow,
              .trigger = run_trigger(trigger),
              .verdict = {},
              .text = {},
              .is_seen = std::nullopt,
              .why = std::nullopt,
              .more = {},
              .run = {}};
    if (trigger.kind != Trigger::Kind::Poll) {
      if (options_.flow.empty()) return std::optional<Told>();
      told.verdict = "other trigger";
      told.text = fmt::format("starts on {}, not on alerts", trigger_kind_name(trigger.kind));
      return std::optional(std::move(told));
    }
    if (!is_for_tenant(code->policies, one.tenant)) {
      told.verdict = "not for tenant";
      told.text =
          fmt::format("is not for this tenant: it is for {} only", fmt::join(code->policies.tenants, ", "));
      return std::optional(std::move(told));
    }
    FLOW_TRY(const std::optional<std::string> event, event_for(one, trigger, *version));
    const std::string key = event ? key_of(*event, trigger) : options_.alert;
    FLOW_TRY(const std::optional<std::string> run, store_.run_of(one.tenant, one.flow, told.trigger, key));
    if (run) {
      FLOW_TRY(const std::optional<RunHistory> history, show_run(store_, *run));
      if (history) {
        FLOW_TRY(Told ran, of_recorded(*history));
        return std::optional(std::move(ran));
      }
    }
    if (!event) {
      told.verdict = "unknown";
      told.text =
          "did not run, and the store has not the alert; give it with --event FILE, or --config to fetch it";
      return std::optional(std::move(told));
    }
    FLOW_TRY_STATUS(ask(one, *version, trigger, *event, key, told));
    return std::optional(std::move(told));
  }

  // No run: the condition is asked now.
  Status ask(const DeploymentRow& one, const Version& version, const Trigger& trigger,
             const std::string& event, const std::string& key, Told& told) {
    told.why = why(version.condition(one.flow), event, one.settings,
                   [&](const Call& call, const Operation& operation) {
                     return answer_now(one, *version.program, call, operation);
                   });
    FLOW_TRY(const bool is_seen, store_.is_seen(one.tenant, told.trigger, key));
    told.is_seen = is_seen;
    const bool is_decided =
        told.why->verdict == Why::Verdict::False || told.why->verdict == Why::Verdict::Fails;
    if (!version.has_text() && is_decided) told.more.push_back(kNoText);
    switch (told.why->verdict) {
      case Why::Verdict::False: {
        told.verdict = "false";
        told.text = "did not run: its condition is false";
        const std::string& filter = flow_of(version, one.flow)->manifest.poll_filter;
        if (!is_seen)
          told.more.push_back("polling has not brought this alert" +
                              (filter.empty() ? "" : "; this flow asks only for " + filter));
        return {};
      }
      case Why::Verdict::Fails:
        told.verdict = "fails";
        told.text = fmt::format("has no run: its condition fails with {}", told.why->problem);
        return {};
      case Why::Verdict::Unknown:
        told.verdict = "unknown";
        told.text = fmt::format("has no run; its condition depends on {}, which --config would ask now",
                                told.why->problem);
        return {};
      case Why::Verdict::Holds: break;
    }
    told.verdict = "not taken";
    told.text = "has no run, though its condition holds";
    FLOW_TRY(const std::optional<CursorRow> cursor, store_.cursor(one.tenant, told.trigger));
    const auto created = json_string(json_member(event, trigger.cursor_field).value_or(""));
    const auto created_us = created ? parse_time_us(*created) : std::nullopt;
    if (is_seen)
      told.more.push_back(
          fmt::format("the alert was seen, and its runs began then; this version serves since {}",
                      format_time_us(one.time_us)));
    else if (!cursor)
      told.more.push_back("nothing was polled yet");
    else if (created_us && *created_us < cursor->floor_us)
      told.more.push_back(fmt::format("the alert is of {}, and polling began with alerts of {}", *created,
                                      format_time_us(cursor->floor_us)));
    else if (created_us && *created_us > cursor->watermark_us)
      told.more.push_back(fmt::format("the alert is of {}, and polling has come to {}", *created,
                                      format_time_us(cursor->watermark_us)));
    else
      told.more.push_back(
          "the alert was not seen when it was polled, or so long ago that this was forgotten");
    return {};
  }

  Attempt<Told> of_recorded(const RunHistory& history) {
    const RunRow& run = history.run;
    Told told{.tenant = run.tenant,
              .flow = run.flow,
              .trigger = run.trigger,
              .verdict = "ran",
              .text = fmt::format("ran: run {} {}{}", run.id, run_state_name(run.state),
                                  run.reason.empty() ? "" : ": " + one_line(run.reason)),
              .is_seen = std::nullopt,
              .why = std::nullopt,
              .more = {},
              .run = run.id};
    for (const RunStep& step : history.steps)
      if (step.kind == EntryKind::Answered && step.by != AnsweredBy::World && !step.is_void)
        told.more.push_back(fmt::format("{} (line {}) was answered by a policy: {}", step.operation,
                                        step.line, answered_by_name(step.by)));
    FLOW_TRY(const std::vector<std::string> again, reruns(store_, run));
    for (const std::string& id : again) told.more.push_back("repeated as run " + id);
    if (run.state != RunState::Skipped) return told;
    if (history.steps.empty() || history.steps[0].kind != EntryKind::Started || history.steps[0].is_damaged)
      return error(fmt::format("the journal of run `{}` is damaged: its event cannot be read", run.id));
    FLOW_TRY(const Version* const version, this->version(run.module));
    if (flow_of(*version, run.flow) == nullptr)
      return error(fmt::format("the module of run `{}` has no flow `{}`", run.id, run.flow));
    told.verdict = "false";
    told.text = fmt::format("did not run its body: its condition was false (run {})", run.id);
    told.why = why(version->condition(run.flow), history.steps[0].result, history.steps[0].settings,
                   recorded_answers(history));
    if (!version->has_text()) told.more.push_back(kNoText);
    return told;
  }

  static std::string key_of(const std::string& event, const Trigger& trigger) {
    const auto text = [&](const std::string& name) {
      const std::string json = json_member(event, name).value_or("");
      return json_string(json).value_or(json);
    };
    std::string key = text(trigger.key_field);
    if (tells_of_changes(trigger)) key += "\n" + text(trigger.cursor_field);
    return key;
  }

  // From the file, from a run that another flow had for it, or from the tenant.
  Attempt<std::optional<std::string>> event_for(const DeploymentRow& one, const Trigger& trigger,
                                                const Version& version) {
    if (!options_.event.empty()) {
      if (!given_) {
        FLOW_TRY(given_, read_event());
      }
      return given_;
    }
    const std::string place = one.tenant + '\n' + run_trigger(trigger);
    if (const auto known = events_.find(place); known != events_.end()) return known->second;
    FLOW_TRY(std::optional<std::string> event, stored_event(one.tenant, run_trigger(trigger)));
    if (!event && place_.config) {
      FLOW_TRY(event, fetched_event(one, trigger, *version.program));
    }
    events_[place] = event;
    return event;
  }

  Attempt<std::string> read_event() {
    FLOW_TRY(std::string text, read_file(options_.event, kEventBytes));
    if (!json_members(text))
      return failure(fmt::format("`{}` is not one well-formed JSON object, as an alert is", options_.event),
                     kWorldWrong);
    return text;
  }

  Result<std::optional<std::string>> stored_event(const std::string& tenant, const std::string& trigger) {
    FLOW_TRY(const std::vector<DeploymentRow> all, live_deployments(store_));
    for (const DeploymentRow& one : all) {
      if (one.tenant != tenant) continue;
      FLOW_TRY(const std::optional<std::string> run,
               store_.run_of(tenant, one.flow, trigger, options_.alert));
      if (!run) continue;
      FLOW_TRY(const std::optional<RunHistory> history, show_run(store_, *run));
      if (history && !history->steps.empty() && history->steps[0].kind == EntryKind::Started &&
          !history->steps[0].is_damaged)
        return std::optional<std::string>(history->steps[0].result);
    }
    return std::optional<std::string>();
  }

  Attempt<std::optional<std::string>> fetched_event(const DeploymentRow& one, const Trigger& trigger,
                                                    const Program& program) {
    if (trigger.entities.empty()) return std::optional<std::string>();
    const Trigger::Entity& entity = trigger.entities.front();
    const auto operation = program.module().operation(trigger.connector, entity.operation);
    if (!operation || program.module().operations[*operation].parameters.empty())
      return std::optional<std::string>();
    const std::string& parameter = program.module().operations[*operation].parameters.front().name;
    FLOW_TRY(const Outcome outcome,
             perform(one.tenant, program.module(), *operation,
                     fmt::format("{{{}:{}}}", json_quoted(parameter), json_quoted(options_.alert))));
    if (const auto* fault = std::get_if<Fault>(&outcome))
      return failure(fmt::format("the alert cannot be fetched from tenant `{}`: {}: {}", one.tenant,
                                 fault_name(fault->kind), fault->message),
                     kWorldWrong);
    return std::optional<std::string>(std::get<Returned>(outcome).json);
  }

  Attempt<Outcome> perform(const std::string& tenant, const Module& module, std::uint32_t operation,
                           std::string arguments) {
    if (!world_) {
      FLOW_TRY(world_, World::make(*place_.config));
    }
    std::promise<Outcome> answered;
    world_->executor().perform({.tenant = tenant,
                                .module = &module,
                                .operation = operation,
                                .arguments = std::move(arguments),
                                .key = {}},
                               [&](Outcome outcome) { answered.set_value(std::move(outcome)); });
    return answered.get_future().get();
  }

  // Reads are made, as they are now; `once` is looked up, not taken.
  std::optional<Outcome> answer_now(const DeploymentRow& one, const Program& program, const Call& call,
                                    const Operation& operation) {
    const SystemClock clock;
    const std::string name = operation.full_name();
    if (name == "flow.now") return Returned{json_quoted(format_time_us(clock.now_us()))};
    if (name == "flow.ago") {
      const auto span = json_string(json_member(call.arguments, "duration").value_or(""));
      const auto span_us = span ? parse_duration_us(*span) : std::nullopt;
      std::int64_t then_us = 0;
      if (!span_us || __builtin_sub_overflow(clock.now_us(), *span_us, &then_us)) return std::nullopt;
      return Returned{json_quoted(format_time_us(then_us))};
    }
    if (name == "flow.once") {
      const auto key = json_string(json_member(call.arguments, "key").value_or(""));
      const auto until_us = store_.once_until(one.tenant, one.flow, key.value_or(""));
      if (!until_us) return std::nullopt;
      return Returned{*until_us > clock.now_us() ? "false" : "true"};
    }
    const bool is_named =
        place_.config && std::ranges::any_of(place_.config->tenants,
                                             [&](const auto& tenant) { return tenant.name == one.tenant; });
    if (operation.effect != Effect::Read || is_answered_here(operation) || !is_named) return std::nullopt;
    const Attempt<Outcome> outcome = perform(one.tenant, program.module(), call.operation, call.arguments);
    return outcome ? std::optional(*outcome) : std::nullopt;
  }

  Store& store_;
  const StorePlace& place_;
  const WhyOptions& options_;
  std::map<std::string, Version> versions_;                   // by hash
  std::optional<std::string> given_;                          // --event
  std::map<std::string, std::optional<std::string>> events_;  // by tenant and trigger
  std::unique_ptr<World> world_;
};

}  // namespace

Attempt<std::vector<Told>> why_alert(Store& store, const StorePlace& place, const WhyOptions& options) {
  return Explainer(store, place, options).of_alert();
}

Attempt<std::vector<Told>> why_run(Store& store, const StorePlace& place, const WhyOptions& options) {
  return Explainer(store, place, options).of_run();
}

std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
    if (!is_space)
      out += c;
    else if (!out.empty() && out.back() != ' ')
      out += ' ';
  }
  return printable(out);
}

}  // namespace flow
