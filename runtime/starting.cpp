// From an event to a run: the one place where runs begin.
#include "runtime/starting.hpp"

#include <fmt/format.h>

#include "runtime/loop.hpp"
#include "runtime/schedule.hpp"
#include "runtime/served.hpp"

namespace flow {
namespace {

std::string unique_name(const Subscriber& subscriber, const Beginning& beginning) {
  std::string name;
  for (const std::string* part : {&subscriber.tenant, &subscriber.flow, &beginning.trigger, &beginning.key})
    name.append(*part).push_back('\0');
  return name;
}

}  // namespace

std::string run_trigger(const Trigger& trigger) {
  return trigger.kind == Trigger::Kind::Poll ? trigger.connector + "." + trigger.name : trigger.name;
}

// A new version may start on another trigger than the one before, or be for other tenants.
Status Runtime::Loop::subscribe(Subscriber subscriber) {
  unsubscribe(subscriber.tenant, subscriber.flow);
  if (const Policies& policies = subscriber.code().policies; !is_for_tenant(policies, subscriber.tenant)) {
    health(
        HealthEvent::Kind::NotForTenant, subscriber.tenant, subscriber.flow,
        fmt::format("the flow is for {} only, and is not deployed here", fmt::join(policies.tenants, ", ")));
    return {};
  }
  const std::string key = source_key(subscriber.tenant, subscriber.flow);
  const Trigger& trigger = subscriber.trigger();
  if (trigger.kind == Trigger::Kind::Poll) return subscribe_to_poll(std::move(subscriber));
  if (trigger.kind == Trigger::Kind::Hunt) return subscribe_to_hunt(std::move(subscriber));
  for (const auto& [other, waiting] : deployed_)
    if (trigger.kind == Trigger::Kind::Webhook && waiting.subscriber.tenant == subscriber.tenant &&
        waiting.subscriber.trigger().kind == Trigger::Kind::Webhook &&
        waiting.subscriber.trigger().endpoint == trigger.endpoint)
      return error(fmt::format("flow `{}` waits at the hook `{}`, and so does flow `{}`; give each its own",
                               subscriber.flow, trigger.endpoint, waiting.subscriber.flow));
  CursorRow cursor;
  const bool is_schedule = trigger.kind == Trigger::Kind::Every || trigger.kind == Trigger::Kind::Cron;
  if (is_schedule) {
    FLOW_TRY_STATUS(check_schedule(trigger));
    cursor = CursorRow{subscriber.tenant, subscriber.flow, 0, 0};
    FLOW_TRY_STATUS(read_cursor(cursor, trigger));
  }
  Deployed& deployed = deployed_[key];
  deployed = Deployed{std::move(subscriber), ++versions_, std::move(cursor)};
  if (is_schedule) wait_for_firing(deployed);
  return {};
}

// The keys that were seen are forgotten some day; runs are not. One that began in this very turn is in the
// batch.
Result<std::optional<std::string>> Runtime::Loop::run_of(const Subscriber& subscriber,
                                                         const Beginning& beginning) {
  if (const auto found = begun_.find(unique_name(subscriber, beginning)); found != begun_.end())
    return std::optional<std::string>(found->second);
  return store_.run_of(subscriber.tenant, subscriber.flow, beginning.trigger, beginning.key);
}

// A flow whose condition is false without asking anyone leaves no trace.
Result<Begun> Runtime::Loop::begin_run(Subscriber& subscriber, const Beginning& beginning) {
  if (!subscriber.machine) subscriber.machine = engine_.machine(*subscriber.module, subscriber.index);
  Step first = beginning.parsed != nullptr
                   ? subscriber.machine->start_from(*beginning.parsed, subscriber.settings)
                   : subscriber.machine->start(beginning.event, subscriber.settings);
  if (const auto* ended = std::get_if<Ended>(&first)) {
    if (ended->how == Ended::How::Skipped && !beginning.keeps_skipped) {
      ++counters_.skipped_at_once;
      metrics_.add(Metric::ConditionsFalse);
      return Begun{.how = Begun::How::Skipped, .run = {}, .problem = {}};
    }
    if (ended->how == Ended::How::Failed && ended->fault.kind == FaultKind::InvalidEvent &&
        beginning.may_be_refused)
      return Begun{.how = Begun::How::Refused, .run = {}, .problem = ended->fault.message};
  }
  FLOW_TRY(std::optional<std::string> known, run_of(subscriber, beginning));
  if (known) return Begun{.how = Begun::How::Known, .run = std::move(*known), .problem = {}};
  const std::int64_t now_us = clock_.now_us();
  RunRow row;
  row.id = ids_.next();
  row.tenant = subscriber.tenant;
  row.flow = subscriber.flow;
  row.module = subscriber.hash;
  row.trigger = beginning.trigger;
  row.key = beginning.key;
  row.created_us = now_us;
  const std::string id = row.id;
  auto run = std::make_unique<Run>(std::move(row), subscriber.module, std::move(subscriber.machine));
  run->start(beginning.event, subscriber.settings, std::move(first), now_us);
  if (!run->is_over()) {
    enter_line(*run);
    set_deadline(*run);
  }
  ++counters_.runs_started;
  metrics_.add(Metric::RunsStarted, {subscriber.tenant, subscriber.flow});
  after_commit([this, started = run->row()] { observer_->run_started(started); });
  batch_.runs.push_back(run->row());
  batch_.runs.back().state = RunState::Running;
  begun_.emplace(unique_name(subscriber, beginning), id);
  Run& kept = keep(std::move(run));
  if (beginning.on_begun) beginning.on_begun(id);
  settle_run(kept);
  return Begun{.how = Begun::How::Started, .run = id, .problem = {}};
}

}  // namespace flow
