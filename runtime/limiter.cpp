#include "runtime/limiter.hpp"

#include <algorithm>

#include "base/calendar.hpp"
#include "base/result.hpp"

namespace flow {
namespace {

// When a quota of `count` calls per `span` lets the next one through, given when the last ones went out.
std::int64_t room_at(const std::deque<std::int64_t>& sent, std::uint32_t count, std::int64_t span) {
  if (count == 0 || sent.size() < count) return 0;
  return sent[sent.size() - count] + span;
}

}  // namespace

std::string Limiter::bucket(const std::string& host, const Quota& quota, const std::string& operation) {
  return host + '\n' + (quota.group.empty() ? operation : quota.group);
}

void Limiter::enqueue(const Place& place, std::uint64_t ticket) {
  Line& line = lines_[place.bucket];
  line.host = place.host;
  line.quota = place.quota;
  line.waiting[static_cast<std::size_t>(place.priority)].flows[place.flow].push_back(ticket);
  busy_.insert(place.bucket);
}

void Limiter::pause(const std::string& bucket, std::int64_t until_us) {
  std::int64_t& until = lines_[bucket].paused_until_us;
  until = std::max(until, until_us);
}

void Limiter::set_back(std::int64_t by_us) {
  for (auto& [name, line] : lines_) line.paused_until_us -= by_us;
  breaker_.set_back(by_us);
}

std::int64_t Limiter::open_at(const Line& line) const {
  return std::max({line.paused_until_us, room_at(line.sent_us, line.quota.per_minute, kMinuteUs),
                   room_at(line.sent_us, line.quota.per_hour, kHourUs), breaker_.open_at(line.host)});
}

// A clock that was set back must not close a line for longer than the quota's span.
void Limiter::follow_clock(Line& line, std::int64_t now_us) {
  if (line.sent_us.empty() || line.sent_us.back() <= now_us) return;
  for (std::int64_t& sent : line.sent_us) sent = std::min(sent, now_us);
}

bool Limiter::is_idle(const Line& line) {
  return std::ranges::all_of(line.waiting, [](const Waiting& waiting) { return waiting.flows.empty(); });
}

std::uint64_t Limiter::Waiting::oldest() const {
  std::uint64_t ticket = flows.begin()->second.front();
  for (const auto& [flow, tickets] : flows) ticket = std::min(ticket, tickets.front());
  return ticket;
}

std::uint64_t Limiter::Waiting::take() {
  auto next = flows.upper_bound(served);
  if (next == flows.end()) next = flows.begin();
  served = next->first;
  const std::uint64_t ticket = next->second.front();
  next->second.pop_front();
  if (next->second.empty()) flows.erase(next);
  return ticket;
}

// Of a line in which something waits.
std::uint64_t Limiter::take_next(Line& line) {
  Waiting* first = nullptr;   // of the highest priority
  Waiting* oldest = nullptr;  // of the one that waits longest
  for (Waiting& waiting : line.waiting) {
    if (waiting.flows.empty()) continue;
    first = &waiting;
    if (oldest == nullptr || waiting.oldest() < oldest->oldest()) oldest = &waiting;
  }
  FLOW_CHECK(first != nullptr, "busy_ has lines in which something waits");
  if (first != oldest && line.overtakes == kMostOvertakes) first = oldest;
  line.overtakes = first == oldest ? 0 : line.overtakes + 1;
  return first->take();
}

void Limiter::note_sent(const std::string& bucket, Line& line, std::int64_t now_us) {
  const std::size_t keep = std::max(line.quota.per_minute, line.quota.per_hour);
  if (keep == 0) return;
  line.sent_us.push_back(now_us);
  while (line.sent_us.size() > keep) line.sent_us.pop_front();
  ++unsaved_[bucket];
}

void Limiter::note_more(const std::string& bucket, std::int64_t now_us) {
  const auto line = lines_.find(bucket);
  if (line == lines_.end()) return;
  follow_clock(line->second, now_us);
  note_sent(bucket, line->second, now_us);
}

void Limiter::restore(const std::string& bucket, std::int64_t sent_us, std::uint32_t calls) {
  // More than any quota: what a damaged store says must not fill the memory.
  constexpr std::size_t kMost = 1'000'000;
  std::deque<std::int64_t>& sent = lines_[bucket].sent_us;
  sent.insert(sent.end(), std::min<std::size_t>(calls, kMost), sent_us);
  if (sent.size() > kMost) sent.erase(sent.begin(), sent.end() - kMost);
}

std::size_t Limiter::release(std::int64_t now_us, std::size_t room, const LetGo& let_go) {
  std::size_t released = 0;
  // Round after round, one call a bucket, beginning behind the one served last; ends when a round gives
  // nothing.
  for (bool has_given = true; has_given && released < room;) {
    has_given = false;
    std::vector<std::string> order(busy_.upper_bound(last_served_), busy_.end());
    order.insert(order.end(), busy_.begin(), busy_.upper_bound(last_served_));
    for (const std::string& name : order) {
      Line& line = lines_[name];
      follow_clock(line, now_us);
      if (line.in_flight >= in_flight_limit_ || open_at(line) > now_us) continue;
      std::uint64_t ticket = 0;
      bool is_let_go = false;
      while (!is_let_go && !is_idle(line)) is_let_go = let_go(ticket = take_next(line));
      if (is_idle(line)) busy_.erase(name);
      if (!is_let_go) continue;
      ++line.in_flight;
      note_sent(name, line, now_us);
      breaker_.note_sent(line.host, ticket, now_us);
      last_served_ = name;
      has_given = true;
      if (++released == room) break;
    }
  }
  return released;
}

Breaker::Change Limiter::done(const std::string& bucket, std::uint64_t ticket, Breaker::Sign sign,
                              std::int64_t now_us) {
  Line& line = lines_[bucket];
  FLOW_CHECK(line.in_flight > 0, "each released call is given back once");
  --line.in_flight;
  return breaker_.note_back(line.host, ticket, sign, now_us);
}

std::int64_t Limiter::next_us(std::int64_t now_us) const {
  std::int64_t next = kNever;
  for (const std::string& name : busy_) {
    const Line& line = lines_.at(name);
    if (line.in_flight < in_flight_limit_) next = std::min(next, std::max(now_us, open_at(line)));
  }
  return next;
}

std::vector<std::pair<std::string, std::size_t>> Limiter::waiting() const {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const std::string& bucket : busy_) {
    std::size_t count = 0;
    for (const Waiting& waiting : lines_.at(bucket).waiting)
      for (const auto& [flow, tickets] : waiting.flows) count += tickets.size();
    counts.emplace_back(bucket, count);
  }
  return counts;
}

}  // namespace flow
