#include "runtime/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "base/calendar.hpp"
#include "base/cron.hpp"
#include "base/time_zone.hpp"

namespace flow {
namespace {

// A day that both fields of a schedule and the calendar allow comes again within this: 29 February on a
// certain day of the week, over the turn of a century that has none.
constexpr std::int64_t kMostDays = 41 * 366;
constexpr std::int64_t kFarthestUs = 200'000 * 365 * kDayUs;  // of times that are looked at

std::int64_t floor_divided(std::int64_t value, std::int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

std::optional<std::int64_t> next_multiple(std::int64_t interval_us, std::int64_t after_us) {
  std::int64_t next = 0;
  if (interval_us <= 0 || __builtin_mul_overflow(floor_divided(after_us, interval_us), interval_us, &next) ||
      __builtin_add_overflow(next, interval_us, &next))
    return std::nullopt;
  return next;
}

struct CronTrigger {
  CronSchedule schedule;
  TimeZone zone;
};

std::optional<CronTrigger> cron_of(const Trigger& trigger) {
  const auto schedule = parse_cron(trigger.cron);
  const auto zone = TimeZone::named(trigger.zone.empty() ? "UTC" : trigger.zone);
  if (!schedule || !zone) return std::nullopt;
  return CronTrigger{*schedule, *zone};
}

// The moment at which clocks that are put forward pass over `local_us`; `time_us` is behind it by less than a
// day.
std::int64_t change_before(const TimeZone& zone, std::int64_t time_us) {
  std::int64_t before = time_us - kDayUs / 2, behind = time_us;
  const std::int64_t offset = zone.offset_at(behind).seconds;
  while (behind - before > 1) {
    const std::int64_t middle = before + (behind - before) / 2;
    (zone.offset_at(middle).seconds == offset ? behind : before) = middle;
  }
  return behind;
}

std::int64_t moment_of(const TimeZone& zone, std::int64_t local_us) {
  const std::int64_t time_us = zone.to_time_us(local_us);
  return zone.to_local_us(time_us) == local_us ? time_us : change_before(zone, time_us);
}

// Moments never fall while what clocks show rises, so the first that is late enough is the next.
std::optional<std::int64_t> next_on_day(const CronTrigger& cron, std::int64_t midnight_us,
                                        std::int64_t after_us) {
  for (std::uint32_t hours = cron.schedule.hours; hours != 0; hours &= hours - 1) {
    const std::int64_t hour_us = midnight_us + std::countr_zero(hours) * kHourUs;
    for (std::uint64_t minutes = cron.schedule.minutes; minutes != 0; minutes &= minutes - 1) {
      const std::int64_t moment = moment_of(cron.zone, hour_us + std::countr_zero(minutes) * kMinuteUs);
      if (moment > after_us) return moment;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> next_of(const CronTrigger& cron, std::int64_t after_us) {
  if (after_us > kFarthestUs || after_us < -kFarthestUs) return std::nullopt;
  // The day before, since clocks that were put back show its end again.
  const std::int64_t first = floor_divided(cron.zone.to_local_us(after_us), kDayUs) - 1;
  for (std::int64_t day = first; day < first + kMostDays; ++day) {
    const Date date = date_of(day);
    if (!cron.schedule.fires_on(date.month, date.day, (weekday_of(day) + 1) % 7)) continue;
    if (const auto moment = next_on_day(cron, day * kDayUs, after_us)) return moment;
  }
  return std::nullopt;
}

template <class Next>
DueFirings newest(const Next& next, std::int64_t after_us, std::int64_t until_us, std::size_t most) {
  DueFirings due;
  for (auto time = next(after_us); time && *time <= until_us; time = next(*time)) {
    due.times_us.push_back(*time);
    if (due.times_us.size() <= most) continue;
    due.times_us.erase(due.times_us.begin());
    due.is_cut = true;
  }
  return due;
}

}  // namespace

std::optional<std::int64_t> next_firing(const Trigger& trigger, std::int64_t after_us) {
  if (trigger.kind != Trigger::Kind::Cron) return next_multiple(trigger.interval_us, after_us);
  const auto cron = cron_of(trigger);
  return cron ? next_of(*cron, after_us) : std::nullopt;
}

DueFirings due_firings(const Trigger& trigger, std::int64_t after_us, std::int64_t until_us,
                       std::size_t most) {
  if (until_us <= after_us || most == 0) return {};
  const bool is_cron = trigger.kind == Trigger::Kind::Cron;
  const auto cron = is_cron ? cron_of(trigger) : std::nullopt;
  if (is_cron ? !cron.has_value() : trigger.interval_us <= 0) return {};
  const auto next = [&](std::int64_t after) {
    return cron ? next_of(*cron, after) : next_multiple(trigger.interval_us, after);
  };
  // The last ones, wherever the first is: a span before the end that grows until it holds enough of them.
  const std::int64_t closest_us = std::max<std::int64_t>(is_cron ? kMinuteUs : trigger.interval_us, 1);
  std::int64_t span_us = closest_us;
  for (;;) {
    if (__builtin_mul_overflow(span_us, std::int64_t{4}, &span_us)) span_us = std::int64_t{1} << 62;
    std::int64_t from_us = 0;
    if (__builtin_sub_overflow(until_us, span_us, &from_us)) from_us = after_us;
    const bool is_all = from_us <= after_us;
    DueFirings due = newest(next, is_all ? after_us : from_us, until_us, most);
    if (is_all) return due;
    if (due.times_us.size() < most && !due.is_cut) continue;
    if (!due.is_cut) due.is_cut = next(after_us).value_or(until_us) < due.times_us.front();
    return due;
  }
}

Status check_schedule(const Trigger& trigger) {
  if (trigger.kind != Trigger::Kind::Cron) return {};
  if (const auto schedule = parse_cron(trigger.cron); !schedule)
    return error(fmt::format("its schedule `{}` cannot be read: {}", trigger.cron, schedule.error().message));
  if (!trigger.zone.empty() && !TimeZone::named(trigger.zone))
    return error(fmt::format("`{}` is no time zone", trigger.zone));
  return {};
}

DueFirings firings_to_make(const Trigger& trigger, std::int64_t after_us, std::int64_t now_us) {
  switch (trigger.catch_up) {
    case Trigger::CatchUp::All: return due_firings(trigger, after_us, now_us, kMostCaughtUp);
    case Trigger::CatchUp::Last: return {due_firings(trigger, after_us, now_us, 1).times_us, false};
    case Trigger::CatchUp::None:
      return {due_firings(trigger, std::max(after_us, now_us - kOnTimeUs - 1), now_us, 1).times_us, false};
  }
  return {};
}

}  // namespace flow
