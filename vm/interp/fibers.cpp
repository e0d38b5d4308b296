#include "vm/interp/fibers.hpp"

#include <algorithm>
#include <utility>

#include "vm/interp/state.hpp"

namespace flow {
namespace {

// The first empty place, so that equal runs number alike.
template <class T>
std::uint32_t place_for(std::vector<std::unique_ptr<T>>& list) {
  const auto free = std::ranges::find_if(list, [](const auto& entry) { return entry == nullptr; });
  if (free != list.end()) return static_cast<std::uint32_t>(free - list.begin());
  list.emplace_back();
  return static_cast<std::uint32_t>(list.size() - 1);
}

}  // namespace

// --- taking turns ---

bool Machine::State::is_branch() const {
  return !fibers.empty() && fibers[current]->branches != kNobody;
}

void Machine::State::exchange(Fiber& fiber) {
  std::swap(stack, fiber.stack);
  std::swap(at, fiber.at);
  std::swap(waiting, fiber.waiting);
  std::swap(number, fiber.number);
  std::swap(handled, fiber.handled);
  std::swap(handled_trace, fiber.handled_trace);
}

void Machine::State::switch_to(std::uint32_t fiber) {
  if (fiber == current) return;
  if (current != kNobody) exchange(*fibers[current]);
  current = fiber;
  exchange(*fibers[current]);
}

bool Machine::State::take_turn() {
  if (ready.empty()) return false;
  const std::uint32_t fiber = ready.front();
  ready.pop_front();
  switch_to(fiber);
  waiting = Waiting::Ready;
  return true;
}

bool Machine::State::go_on(Step& said) {
  for (;;) {
    if (watcher == nullptr ? run(said) : run_watched(said)) return true;
    if (take_turn()) continue;
    heap.drop_tails();  // as wherever a run can be frozen
    return false;
  }
}

std::optional<Step> Machine::State::next() {
  Step said;
  if (is_over || !take_turn() || !go_on(said)) return std::nullopt;
  return said;
}

std::optional<Step> Machine::State::answer(Waiting kind, std::uint32_t of, const Outcome& outcome) {
  const auto waits_for_it = [&](Waiting its_kind, std::uint32_t its_number) {
    return its_kind == kind && its_number == of;
  };
  bool is_found = current != kNobody && waits_for_it(waiting, number);
  for (std::uint32_t k = 0; k < fibers.size() && !is_found; ++k)
    if (fibers[k] && k != current && waits_for_it(fibers[k]->waiting, fibers[k]->number)) {
      switch_to(k);
      is_found = true;
    }
  // The answer to what was cancelled meanwhile, or after the run was over.
  if (!is_found || is_over) {
    FLOW_CHECK(of < (kind == Waiting::ForCall ? calls : logs), "only what a run asked for can be answered");
    return std::nullopt;
  }
  const bool is_accepted = accept(outcome);
  waiting = Waiting::Ready;
  Step said;
  bool has_said = false;
  if (is_accepted) ++at;
  if (is_accepted || to_handler())
    has_said = go_on(said);
  else
    has_said = fail(said);
  return has_said ? std::optional(std::move(said)) : std::nullopt;
}

// Where the one that ran has ended, or was restored, another is found that waits for the world.
void Machine::State::find_waiting() {
  if (current != kNobody && (waiting == Waiting::ForCall || waiting == Waiting::ForLog)) return;
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    if (!fibers[k] || k == current) continue;
    if (fibers[k]->waiting == Waiting::ForCall || fibers[k]->waiting == Waiting::ForLog) return switch_to(k);
  }
}

// --- branches ---

bool Machine::State::begin_branches(Instruction i) {
  const bool is_each = i.op == Op::Each;
  const FunctionCode& function = module.functions[i.index()];
  const Slot items = is_each ? r(i.b) : Slot::null();
  const std::uint32_t count = is_each ? items.size : i.c;
  if (count == 0) {
    r(i.a) = Slot::with_items(Slot::Tag::List, nullptr, 0);
    return true;
  }
  std::size_t at_once = count;
  if (is_each) {
    const std::int64_t wanted = r(i.b + 1u).number;
    at_once = std::min<std::size_t>(count, kMostAtOnce);
    if (wanted > 0) at_once = std::min(at_once, static_cast<std::size_t>(wanted));
  }
  const auto alive =
      static_cast<std::size_t>(std::ranges::count_if(fibers, [](const auto& f) { return f != nullptr; }));
  if (alive + at_once > kMostFibers || 255 * sizeof(Slot) > limits.stack_bytes)
    return raise(FaultKind::OutOfStack, "the run has too many branches at once");
  if (!spend(count)) return false;
  Slot* results = is_each ? new_items(count) : nullptr;
  if (is_each && results == nullptr) return false;
  std::fill_n(results, is_each ? count : 0, Slot::null());

  if (fibers.empty()) fibers.push_back(std::make_unique<Fiber>(Fiber{.stack = Stack(0, 0)}));  // this one
  const std::uint32_t place = place_for(groups);
  groups[place] = std::make_unique<Branches>(
      Branches{.kind = i.op,
               .parent = current,
               .function = i.index(),
               .count = count,
               .items = items,
               .results = Slot::with_items(Slot::Tag::List, results, is_each ? count : 0),
               .captured = {}});
  Branches& branches = *groups[place];
  std::size_t first = i.b, captured = 0;
  if (is_each) {
    first += 2;
    captured = function.parameters.size() - 2;
  } else {
    for (std::uint32_t k = 0; k < count; ++k)
      captured = std::max(captured, module.functions[i.index() + k].parameters.size());
  }
  branches.captured.assign(&r(0) + first, &r(0) + first + captured);
  waiting = Waiting::ForBranches;
  for (std::size_t k = 0; k < at_once; ++k)
    if (!begin_branch(place)) return false;
  return true;
}

// False when the run has no fuel for it.
bool Machine::State::begin_branch(std::uint32_t group) {
  Branches& branches = *groups[group];
  const bool is_each = branches.kind == Op::Each;
  const std::uint32_t position = branches.next++;
  const std::uint32_t function = branches.function + (is_each ? 0 : position);
  const Program::Callee& callee = program.callees()[function];
  if (!spend(callee.size)) return false;
  ++branches.running;

  Stack its_stack(callee.registers, std::min(limits.stack_bytes, kBranchStackBytes));
  its_stack.grow(0, callee.registers);
  *its_stack.callers++ = program.branch_end(function);
  std::size_t given = 0;
  if (is_each) {
    its_stack.base[given++] = branches.items.items[position];
    its_stack.base[given++] = Slot::integer(position);
  }
  const std::size_t parameters = module.functions[function].parameters.size();
  for (std::size_t k = 0; given < parameters; ++k) its_stack.base[given++] = branches.captured[k];

  const std::uint32_t place = place_for(fibers);
  fibers[place] = std::make_unique<Fiber>(Fiber{.stack = std::move(its_stack),
                                                .at = callee.code,
                                                .handled = kNothingHandled,
                                                .branches = group,
                                                .position = position});
  ready.push_back(place);
  return true;
}

// The branch that runs has given r[0]. Nobody runs afterwards.
bool Machine::State::end_branch() {
  const std::uint32_t group = fibers[current]->branches, position = fibers[current]->position;
  Branches& branches = *groups[group];
  if (branches.kind == Op::Each) const_cast<Slot*>(branches.results.items)[position] = r(0);
  --branches.running;
  if (branches.kind != Op::Race && branches.next < branches.count) {
    if (!begin_branch(group)) return false;
  }
  fibers[current].reset();
  current = kNobody;
  if (branches.kind != Op::Race && branches.running > 0) return true;

  Fiber& parent = *fibers[branches.parent];
  Slot& result = parent.stack.base[parent.at->a];
  if (branches.kind == Op::Each) result = branches.results;
  if (branches.kind == Op::Parallel) result = Slot::null();
  if (branches.kind == Op::Race) result = Slot::integer(position);
  ++parent.at;
  parent.waiting = Waiting::Ready;
  ready.push_back(branches.parent);
  drop_branches(group);
  return true;
}

// Ends what the group began, with what that began. Calls that are under way are nobody's any more.
void Machine::State::drop_branches(std::uint32_t group) {
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    if (!fibers[k] || fibers[k]->branches != group) continue;
    const Waiting its_waiting = k == current ? waiting : fibers[k]->waiting;
    if (its_waiting == Waiting::ForCall) cancelled.push_back(k == current ? number : fibers[k]->number);
    if (its_waiting == Waiting::ForBranches)
      for (std::uint32_t inner = 0; inner < groups.size(); ++inner)
        if (groups[inner] && groups[inner]->parent == k) drop_branches(inner);
    std::erase(ready, k);
    fibers[k].reset();
    if (k == current) current = kNobody;
  }
  groups[group].reset();
}

// From a branch that failed to the fiber that waits for it, which then fails in its place.
void Machine::State::give_up_branch() {
  const std::uint32_t group = fibers[current]->branches;
  const std::uint32_t parent = groups[group]->parent;
  drop_branches(group);
  switch_to(parent);
  waiting = Waiting::Ready;
}

// For another run in the same machine.
void Machine::State::forget_fibers() {
  if (current != 0) switch_to(0);
  fibers.clear();
  groups.clear();
  ready.clear();
  cancelled.clear();
}

}  // namespace flow
