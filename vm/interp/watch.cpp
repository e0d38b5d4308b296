#include "vm/interp/watch.hpp"

#include <algorithm>
#include <map>

#include "vm/bytecode/verify_code.hpp"
#include "vm/interp/show.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

// The names that are visible at `pc`, by register; of those with one spelling the innermost.
std::map<unsigned, std::string> names_at(const Routine& routine, std::uint32_t pc) {
  std::map<unsigned, std::string> names;
  for (const RegisterName& name : routine.names) {
    if (name.name.empty() || pc < name.begin || pc >= name.end) continue;
    std::erase_if(names, [&](const auto& outer) { return outer.second == name.name; });
    names[name.register_] = name.name;
  }
  return names;
}

}  // namespace

// Nowhere when no fiber runs: the last one has ended, and the others wait.
Position Machine::State::position() const {
  if (current == kNobody || at->op == Op::EndBranch) return {};
  const Routine& here = routine();
  Position position{.routine = &here,
                    .pc = static_cast<std::uint32_t>(at - here.code.data()),
                    .depth = stack.depth(),
                    .fiber = current,
                    .line = here.line};
  const auto after = std::ranges::upper_bound(here.lines, position.pc, {}, &LineEntry::pc);
  if (after == here.lines.begin()) return position;
  position.line = std::prev(after)->line;
  position.column = std::prev(after)->column;
  position.part = static_cast<std::uint32_t>(after - here.lines.begin());
  return position;
}

Moment Machine::State::moment(std::size_t value_bytes) const {
  Moment moment{.position = position(),
                .instruction = {},
                .values = {},
                .fuel_used = limits.fuel - fuel,
                .heap_used = heap.used()};
  if (moment.position.routine == nullptr) return moment;
  const Routine& here = *moment.position.routine;
  const std::uint32_t pc = moment.position.pc;
  moment.instruction = format_instruction(pc, here.code[pc]);
  const bool is_flow = stack.depth() == 0;
  const std::vector<TypeId>& types = types_at(here, pc);
  const Liveness& liveness = is_flow ? program.liveness_of_flow(flow_index)
                                     : program.liveness_of_function(stack.callers[-1][-1].index());
  for (const auto& [reg, name] : names_at(here, pc)) {
    if (reg >= types.size() || types[reg] == kUnsetRegister) continue;
    const Slot value = stack.base[reg];
    const bool is_input = is_flow && reg < flow.inputs.size();
    // A collection makes registers null that are not read any more; an entity is null until it is fetched.
    if (value.is_null() && (is_input || !liveness.before(pc)[reg])) continue;
    moment.values.push_back({name, shown_value(module.types, types[reg], value, value_bytes)});
  }
  if (const Instruction i = here.code[pc]; i.op == Op::Return && i.a < types.size())
    moment.values.push_back({"return", shown_value(module.types, types[i.a], stack.base[i.a], value_bytes)});
  return moment;
}

// Kept, for loops come back to the same places.
const std::vector<TypeId>& Machine::State::types_at(const Routine& routine, std::uint32_t pc) const {
  const auto [known, is_new] = types_for_moments.try_emplace(routine.code.data() + pc);
  if (is_new)
    known->second = stack.depth() == 0
                        ? register_types(module, flow, pc)
                        : register_types(module, static_cast<const FunctionCode&>(routine), pc);
  return known->second;
}

void Machine::watch(Watcher* watcher) {
  state_->watcher = watcher;
}
Position Machine::position() const {
  return state_->position();
}
Moment Machine::moment(std::size_t value_bytes) const {
  return state_->moment(value_bytes);
}
std::vector<Place> Machine::where() const {
  return state_->position().routine == nullptr ? std::vector<Place>() : state_->trace();
}

}  // namespace flow
