// Which statements and which ways of each condition the tests of a file have gone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vm/interp/machine.hpp"
#include "vm/interp/watch.hpp"

namespace flow::testing {

// One condition, or a part of one that is joined by `and` or `or`: the instructions [begin, end) decide it.
// What leaves them for `end` means that it is not `when`, anything else that it is. Or one arm of a `match`:
// they are the tests of all its arms, and what leaves them for `taken` takes this one.
struct BranchPoint {
  std::string routine;  // name of the flow or function
  std::uint32_t begin = 0, end = 0;
  bool when = false;
  std::uint32_t id = 0;  // the same for one condition, however often it is emitted
  std::uint32_t line = 0;
  std::string text;
  std::uint32_t match = 0;  // of an arm: the same for all of one `match`, and not 0
  std::uint32_t taken = 0;  // of an arm

  bool is_arm() const { return match != 0; }
};

class Coverage {
 public:
  // Of the first `flows` flows of the module and all its functions, which was compiled without optimisation.
  Coverage(const Module& module, std::uint32_t flows, std::vector<BranchPoint> points);
  ~Coverage();

  void watch(Machine& machine);  // which must be watched before it starts, and not used after this is gone
  // What was reached of each flow and function, and what never was; for a person.
  std::string table(const std::string& file) const;

 private:
  class Observer;
  struct Point {
    BranchPoint place;
    bool was_true = false, was_false = false;
  };
  struct Seen {
    const Routine* routine = nullptr;
    std::vector<bool> executed;  // by instruction
    std::vector<Point> points;
  };

  std::vector<Seen> seen_;  // in the order of the module
  std::map<const Routine*, std::size_t> index_;
  std::deque<std::unique_ptr<Observer>> observers_;
};

}  // namespace flow::testing
