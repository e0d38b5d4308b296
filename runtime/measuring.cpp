// What the loop counts and measures for Prometheus, and whether it is ready: asked for from other threads,
// told in the loop's own turn.
#include <algorithm>

#include "runtime/loop.hpp"

namespace flow {

void Runtime::Loop::metrics(std::function<void(std::string)> done) {
  inbox_->ask([this, done = std::move(done)](bool is_open) -> Status {
    if (is_open) measure_now();
    done(is_open ? metrics_.text() : std::string());
    return {};
  });
}

// What is so at the moment: counted when it is asked for, so that it costs nothing else.
void Runtime::Loop::measure_now() {
  const std::int64_t now_us = clock_.now_us();
  const auto number = [](std::size_t count) { return static_cast<double>(count); };
  metrics_.set(Metric::RunsInMemory, {}, number(runs_.size()));
  metrics_.set(Metric::RunsWaitingForTurn, {}, number(places_.waiting()));
  metrics_.set(Metric::CallsInFlight, {}, number(in_flight_));
  metrics_.set(Metric::Ready, {}, is_ready() ? 1 : 0);
  metrics_.forget(Metric::QueueDepth);
  std::map<std::pair<std::string, std::string>, std::size_t> depths;  // by tenant and group, of all hosts
  for (const auto& [bucket, waiting] : limiter_.waiting())
    depths[{bucket.substr(0, bucket.find('\n')), bucket.substr(bucket.rfind('\n') + 1)}] += waiting;
  for (const auto& [name, waiting] : depths)
    metrics_.set(Metric::QueueDepth, {name.first, name.second}, number(waiting));
  metrics_.forget(Metric::PollLag);
  for (const auto& [key, source] : sources_) {
    if (source.declaration->kind == Trigger::Kind::Hunt) continue;  // asks once in a while
    const std::int64_t since_us = source.polled_us > 0 ? source.polled_us : began_us_;
    metrics_.set(Metric::PollLag, {source.tenant, source.trigger},
                 static_cast<double>(std::max<std::int64_t>(now_us - since_us, 0)) / 1e6);
  }
}

void Runtime::Loop::note_turned(std::int64_t began_us, bool has_worked) {
  turns_made_.fetch_add(1, std::memory_order_relaxed);
  if (has_worked) metrics_.observe_us(Metric::TurnSeconds, {}, clock_.now_us() - began_us);
  if (is_ready() || is_draining_ || !has_taken_up_all_) return;
  const bool has_tried_all = std::ranges::all_of(sources_, [](const auto& source) {
    return source.second.has_tried || source.second.declaration->kind == Trigger::Kind::Hunt;
  });
  if (has_tried_all) is_ready_.store(true, std::memory_order_relaxed);
}

void Runtime::Loop::note_answer(const Pending& pending, const Outcome& outcome) {
  const std::uint32_t operation = pending.counts_as.value_or(pending.call.operation);
  const std::string name = pending.module->operations[operation].full_name();
  const auto* const fault = std::get_if<Fault>(&outcome);
  metrics_.add(Metric::Calls, {name, fault != nullptr ? fault_name(fault->kind) : "ok"});
  metrics_.observe_us(Metric::CallSeconds, {name}, clock_.now_us() - pending.sent_us);
}

}  // namespace flow
