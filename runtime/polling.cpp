// From a polled trigger to its events: one poll per tenant and trigger, whose events go to every flow that
// wants them.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/hunter.hpp"
#include "runtime/loop.hpp"
#include "runtime/schedule.hpp"

namespace flow {

std::string Runtime::Loop::source_key(const std::string& tenant, const std::string& trigger) {
  return tenant + '\n' + trigger;
}

Status Runtime::Loop::subscribe_to_poll(Subscriber subscriber) {
  const Trigger& trigger = subscriber.trigger();
  const auto operation = subscriber.module->operation(trigger.connector, trigger.operation);
  FLOW_TRY(Source * source, source_for(subscriber.tenant, subscriber.module, trigger, operation.value()));
  listen(*source, std::move(subscriber));
  return {};
}

void Runtime::Loop::listen(Source& source, Subscriber subscriber) {
  source.subscribers.push_back(std::move(subscriber));
  source.fields = EventFields();
  for (const Subscriber& each : source.subscribers) source.fields.add(each.module->types, each.code());
  source.keeps_states = std::ranges::any_of(source.subscribers, reads_previous);
}

// A source of its own: no two flows have the same rows.
Status Runtime::Loop::subscribe_to_hunt(Subscriber subscriber) {
  const Trigger& trigger = subscriber.trigger();
  const auto operation = subscriber.module->operation(trigger.connector, trigger.operation);
  CursorRow cursor{subscriber.tenant, subscriber.flow, 0, 0};
  FLOW_TRY_STATUS(read_cursor(cursor, trigger));
  const std::string key = source_key(cursor.tenant, cursor.trigger);
  const auto [found, is_new] = sources_.try_emplace(key);
  Source& source = found->second;
  source.module = subscriber.module;
  source.declaration = &trigger;
  source.operation = operation.value();
  listen(source, std::move(subscriber));
  if (options_.waits_for != RuntimeOptions::WaitsFor::Everything) return {};
  if (!is_new) {                              // another version: it may hunt at other times
    if (source.next_us == kNever) return {};  // the query under way is followed by the next one
    const auto next_us = next_firing(trigger, std::min(cursor.watermark_us, clock_.now_us()));
    if (next_us && *next_us < source.next_us) poll_at(source, *next_us);
    return {};
  }
  source.tenant = cursor.tenant;
  source.trigger = cursor.trigger;
  source.reader = std::make_unique<Hunter>(
      cursor, [this, tenant = cursor.tenant, name = cursor.trigger](const std::string& row) {
        return store_.is_seen(tenant, name, row);
      });
  if (const auto first_us = next_firing(trigger, std::min(cursor.watermark_us, clock_.now_us())))
    poll_at(source, *first_us);
  return {};
}

void Runtime::Loop::unsubscribe(const std::string& tenant, const std::string& flow) {
  for (auto& [key, source] : sources_)
    if (source.tenant == tenant)
      std::erase_if(source.subscribers, [&](const Subscriber& other) { return other.flow == flow; });
  deployed_.erase(source_key(tenant, flow));
}

Result<Runtime::Loop::Source*> Runtime::Loop::source_for(const std::string& tenant,
                                                         const std::shared_ptr<const Module>& module,
                                                         const Trigger& trigger, std::uint32_t operation) {
  const std::string name = run_trigger(trigger);
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
  source.reader = std::make_unique<Poller>(*cursor, options_.poll);
  poll_at(source, clock_.now_us());
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

// In place of what was set before.
void Runtime::Loop::poll_at(Source& source, std::int64_t time_us) {
  source.next_us = time_us;
  at(time_us, [this, key = source_key(source.tenant, source.trigger), time_us] {
    if (sources_.at(key).next_us == time_us) poll(key);
  });
}

void Runtime::Loop::poll(const std::string& key) {
  if (is_draining_ || options_.waits_for == RuntimeOptions::WaitsFor::Requests) return;
  Source& source = sources_.at(key);
  if (source.subscribers.empty()) return poll_at(source, clock_.now_us() + 60'000'000);
  source.next_us = kNever;
  ++counters_.polls;
  ask_for_page(source, source.reader->begin(*source.declaration, shape_of(source), clock_.now_us()));
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
  Result<PolledPage> page = source.reader->take_page(std::get<Returned>(outcome).json);
  if (!page) {
    Fault fault;
    fault.kind = FaultKind::InvalidResponse;
    fault.message = page.error().message;
    return fail_poll(source, fault);
  }
  source.has_tried = true;
  metrics_.add(Metric::Polls, {source.tenant, source.trigger, "ok"});
  if (!page->unusable.empty())
    metrics_.add(Metric::EventsUnusable, {source.tenant, source.trigger}, page->unusable.size());
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
  source.has_tried = true;
  metrics_.add(Metric::Polls, {source.tenant, source.trigger, "failed"});
  ++source.failures;
  RetryPolicy policy = options_.retry;
  policy.first_delay_us = options_.poll_backoff_us;
  policy.longest_delay_us = options_.longest_poll_backoff_us;
  const std::int64_t delay_us = retry_delay_us(fault, source.failures, policy, random_);
  health(HealthEvent::Kind::PollFailed, source.tenant, source.trigger,
         fmt::format("polling for {} failed{} ({}: {}); tried again in {} s", flows_of(source),
                     source.failures == 1 ? "" : fmt::format(" {} times in a row", source.failures),
                     fault_name(fault.kind), fault.message, delay_us / 1'000'000));
  poll_at(source, clock_.now_us() + delay_us);
}

// At most events_per_turn of them, and no more than memory has room for runs of their tenant; sources take
// turns at being first. A source whose events wait is not polled meanwhile.
Status Runtime::Loop::dispatch_events(bool& has_worked) {
  std::vector<Source*> order;
  for (auto it = sources_.upper_bound(next_source_); it != sources_.end(); ++it) order.push_back(&it->second);
  for (auto it = sources_.begin(); it != sources_.upper_bound(next_source_); ++it)
    order.push_back(&it->second);
  std::uint32_t left = options_.events_per_turn;
  Crowd runs = crowd();
  for (Source* source : order) {
    if (!source->has_page) continue;
    for (; !source->events.empty() && left > 0 && has_room_for(source->tenant, runs); --left) {
      PolledEvent event = std::move(source->events.front());
      source->events.pop_front();
      const std::size_t before = runs_.size();
      FLOW_TRY_STATUS(dispatch(*source, std::move(event)));
      runs[source->tenant] += runs_.size() - std::min(before, runs_.size());
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
  if (!source.reader->is_first(event.key)) return {};
  FLOW_TRY(const bool is_seen, store_.is_seen(source.tenant, source.trigger, event.key));
  if (is_seen) return {};
  ++counters_.events_fresh;
  ++source.report.fresh;
  FLOW_TRY(const std::string json, with_previous(source, event));
  source.event.read(json, source.fields);
  const bool is_hunt = source.declaration->kind == Trigger::Kind::Hunt;
  const Beginning beginning{.trigger = is_hunt ? source.declaration->name : source.trigger,
                            .key = event.key,
                            .event = json,
                            .parsed = &source.event};
  for (Subscriber& subscriber : source.subscribers)
    if (auto begun = begin_run(subscriber, beginning); !begun) return tl::unexpected(begun.error());
  for (std::string& key : event.with)
    batch_.seen.push_back(SeenRow{source.tenant, source.trigger, std::move(key), event.time_us});
  batch_.seen.push_back(SeenRow{source.tenant, source.trigger, std::move(event.key), event.time_us});
  return {};
}

void Runtime::Loop::finish_page(Source& source) {
  source.has_page = false;
  if (source.report.fresh > 0)
    metrics_.add(Metric::Events, {source.tenant, source.trigger}, source.report.fresh);
  after_commit([this, report = source.report] { observer_->polled(report); });
  if (auto arguments = source.reader->next_page()) return ask_for_page(source, std::move(*arguments));
  const EventReader::Done done = source.reader->finish();
  source.polled_us = clock_.now_us();
  if (!done.problem.empty())
    health(HealthEvent::Kind::PollFailed, source.tenant, source.trigger, done.problem);
  batch_.cursors.push_back(done.cursor);
  batch_.forget.push_back(done.forget);
  if (source.report.fresh > 0) forget_states(source);
  poll_at(source, next_poll_us(source, done));
}

std::int64_t Runtime::Loop::next_poll_us(const Source& source, const EventReader::Done& done) const {
  const std::int64_t now_us = clock_.now_us();
  if (done.is_behind) return now_us;
  const Trigger& trigger = *source.declaration;
  if (trigger.kind == Trigger::Kind::Hunt)
    return next_firing(trigger, std::min(done.cursor.watermark_us, now_us)).value_or(kNever);
  if (options_.next_poll_us) return options_.next_poll_us(now_us);
  const std::int64_t own_us = std::max<std::int64_t>(trigger.interval_us, 1'000'000);
  return now_us + (options_.poll_interval_us > 0 ? options_.poll_interval_us : own_us);
}

}  // namespace flow
