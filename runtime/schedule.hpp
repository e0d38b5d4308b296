// When `every` and `cron` triggers fire. Pure: a trigger and a moment give the next firing, whoever asks and
// however often the process was restarted.
//
// `every 15m` fires at each multiple of 15 minutes since 1970-01-01T00:00:00Z, so at :00, :15, :30 and :45.
// `cron` fires when the clocks of its zone show a minute that it names. Where clocks are put forward, what
// they leave out fires once, at the moment of the change; where they are put back, what they show twice fires
// at the first of both.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/operation.hpp"
#include "base/result.hpp"

namespace flow {

// The first firing behind `after_us`; nothing when there is none within a time of 64 bits, or the trigger has
// no schedule that can be read.
std::optional<std::int64_t> next_firing(const Trigger& trigger, std::int64_t after_us);

struct DueFirings {
  std::vector<std::int64_t> times_us;  // rising
  bool is_cut = false;                 // there are earlier ones
};
// The newest `most` firings behind `after_us` up to `until_us`.
DueFirings due_firings(const Trigger& trigger, std::int64_t after_us, std::int64_t until_us,
                       std::size_t most);

// The error says what of the schedule cannot be read: the compiler has checked it, but a module may come from
// elsewhere.
Status check_schedule(const Trigger& trigger);

// Of what is due, what is made up for. A firing that comes later than this is one that was missed.
inline constexpr std::int64_t kOnTimeUs = 60'000'000;
inline constexpr std::size_t kMostCaughtUp = 100;
DueFirings firings_to_make(const Trigger& trigger, std::int64_t after_us, std::int64_t now_us);

}  // namespace flow
