// Runs that only wait leave memory: a run that waits three weeks costs its rows in the store and nothing
// else. It is put to sleep at the end of the turn in which it came to wait, with its machine frozen, and
// taken up again in the turn in which its time has come.
#include <algorithm>

#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::uint32_t kWokenPerTurn = 64;

}  // namespace

// When the run has to be looked at: what it waits for is due, or its own time is over. Nothing for one that
// must stay: a branch is at work, or runs of its flow are counted, which a restart does by what is awake.
std::optional<std::int64_t> Runtime::Loop::may_sleep_until(const Run& run) const {
  const auto until_us = run.may_sleep_until();
  if (!until_us || run.policies().at_most > 0) return std::nullopt;
  return std::min(*until_us, deadlines_.of(run.row().id));
}

// A short wait is not worth the disk, and a run that must stay is called when its wait is over: both get a
// timer.
void Runtime::Loop::put_to_sleep(std::int64_t now_us) {
  for (const std::string& id : std::exchange(drowsy_, {})) {
    Run* const found = run(id);
    if (found == nullptr) continue;
    const auto until_us = may_sleep_until(*found);
    const bool is_long = until_us && *until_us - now_us >= options_.sleep_from_us;
    const auto frozen = is_long ? found->freeze() : std::nullopt;
    if (!frozen) {
      for (const std::uint32_t number : found->without_timer()) set_timer(*found, number);
      continue;
    }
    batch_.asleep.push_back(
        SleepRow{.run = id, .wake_us = *until_us, .sequence = frozen->sequence, .frozen = frozen->bytes});
    next_sleeper_us_ = std::min(next_sleeper_us_, *until_us);
    deadlines_.forget(id);
    leave_line(found->row());  // where it is not counted, or it would stay
    for (const std::uint32_t number : found->under_way()) awaited_.erase(found->call_key(number));
    runs_.erase(id);
  }
}

Status Runtime::Loop::wake_due(std::int64_t now_us, bool& has_worked) {
  if (next_sleeper_us_ > now_us || !has_room()) return {};
  FLOW_TRY_STATUS(commit());  // what was woken in this turn must not look asleep
  FLOW_TRY(const std::vector<RunRow> rows, store_.sleepers(now_us, kWokenPerTurn));
  FLOW_TRY_STATUS(wake(rows));
  has_worked |= !rows.empty();
  FLOW_TRY(const auto next_us, store_.next_wake_us());
  next_sleeper_us_ = next_us.value_or(kNever);
  return {};
}

// Noted before a machine sees them: one that ends the process is found among the unfinished next time.
Status Runtime::Loop::wake(const std::vector<RunRow>& rows) {
  if (rows.empty()) return {};
  Batch batch;
  for (const RunRow& row : rows) batch.awake.push_back(row.id);
  FLOW_TRY_STATUS(commit_now(batch));
  for (const RunRow& row : rows)
    if (run(row.id) == nullptr) FLOW_TRY_STATUS(take_up(row, false));
  return {};
}

}  // namespace flow
