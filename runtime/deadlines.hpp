// When which run has to be told something: at the deadline of `within`, and when the time for its cleaning up
// is over. These are moments; a clock that is set back makes them come later.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace flow {

class Deadlines {
 public:
  void set(const std::string& run, std::int64_t at_us);  // replaces the run's moment before
  void forget(const std::string& run);
  std::vector<std::string> take_due(std::int64_t now_us);  // by time; they are forgotten
  std::int64_t of(const std::string& run) const;           // kNever when it has none
  std::int64_t next_us() const;                            // kNever when there is none

 private:
  std::set<std::pair<std::int64_t, std::string>> by_time_;
  std::map<std::string, std::int64_t> times_;
};

}  // namespace flow
