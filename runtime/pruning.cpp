// What need not be kept: runs that ended long ago, with all that is theirs, modules that no run needs, and
// old rows of the audit trail. It goes a little at a time, each a commit of its own, in turns that have
// nothing else to do; when there were none of these for a while, one such commit is made a second all the
// same. A round looks at every run once, since only then is it known which modules are needed.
#include <algorithm>

#include "base/calendar.hpp"
#include "runtime/loop.hpp"

namespace flow {
namespace {

constexpr std::int64_t kShortestRestUs = kMinuteUs, kLongestRestUs = 6 * 60 * kMinuteUs;
constexpr std::int64_t kPatienceUs = 10 * kMinuteUs;
constexpr std::string_view kLastRun = "~";  // behind every ID
constexpr std::uint32_t kAuditRows = 500;   // that go in one commit

}  // namespace

void Runtime::Loop::begin_pruning() {
  if (options_.keep_us > 0 || options_.keep_audit_us > 0) pruning_.next_us = clock_.now_us() + kMinuteUs;
}

// Runs first, then modules, then the trail.
Status Runtime::Loop::prune_some(std::int64_t now_us, bool& has_worked) {
  if (pruning_.next_us > now_us) return {};
  if (!pruning_.is_under_way) {
    pruning_.is_under_way = true;
    pruning_.overdue_us = now_us + kPatienceUs;
    pruning_.after.clear();
    pruning_.modules.clear();
  }
  if (has_worked && now_us < pruning_.overdue_us) return {};
  if (has_worked) pruning_.next_us = now_us + kSecondUs;
  has_worked = true;
  const bool has_runs_left = options_.keep_us > 0 && pruning_.after != kLastRun;
  if (has_runs_left) {
    FLOW_TRY(const Pruned pruned,
             store_.prune_runs({.ended_before_us = now_us - options_.keep_us, .after = pruning_.after}));
    pruning_.modules.insert(pruned.modules.begin(), pruned.modules.end());
    pruning_.after = pruned.last.empty() ? std::string(kLastRun) : pruned.last;
    if (pruning_.after != kLastRun) return {};
    const std::set<std::string>& needed = pruning_.modules;
    FLOW_TRY(const std::uint32_t modules, store_.prune_modules({needed.begin(), needed.end()}));
    if (modules > 0) forget_modules(needed);
    return {};
  }
  if (options_.keep_audit_us > 0) {
    FLOW_TRY(const std::uint32_t rows,
             store_.prune_audit(now_us - options_.keep_audit_us, kAuditRows, now_us));
    if (rows == kAuditRows) return {};
  }
  pruning_.is_under_way = false;
  std::int64_t keep_us = kNever;
  for (const std::int64_t one_us : {options_.keep_us, options_.keep_audit_us})
    if (one_us > 0) keep_us = std::min(keep_us, one_us);
  pruning_.next_us = now_us + std::clamp(keep_us / 64, kShortestRestUs, kLongestRestUs);
  return {};
}

// One that is not in the store any more must not be used for a run that would be stored with its hash.
void Runtime::Loop::forget_modules(const std::set<std::string>& needed) {
  std::erase_if(modules_, [&](const auto& known) { return !needed.contains(known.first); });
}

}  // namespace flow
