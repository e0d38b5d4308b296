// `at most N at once`: which runs of a flow in a tenant go on, and which wait for their turn. They have it in
// the order of their IDs, which is that of their creation; so it is the same after a restart. What is stored
// of it is the reason of a run that waits.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "vm/bytecode/module.hpp"

namespace flow {

// The reason that the row of a run has while it waits.
std::string turn_reason(std::uint32_t at_most);
bool waits_for_turn(std::string_view reason);
// The number in such a reason; nothing in any other.
std::optional<std::uint32_t> at_most_in(std::string_view reason);

class Places {
 public:
  // Tenant and flow. Runs of all versions of a flow share its places.
  using Line = std::pair<std::string, std::string>;

  // The run wants a place; `at_most` is what its version of the flow says. With 0, any number, it has it at
  // once; others are given theirs by grant(). To want it again changes nothing.
  void want(const Line& line, const std::string& run, std::uint32_t at_most);
  // Gives what places there are to the first in the line, with IDs up to `last`; empty: all. Runs that got
  // one now.
  std::vector<std::string> grant(const Line& line, const std::string& last = {});
  bool is_waiting(const Line& line, const std::string& run) const;
  // The run is over, or does without: its place is free, and it is out of the line.
  void leave(const Line& line, const std::string& run);
  std::vector<Line> lines() const;  // in which somebody waits
  std::size_t waiting() const;      // runs, in all lines

 private:
  struct Runs {
    std::set<std::string> going_on;
    std::map<std::string, std::uint32_t> waiting;  // by ID, with their number of runs at once
  };
  std::map<Line, Runs> lines_;
};

}  // namespace flow
