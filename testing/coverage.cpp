#include "testing/coverage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.hpp"

namespace flow::testing {

// Follows one machine: where it was before tells which way it went.
class Coverage::Observer : public Watcher {
 public:
  Observer(Coverage& coverage, Machine& machine) : coverage_(coverage), machine_(machine) {}

  void before_instruction() override {
    const Position at = machine_.position();
    const auto known = at.routine == nullptr ? coverage_.index_.end() : coverage_.index_.find(at.routine);
    last_.erase(last_.upper_bound({at.fiber, at.depth}), last_.lower_bound({at.fiber + 1, 0}));
    auto& last = last_[{at.fiber, at.depth}];
    if (known != coverage_.index_.end()) {
      Seen& seen = coverage_.seen_[known->second];
      if (at.pc < seen.executed.size()) seen.executed[at.pc] = true;
      if (last.first == at.routine) went(seen, last.second, at.pc);
    }
    last = {at.routine, at.pc};
  }

 private:
  static void went(Seen& seen, std::uint32_t from, std::uint32_t to) {
    for (Point& point : seen.points) {
      const BranchPoint& place = point.place;
      const bool was_in = place.begin <= from && from < place.end,
                 is_in = place.begin <= to && to < place.end;
      if (!was_in || is_in) continue;
      if (place.is_arm()) {
        point.was_true = point.was_true || to == place.taken;
        continue;
      }
      ((to == place.end) != place.when ? point.was_true : point.was_false) = true;
    }
  }

  Coverage& coverage_;
  Machine& machine_;
  std::map<std::pair<std::uint32_t, std::size_t>, std::pair<const Routine*, std::uint32_t>> last_;
};

Coverage::Coverage(const Module& module, std::uint32_t flows, std::vector<BranchPoint> points) {
  const auto add = [&](const Routine& routine) {
    Seen seen{.routine = &routine, .executed = std::vector<bool>(routine.code.size()), .points = {}};
    for (BranchPoint& point : points)
      if (point.routine == routine.name) seen.points.push_back({.place = std::move(point)});
    std::erase_if(points, [&](const BranchPoint& point) { return point.routine.empty(); });
    index_.emplace(&routine, seen_.size());
    seen_.push_back(std::move(seen));
  };
  for (std::uint32_t i = 0; i < std::min<std::size_t>(flows, module.flows.size()); ++i) add(module.flows[i]);
  for (const FunctionCode& function : module.functions) add(function);
}

Coverage::~Coverage() = default;

void Coverage::watch(Machine& machine) {
  observers_.push_back(std::make_unique<Observer>(*this, machine));
  machine.watch(observers_.back().get());
}

std::string Coverage::table(const std::string& file) const {
  std::string out = fmt::format("coverage of {}\n", file), missing;
  for (const Seen& seen : seen_) {
    const Routine& routine = *seen.routine;
    std::size_t parts = 0, reached = 0;
    std::set<std::uint32_t> reached_lines, lines;
    for (std::size_t i = 0; i < routine.lines.size(); ++i) {
      const std::uint32_t begin = routine.lines[i].pc;
      const auto end = i + 1 < routine.lines.size() ? routine.lines[i + 1].pc
                                                    : static_cast<std::uint32_t>(routine.code.size());
      if (begin >= end) continue;
      bool is_reached = false;
      for (std::uint32_t pc = begin; pc < end; ++pc) is_reached = is_reached || seen.executed[pc];
      ++parts;
      reached += is_reached ? 1 : 0;
      lines.insert(routine.lines[i].line);
      if (is_reached) reached_lines.insert(routine.lines[i].line);
    }
    std::size_t ways = 0, gone = 0;
    std::string never;
    std::map<std::uint32_t, Point> conditions;
    for (const Point& point : seen.points) {
      Point& whole = conditions.try_emplace(point.place.id, Point{.place = point.place}).first->second;
      whole.was_true = whole.was_true || point.was_true;
      whole.was_false = whole.was_false || point.was_false;
    }
    for (const std::uint32_t line : lines)
      if (!reached_lines.contains(line)) never += fmt::format("{}{}", never.empty() ? "" : ", ", line);
    if (!never.empty()) missing += fmt::format("  {}: never reached: line {}\n", routine.name, never);
    std::set<std::uint32_t> reached_matches;
    for (const auto& [id, point] : conditions)
      if (point.place.is_arm() && point.was_true) reached_matches.insert(point.place.match);
    for (const auto& [id, point] : conditions) {
      if (point.place.is_arm()) {
        ++ways;
        gone += point.was_true ? 1 : 0;
        if (!point.was_true && reached_matches.contains(point.place.match))
          missing += fmt::format("  {}: line {}: the arm `{}` was never taken\n", routine.name,
                                 point.place.line, printable(point.place.text));
        continue;
      }
      ways += 2;
      gone += (point.was_true ? 1 : 0) + (point.was_false ? 1 : 0);
      if (point.was_true && point.was_false) continue;
      if (!point.was_true && !point.was_false) continue;  // its line is told
      missing += fmt::format("  {}: line {}: `{}` was never {}\n", routine.name, point.place.line,
                             printable(point.place.text), point.was_true ? "false" : "true");
    }
    out += fmt::format("  {:<32} {:>4} of {:<4} parts {:>4} of {:<4} ways\n", routine.name, reached, parts,
                       gone, ways);
  }
  return out + missing;
}

}  // namespace flow::testing
