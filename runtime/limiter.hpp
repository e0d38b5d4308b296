// Who may call when. Every call of every tenant waits here in the line of its bucket (one tenant's one quota
// group at one host) until the quota has room and the host does not rest, and buckets take turns. Reads, acts
// and polls all pass through, because the API counts them together.
//
// Within a bucket the higher priority goes first; but of kMostOvertakes + 1 calls in a row at least one is of
// the priority of the one that waits longest, so nobody waits for ever. Within a priority flows take turns,
// however much each of them wants, and the calls of one flow go first come, first served.
//
// The count is exact: the times of the last calls are kept, so that no span of a minute or an hour ever holds
// more calls than the quota allows (a token bucket of the same size would let twice as many through at its
// edge). What went out is to be stored with the commit before it does (take_sent()), and given back to the
// next process (restore()), so that a restart changes nothing.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/operation.hpp"
#include "runtime/breaker.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class Limiter {
 public:
  // At most so many calls of one bucket are out at the same time.
  explicit Limiter(BreakerSettings breaker = {}, std::uint32_t in_flight_per_bucket = 64)
      : breaker_(breaker), in_flight_limit_(in_flight_per_bucket) {}

  static std::string bucket(const std::string& host, const Quota& quota, const std::string& operation);

  static constexpr std::uint32_t kMostOvertakes = 3;
  static constexpr std::int64_t kRememberedUs = 3'600'000'000;  // the longest span of a quota

  // Where a call stands in line.
  struct Place {
    std::string bucket;
    std::string host;  // which may rest; of the tenant
    Quota quota;
    std::string flow;
    Policies::Priority priority = Policies::Priority::Normal;
  };
  // Tickets rise: a later one came later.
  void enqueue(const Place& place, std::uint64_t ticket);
  // Nothing of the bucket goes out before then; an earlier pause that lasts longer stays.
  void pause(const std::string& bucket, std::int64_t until_us);
  // The clock was set back by so much: pauses last no longer for it.
  void set_back(std::int64_t by_us);
  // Lets tickets go out now, at most `room`. One for which `let_go` says false is out of the line and counts
  // nowhere; each of the others is to be given back by done(). How many those are.
  using LetGo = std::function<bool(std::uint64_t ticket)>;
  std::size_t release(std::int64_t now_us, std::size_t room, const LetGo& let_go);
  // A call that is out makes one request more: it counts as those that were let go, though nobody asked.
  void note_more(const std::string& bucket, std::int64_t now_us);
  // A call came back. What that changed for its host.
  Breaker::Change done(const std::string& bucket, std::uint64_t ticket, Breaker::Sign sign,
                       std::int64_t now_us);
  // When release() may next give something that it would not give now; kNever when nothing waits for a time.
  std::int64_t next_us(std::int64_t now_us) const;
  // Buckets in which calls wait, with how many.
  std::vector<std::pair<std::string, std::size_t>> waiting() const;

  // How many calls went out in buckets that have a quota, since this was asked the last time.
  std::map<std::string, std::uint32_t> take_sent() { return std::exchange(unsaved_, {}); }
  // Of an earlier process; before anything goes out, those of one bucket in the order of their times.
  void restore(const std::string& bucket, std::int64_t sent_us, std::uint32_t calls);

 private:
  // What waits with one priority.
  struct Waiting {
    std::map<std::string, std::deque<std::uint64_t>> flows;  // none of them empty
    std::string served;                                      // the flow that had its turn last
    std::uint64_t oldest() const;
    std::uint64_t take();
  };
  struct Line {
    std::string host;
    Quota quota;
    std::array<Waiting, 3> waiting;    // by priority
    std::uint32_t overtakes = 0;       // in a row: the priority of the one that waits longest was passed over
    std::deque<std::int64_t> sent_us;  // no more than the larger quota
    std::int64_t paused_until_us = 0;
    std::uint32_t in_flight = 0;
  };
  static bool is_idle(const Line& line);
  static std::uint64_t take_next(Line& line);
  std::int64_t open_at(const Line& line) const;
  static void follow_clock(Line& line, std::int64_t now_us);
  void note_sent(const std::string& bucket, Line& line, std::int64_t now_us);

  Breaker breaker_;
  std::map<std::string, Line> lines_;
  std::set<std::string> busy_;  // buckets in which something waits
  std::string last_served_;
  std::uint32_t in_flight_limit_;
  std::map<std::string, std::uint32_t> unsaved_;
};

}  // namespace flow
