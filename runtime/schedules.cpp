// From a schedule to runs. The cursor is the last firing, and moves in the commit that creates the runs it
// led to: a process that dies before it finds the firing due again.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "runtime/loop.hpp"
#include "runtime/schedule.hpp"

namespace flow {
namespace {

constexpr std::int64_t kAgainUs = 1'000'000;  // when there is no room in memory

std::string schedule_text(const Trigger& trigger) {
  if (trigger.kind == Trigger::Kind::Cron) return fmt::format("cron {} in {}", trigger.cron, trigger.zone);
  return fmt::format("{} {}", trigger_kind_name(trigger.kind), format_duration_us(trigger.interval_us));
}

}  // namespace

// Completes the cursor of this tenant and flow. A schedule that is new, or another than before, begins now:
// what the old one left undone is none of its firings.
Status Runtime::Loop::read_cursor(CursorRow& cursor, const Trigger& trigger) {
  const std::string meta_key = fmt::format("schedule\n{}\n{}", cursor.tenant, cursor.trigger);
  cursor.trigger = fmt::format("schedule of {}", cursor.trigger);
  FLOW_TRY(const auto text, store_.meta(meta_key));
  FLOW_TRY(const auto stored, store_.cursor(cursor.tenant, cursor.trigger));
  if (stored && text == schedule_text(trigger)) {
    cursor = *stored;
    return {};
  }
  cursor.watermark_us = cursor.floor_us = clock_.now_us();
  Batch batch;
  batch.cursors.push_back(cursor);
  batch.meta.push_back(MetaRow{meta_key, schedule_text(trigger)});
  return commit_now(batch);
}

void Runtime::Loop::wait_for_firing(Deployed& deployed) {
  if (options_.waits_for != RuntimeOptions::WaitsFor::Everything) return;
  const Subscriber& subscriber = deployed.subscriber;
  // A clock that was set back must not make the schedule wait for where it had been; what has fired before is
  // known by its key.
  deployed.cursor.watermark_us = std::min(deployed.cursor.watermark_us, clock_.now_us());
  const auto next_us = next_firing(subscriber.trigger(), deployed.cursor.watermark_us);
  if (!next_us) return;
  at(*next_us, [this, key = source_key(subscriber.tenant, subscriber.flow), version = deployed.version] {
    follow_up([this, key, version] { return fire(key, version); });
  });
}

Status Runtime::Loop::fire(const std::string& key, std::uint64_t version) {
  const auto found = deployed_.find(key);
  if (is_draining_ || found == deployed_.end() || found->second.version != version) return {};
  Deployed& deployed = found->second;
  const std::int64_t now_us = clock_.now_us();
  if (!has_room()) {
    at(now_us + kAgainUs,
       [this, key, version] { follow_up([this, key, version] { return fire(key, version); }); });
    return {};
  }
  Subscriber& subscriber = deployed.subscriber;
  const Trigger& trigger = subscriber.trigger();
  const DueFirings firings = firings_to_make(trigger, deployed.cursor.watermark_us, now_us);
  for (const std::int64_t time_us : firings.times_us) {
    const std::string time = format_time_us(time_us);
    const std::string event = fmt::format(R"({{"scheduledAt":"{}"}})", time);
    const auto begun = begin_run(subscriber, {.trigger = trigger.name, .key = time, .event = event});
    if (!begun) return tl::unexpected(begun.error());
  }
  if (firings.is_cut)
    health(HealthEvent::Kind::FiringsMissed, subscriber.tenant, subscriber.flow,
           fmt::format("more than {} firings of `{}` were missed; the last {} are made up for", kMostCaughtUp,
                       subscriber.flow, firings.times_us.size()));
  const DueFirings last = due_firings(trigger, deployed.cursor.watermark_us, now_us, 1);
  if (!last.times_us.empty()) {
    deployed.cursor.watermark_us = last.times_us.back();
    batch_.cursors.push_back(deployed.cursor);
  }
  wait_for_firing(deployed);
  return {};
}

}  // namespace flow
