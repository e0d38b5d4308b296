#include "runtime/call_counts.hpp"

#include <algorithm>

namespace flow {

void CallCounts::Window::put(const CallId& call, std::int64_t time_us) {
  remove(call);
  times.emplace(call, time_us);
  by_time.emplace(time_us, call);
}

void CallCounts::Window::remove(const CallId& call) {
  const auto found = times.find(call);
  if (found == times.end()) return;
  by_time.erase({found->second, call});
  times.erase(found);
}

// Reads what the memory does not have: all at first, and the calls before when a new version of the flow has
// a longer window.
Status CallCounts::read(Store& store, const Subject& subject, std::int64_t window_us, std::int64_t now_us) {
  const auto [found, is_new] = windows_.try_emplace(subject);
  Window& window = found->second;
  if (is_new || window_us > window.longest_us) {
    const auto rows =
        store.counted_calls(subject.tenant, subject.flow, subject.operation, now_us - window_us);
    if (!rows) {
      if (is_new) windows_.erase(found);
      return tl::unexpected(rows.error());
    }
    for (const CountedCallRow& row : *rows)
      if (!window.times.contains({row.run, row.call})) window.put({row.run, row.call}, row.time_us);
    window.longest_us = window_us;
  }
  while (!window.by_time.empty() && window.by_time.begin()->first <= now_us - window.longest_us)
    window.remove(CallId(window.by_time.begin()->second));
  return {};
}

Result<bool> CallCounts::hold(Store& store, const Subject& subject, const CallId& call,
                              const Policies::Limit& limit, std::int64_t now_us,
                              const IsUnderWay& is_under_way) {
  FLOW_TRY_STATUS(read(store, subject, limit.window_us, now_us));
  Window& window = windows_.at(subject);
  if (window.held.contains(call)) return true;
  std::erase_if(window.held, [&](const CallId& held) { return !is_under_way(held); });
  std::size_t count = window.held.size();
  const auto first = window.by_time.lower_bound({now_us - limit.window_us + 1, CallId()});
  for (auto it = first; it != window.by_time.end() && count < limit.count; ++it)
    if (it->second != call && !window.held.contains(it->second)) ++count;
  if (count >= limit.count) return false;
  window.held.insert(call);
  return true;
}

CountedCallRow CallCounts::note_sent(const Subject& subject, const CallId& call, const Policies::Limit& limit,
                                     std::int64_t now_us) {
  windows_.at(subject).put(call, now_us);
  std::int64_t until_us = 0;
  if (__builtin_add_overflow(now_us, limit.window_us, &until_us)) until_us = now_us;
  return {.tenant = subject.tenant,
          .flow = subject.flow,
          .operation = subject.operation,
          .run = call.first,
          .call = call.second,
          .time_us = now_us,
          .until_us = until_us};
}

CountedCallRow CallCounts::give_back(const Subject& subject, const CallId& call) {
  if (const auto found = windows_.find(subject); found != windows_.end()) {
    found->second.remove(call);
    found->second.held.erase(call);
  }
  return {.tenant = subject.tenant,
          .flow = subject.flow,
          .operation = subject.operation,
          .run = call.first,
          .call = call.second};
}

}  // namespace flow
