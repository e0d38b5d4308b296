// From a trigger to runs: one poll per tenant and trigger, whose events go to every flow that wants them.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/loop.hpp"
#include "runtime/served.hpp"

namespace flow {

std::string Runtime::Loop::source_key(const std::string& tenant, const std::string& trigger) {
  return tenant + '\n' + trigger;
}

Status Runtime::Loop::subscribe(const std::string& tenant, const std::string& hash,
                                const std::shared_ptr<const Module>& module, std::uint32_t flow,
                                std::string_view settings_json) {
  const FlowCode& code = module->flows[flow];
  const Trigger& trigger = module->triggers[code.trigger];
  if (trigger.kind != Trigger::Kind::Poll)
    return error(fmt::format("flow `{}` starts on `{}`, which this version of the runtime cannot wait for",
                             code.name, trigger_kind_name(trigger.kind)));
  const auto operation = module->operation(trigger.connector, trigger.operation);
  if (!operation)
    return error(fmt::format("flow `{}`: its module lacks {}.{}, which its trigger polls", code.name,
                             trigger.connector, trigger.operation));
  unsubscribe(tenant, code.name);  // a new version may listen to another trigger, or be for other tenants
  if (!is_for_tenant(code.policies, tenant)) {
    health(HealthEvent::Kind::NotForTenant, tenant, code.name,
           fmt::format("the flow is for {} only, and is not deployed here",
                       fmt::join(code.policies.tenants, ", ")));
    return {};
  }
  FLOW_TRY(Source * source, source_for(tenant, module, trigger, *operation));
  source->subscribers.push_back(
      Subscriber{code.name, hash, module, flow, std::string(settings_json), nullptr});
  source->fields = EventFields();
  for (const Subscriber& subscriber : source->subscribers)
    source->fields.add(subscriber.module->types, subscriber.module->flows[subscriber.index]);
  return {};
}

void Runtime::Loop::unsubscribe(const std::string& tenant, const std::string& flow) {
  for (auto& [key, source] : sources_)
    if (source.tenant == tenant)
      std::erase_if(source.subscribers, [&](const Subscriber& other) { return other.flow == flow; });
}

Result<Runtime::Loop::Source*> Runtime::Loop::source_for(const std::string& tenant,
                                                         const std::shared_ptr<const Module>& module,
                                                         const Trigger& trigger, std::uint32_t operation) {
  const std::string name = trigger.connector + "." + trigger.name;
  const std::string key = source_key(tenant, name);
  const auto found = sources_.find(key);
  if (found != sources_.end()) {
    found->second.module = module;
    found->second.declaration = &trigger;
    found->second.operation = operation;
    return &found->second;
  }
  FLOW_TRY(std::optional<CursorRow> cursor, store_.cursor(tenant, name));
  if (!cursor) {
    const std::int64_t start_us = clock_.now_us() - options_.look_back_us;
    cursor = CursorRow{tenant, name, start_us, start_us};
    Batch batch;
    batch.cursors.push_back(*cursor);  // so that a crash before the first poll does not move the start
    FLOW_TRY_STATUS(commit_now(batch));
  }
  Source& source = sources_[key];
  source.tenant = tenant;
  source.trigger = name;
  source.module = module;
  source.declaration = &trigger;
  source.operation = operation;
  source.poller = std::make_unique<Poller>(*cursor, options_.poll);
  at(clock_.now_us(), [this, key] { poll(key); });
  return &source;
}

// The filter only when all flows agree on it; every member that one of them reads.
PollShape Runtime::Loop::shape_of(const Source& source) {
  PollShape shape;
  bool is_first = true;
  for (const Subscriber& subscriber : source.subscribers) {
    const Manifest& manifest = subscriber.module->flows[subscriber.index].manifest;
    if (is_first) shape.filter = manifest.poll_filter;
    if (manifest.poll_filter != shape.filter) shape.filter.clear();
    is_first = false;
    for (const std::string& name : manifest.poll_expand)
      if (std::find(shape.expand.begin(), shape.expand.end(), name) == shape.expand.end())
        shape.expand.push_back(name);
  }
  std::sort(shape.expand.begin(), shape.expand.end());
  return shape;
}

void Runtime::Loop::poll(const std::string& key) {
  if (is_draining_) return;
  Source& source = sources_.at(key);
  if (source.subscribers.empty()) return at(clock_.now_us() + 60'000'000, [this, key] { poll(key); });
  ++counters_.polls;
  ask_for_page(source, source.poller->begin(*source.declaration, shape_of(source), clock_.now_us()));
}

void Runtime::Loop::ask_for_page(Source& source, std::string arguments) {
  Pending pending;
  pending.purpose = Pending::Purpose::Poll;
  pending.owner = source_key(source.tenant, source.trigger);
  pending.module = source.module;
  pending.call.tenant = source.tenant;
  pending.call.operation = source.operation;
  pending.call.arguments = std::move(arguments);
  ask(std::move(pending));
}

void Runtime::Loop::take_page(Source& source, const Outcome& outcome) {
  if (const auto* fault = std::get_if<Fault>(&outcome)) return fail_poll(source, *fault);
  Result<PolledPage> page = source.poller->take_page(std::get<Returned>(outcome).json);
  if (!page) {
    Fault fault;
    fault.kind = FaultKind::InvalidResponse;
    fault.message = page.error().message;
    return fail_poll(source, fault);
  }
  if (std::exchange(source.failures, 0) > 0)
    health(HealthEvent::Kind::PollRecovered, source.tenant, source.trigger, "polling works again");
  counters_.events_seen += page->events.size() + page->unusable.size() + page->too_old;
  counters_.events_unusable += page->unusable.size();
  counters_.events_too_old += page->too_old;
  for (std::string& problem : page->unusable)
    health(HealthEvent::Kind::EventUnusable, source.tenant, source.trigger, std::move(problem));
  source.report = PollReport{source.tenant, source.trigger, static_cast<std::uint32_t>(page->events.size()),
                             0, static_cast<std::uint32_t>(page->unusable.size())};
  source.events.assign(std::make_move_iterator(page->events.begin()),
                       std::make_move_iterator(page->events.end()));
  source.has_page = true;
}

// The flows that wait for a source's events, for a person.
std::string Runtime::Loop::flows_of(const Source& source) {
  constexpr std::size_t kMostNamed = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(source.subscribers.size(), kMostNamed); ++i)
    names += fmt::format("{}`{}`", i == 0 ? "" : ", ", source.subscribers[i].flow);
  if (source.subscribers.size() > kMostNamed)
    names += fmt::format(" and {} more", source.subscribers.size() - kMostNamed);
  return names;
}

void Runtime::Loop::fail_poll(Source& source, const Fault& fault) {
  ++counters_.polls_failed;
  ++source.failures;
  RetryPolicy policy = options_.retry;
  policy.first_delay_us = options_.poll_backoff_us;
  policy.longest_delay_us = options_.longest_poll_backoff_us;
  const std::int64_t delay_us = retry_delay_us(fault, source.failures, policy, random_);
  health(HealthEvent::Kind::PollFailed, source.tenant, source.trigger,
         fmt::format("polling for {} failed{} ({}: {}); tried again in {} s", flows_of(source),
                     source.failures == 1 ? "" : fmt::format(" {} times in a row", source.failures),
                     fault_name(fault.kind), fault.message, delay_us / 1'000'000));
  at(clock_.now_us() + delay_us, [this, key = source_key(source.tenant, source.trigger)] { poll(key); });
}

// At most events_per_turn of them, and no more than memory has room for runs; sources take turns at being
// first.
Status Runtime::Loop::dispatch_events(bool& has_worked) {
  std::vector<Source*> order;
  for (auto it = sources_.upper_bound(next_source_); it != sources_.end(); ++it) order.push_back(&it->second);
  for (auto it = sources_.begin(); it != sources_.upper_bound(next_source_); ++it)
    order.push_back(&it->second);
  std::uint32_t left = options_.events_per_turn;
  for (Source* source : order) {
    if (!source->has_page) continue;
    for (; !source->events.empty() && left > 0 && runs_.size() < options_.runs_in_memory; --left) {
      PolledEvent event = std::move(source->events.front());
      source->events.pop_front();
      FLOW_TRY_STATUS(dispatch(*source, std::move(event)));
      has_worked = true;
    }
    if (source->events.empty()) {
      finish_page(*source);
      has_worked = true;
    }
    if (left == 0) {
      next_source_ = source_key(source->tenant, source->trigger);
      break;
    }
  }
  return {};
}

Status Runtime::Loop::dispatch(Source& source, PolledEvent event) {
  if (!source.poller->is_first(event.key)) return {};
  FLOW_TRY(const bool is_seen, store_.is_seen(source.tenant, source.trigger, event.key));
  if (is_seen) return {};
  ++counters_.events_fresh;
  ++source.report.fresh;
  source.event.read(event.json, source.fields);
  for (Subscriber& subscriber : source.subscribers) FLOW_TRY_STATUS(begin_run(source, subscriber, event));
  batch_.seen.push_back(SeenRow{source.tenant, source.trigger, std::move(event.key), event.time_us});
  return {};
}

// A flow whose condition is false without asking anyone leaves no trace.
Status Runtime::Loop::begin_run(const Source& source, Subscriber& subscriber, const PolledEvent& event) {
  if (!subscriber.machine) subscriber.machine = engine_.machine(*subscriber.module, subscriber.index);
  Step first = subscriber.machine->start_from(source.event, subscriber.settings);
  if (const auto* ended = std::get_if<Ended>(&first); ended && ended->how == Ended::How::Skipped) {
    ++counters_.skipped_at_once;
    return {};
  }
  const std::int64_t now_us = clock_.now_us();
  RunRow row;
  row.id = ids_.next();
  row.tenant = source.tenant;
  row.flow = subscriber.flow;
  row.module = subscriber.hash;
  row.trigger = source.trigger;
  row.key = event.key;
  row.created_us = now_us;
  auto run = std::make_unique<Run>(std::move(row), subscriber.module, std::move(subscriber.machine));
  run->start(event.json, subscriber.settings, std::move(first), now_us);
  // The keys that were seen are forgotten some day; runs are not.
  FLOW_TRY(const bool is_known, store_.has_run(source.tenant, subscriber.flow, source.trigger, event.key));
  if (is_known) return {};
  if (!run->is_over()) {
    enter_line(*run);
    set_deadline(*run);
  }
  ++counters_.runs_started;
  after_commit([this, started = run->row()] { observer_->run_started(started); });
  batch_.runs.push_back(run->row());
  batch_.runs.back().state = RunState::Running;
  Run& kept = *run;
  runs_.emplace(kept.row().id, std::move(run));
  settle_run(kept);
  return {};
}

void Runtime::Loop::finish_page(Source& source) {
  source.has_page = false;
  after_commit([this, report = source.report] { observer_->polled(report); });
  if (auto arguments = source.poller->next_page()) return ask_for_page(source, std::move(*arguments));
  Poller::Done done = source.poller->finish();
  if (!done.problem.empty())
    health(HealthEvent::Kind::PollFailed, source.tenant, source.trigger, done.problem);
  batch_.cursors.push_back(done.cursor);
  batch_.forget.push_back(done.forget);
  const std::int64_t own_us = std::max<std::int64_t>(source.declaration->interval_us, 1'000'000);
  const std::int64_t interval_us = options_.poll_interval_us > 0 ? options_.poll_interval_us : own_us;
  at(clock_.now_us() + (done.is_behind ? 0 : interval_us),
     [this, key = source_key(source.tenant, source.trigger)] { poll(key); });
}

}  // namespace flow
