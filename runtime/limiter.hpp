// Who may call when. Every call of every tenant waits here in the line of its bucket (one tenant's one quota
// group) until the quota has room, and buckets take turns. Reads, acts and polls all pass through, because
// the API counts them together. Within a bucket the higher priority goes first, and first come, first served
// within one priority; but of kMostOvertakes + 1 calls in a row at least one is that which waits longest, so
// nobody waits for ever.
//
// The count is exact: the times of the last calls are kept, so that no span of a minute or an hour ever holds
// more calls than the quota allows (a token bucket of the same size would let twice as many through at its
// edge). It is kept in memory only; after a restart the API's own 429 corrects us once.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/operation.hpp"
#include "vm/bytecode/module.hpp"

namespace flow {

class Limiter {
 public:
  // At most so many calls of one bucket are out at the same time.
  explicit Limiter(std::uint32_t in_flight_per_bucket = 64) : in_flight_limit_(in_flight_per_bucket) {}

  static std::string bucket(const std::string& tenant, const Quota& quota, const std::string& operation);

  static constexpr std::uint32_t kMostOvertakes = 3;

  // Tickets rise: a later one came later.
  void enqueue(const std::string& bucket, const Quota& quota, std::uint64_t ticket,
               Policies::Priority priority = Policies::Priority::Normal);
  // Nothing of the bucket goes out before then; an earlier pause that lasts longer stays.
  void pause(const std::string& bucket, std::int64_t until_us);
  // The clock was set back by so much: pauses last no longer for it.
  void set_back(std::int64_t by_us);
  // Tickets that may go out now, at most `room`; each is to be given back by done().
  std::vector<std::uint64_t> release(std::int64_t now_us, std::size_t room);
  void done(const std::string& bucket);
  // When release() may next give something that it would not give now; kNever when nothing waits for a time.
  std::int64_t next_us(std::int64_t now_us) const;
  // Buckets in which calls wait, with how many.
  std::vector<std::pair<std::string, std::size_t>> waiting() const;

 private:
  struct Line {
    Quota quota;
    std::array<std::deque<std::uint64_t>, 3> waiting;  // by priority
    std::uint32_t overtakes = 0;                       // in a row: the one that waits longest was passed over
    std::deque<std::int64_t> sent_us;                  // no more than the larger quota
    std::int64_t paused_until_us = 0;
    std::uint32_t in_flight = 0;
  };
  static bool is_idle(const Line& line);
  static std::uint64_t take_next(Line& line);
  static std::int64_t open_at(const Line& line);
  static void follow_clock(Line& line, std::int64_t now_us);
  static void note_sent(Line& line, std::int64_t now_us);

  std::map<std::string, Line> lines_;
  std::set<std::string> busy_;  // buckets in which something waits
  std::string last_served_;
  std::uint32_t in_flight_limit_;
};

}  // namespace flow
