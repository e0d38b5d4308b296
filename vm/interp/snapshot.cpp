#include "vm/interp/snapshot.hpp"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "vm/bytecode/verify_code.hpp"
#include "vm/interp/conform.hpp"
#include "vm/interp/heap_image.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

constexpr std::string_view kMagic = "FLOWS\r\n\x1a";

enum Flag : std::uint8_t { kForLog = 1, kInBody = 2, kHasHandled = 4, kHasBranches = 8 };

tl::unexpected<Error> malformed(std::string_view what) {
  return error(fmt::format("the snapshot is malformed: {}", what));
}

void write_fault(ByteWriter& out, const Fault& fault, const std::vector<Place>& trace) {
  out.text(fault_name(fault.kind));
  out.text(fault.message);
  out.signed_number(fault.status);
  out.text(fault.code);
  out.signed_number(fault.retry_after_us);
  out.byte(fault.maybe_executed ? 1 : 0);
  out.text(fault.operation);
  out.number(fault.line);
  out.number(trace.size());
  for (const Place& place : trace) {
    out.text(place.routine);
    out.number(place.line);
  }
}

Status read_fault(ByteReader& in, Fault& fault, std::vector<Place>& trace) {
  const std::string_view name = in.text();
  const auto kind = fault_named(name);
  if (!kind)
    return malformed(in.is_good() ? fmt::format("there is no fault `{}`", name) : "it ends too early");
  fault.kind = *kind;
  fault.message = in.text();
  fault.status = static_cast<int>(in.signed_number());
  fault.code = in.text();
  fault.retry_after_us = in.signed_number();
  fault.maybe_executed = in.byte() != 0;
  fault.operation = in.text();
  fault.line = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  trace.resize(in.number_up_to(in.left()));
  for (Place& place : trace) {
    place.routine = in.text();
    place.line = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  }
  return {};
}

// The part behind the check, when everything before it is right.
Result<ByteReader> payload_of(std::string_view bytes) {
  ByteReader in(bytes);
  if (in.bytes(kMagic.size()) != kMagic) return error("these bytes are no snapshot of a run");
  const unsigned low = in.byte(), version = low | static_cast<unsigned>(in.byte()) << 8;
  if (in.is_good() && (version < kOldestReadSnapshot || version > kSnapshotVersion))
    return error(fmt::format("the snapshot has version {}; this build reads {} to {}", version,
                             kOldestReadSnapshot, kSnapshotVersion));
  const std::uint64_t check = in.fixed64();
  if (!in.is_good() || check != XXH3_64bits(bytes.data() + kSnapshotPayloadAt, in.left()))
    return error("the snapshot is damaged: its check does not fit its bytes");
  return in;
}

}  // namespace

// --- writing ---

bool Machine::State::has_branches() const {
  return std::ranges::any_of(groups, [](const auto& group) { return group != nullptr; });
}

std::string Machine::State::snapshot(std::uint64_t module_key) {
  FLOW_CHECK(waiting != Waiting::NotStarted && !is_over, "only a run that waits can be frozen");
  const std::uint32_t running = current;
  if (has_branches() && current != kNobody) {  // all in their places
    exchange(*fibers[current]);
    current = kNobody;
  }
  std::string bytes;
  bytes.reserve(1024);
  ByteWriter out(bytes);
  out.bytes(kMagic);
  out.byte(kSnapshotVersion & 0xff);
  out.byte(kSnapshotVersion >> 8);
  out.fixed64(0);  // the check
  out.fixed64(module_key);
  out.number(flow_index);
  const bool has_handled = !has_branches() && !handled_trace.empty();
  out.byte(static_cast<std::uint8_t>((waiting == Waiting::ForLog ? kForLog : 0) | (in_body ? kInBody : 0) |
                                     (has_handled ? kHasHandled : 0) | (has_branches() ? kHasBranches : 0)));
  out.number(limits.fuel - fuel);
  out.number(calls);
  out.number(logs);
  out.number(heap.used());
  out.number(heap.threshold());
  if (has_handled) write_fault(out, handled, handled_trace);
  write_fibers(out);
  const std::uint64_t check =
      XXH3_64bits(bytes.data() + kSnapshotPayloadAt, bytes.size() - kSnapshotPayloadAt);
  for (unsigned i = 0; i < 8; ++i) bytes[kSnapshotCheckAt + i] = static_cast<char>(check >> (8 * i));
  if (running != current) switch_to(running);
  return bytes;
}

// What of a fiber is kept, for the image first and then for its registers.
struct Machine::State::Kept {
  std::vector<Frame> frames;
  std::vector<std::size_t> counts;  // of registers, per frame
};

Machine::State::Kept Machine::State::keep(const Stack& of, const Instruction* where, Waiting its_waiting,
                                          bool is_in_branch, std::vector<Slot>& roots) const {
  Kept kept{.frames = frames(of, where, is_in_branch), .counts = {}};
  for (const Frame& frame : kept.frames) {
    const std::size_t before = roots.size();
    const bool is_innermost = &frame == &kept.frames.back() && its_waiting != Waiting::ForBranches;
    const RegisterSet registers = kept_registers(frame, is_innermost);
    for (unsigned reg = 0; reg < frame.routine->registers; ++reg)
      if (registers[reg]) roots.push_back(frame.window[reg]);
    kept.counts.push_back(roots.size() - before);
  }
  return kept;
}

void Machine::State::write_fibers(ByteWriter& out) {
  std::vector<Slot> roots;
  std::vector<Kept> kept;
  if (!has_branches()) {
    kept.push_back(keep(stack, at, waiting, false, roots));
  } else {
    for (const auto& fiber : fibers) {
      kept.emplace_back();
      if (fiber)
        kept.back() = keep(fiber->stack, fiber->at, fiber->waiting, fiber->branches != kNobody, roots);
    }
    for (const auto& group : groups) {
      if (!group) continue;
      roots.push_back(group->items);
      roots.push_back(group->results);
      roots.insert(roots.end(), group->captured.begin(), group->captured.end());
    }
  }
  Marking marking(heap);
  marking.add_roots(roots);
  marking.number();

  ImageWriter image(out, marking, program.constants());
  out.number(kept.size());
  image.write_image();
  auto root = roots.begin();
  for (std::size_t k = 0; k < kept.size(); ++k) {
    if (has_branches() && !write_place(out, k)) continue;
    out.number(kept[k].frames.size());
    for (std::size_t i = 0; i < kept[k].frames.size(); ++i) {
      out.number(kept[k].frames[i].pc);
      for (std::size_t left = kept[k].counts[i]; left > 0; --left) image.write_slot(*root++);
    }
  }
  if (has_branches()) write_groups(out, image);
}

// What belongs to one place for a fiber, but its registers. False for an empty one.
bool Machine::State::write_place(ByteWriter& out, std::size_t place) const {
  const Fiber* fiber = fibers[place].get();
  out.byte(fiber == nullptr ? 0 : 1);
  if (fiber == nullptr) return false;
  out.byte(static_cast<std::uint8_t>(fiber->waiting));
  out.number(fiber->number);
  out.number(fiber->branches == kNobody ? 0 : fiber->branches + 1u);
  out.number(fiber->position);
  if (fiber->branches != kNobody) {  // the function it began with, which its first caller names
    const Instruction* begin = *fiber->stack.callers_begin - 1;
    out.number(begin->index());
  }
  out.byte(fiber->handled_trace.empty() ? 0 : 1);
  if (!fiber->handled_trace.empty()) write_fault(out, fiber->handled, fiber->handled_trace);
  return true;
}

void Machine::State::write_groups(ByteWriter& out, ImageWriter& image) const {
  out.number(groups.size());
  for (const auto& group : groups) {
    out.byte(group == nullptr ? 0 : 1);
    if (!group) continue;
    out.number(group->parent);
    out.number(group->next);
    out.number(group->captured.size());
    image.write_slot(group->items);
    image.write_slot(group->results);
    for (const Slot& slot : group->captured) image.write_slot(slot);
  }
  out.number(ready.size());
  for (const std::uint32_t fiber : ready) out.number(fiber);
  out.number(cancelled.size());
  for (const std::uint32_t call : cancelled) out.number(call);
}

// --- reading ---

Status Machine::State::restore(std::string_view bytes, std::uint64_t module_key) {
  FLOW_TRY(ByteReader in, payload_of(bytes));
  if (in.fixed64() != module_key) return error("the snapshot belongs to another module");
  const std::uint64_t its_flow = in.number();
  if (in.is_good() && its_flow != flow_index)
    return error(
        fmt::format("the snapshot belongs to flow {} of its module, not to flow {}", its_flow, flow_index));
  const std::uint8_t flags = in.byte();
  const std::uint64_t fuel_used = in.number();
  calls = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  logs = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  const std::uint64_t heap_used = in.number(), threshold = in.number();
  if (!in.is_good() || flags > (kForLog | kInBody | kHasHandled | kHasBranches)) return malformed("its head");
  if (fuel_used > limits.fuel)
    return error(fmt::format("the run has used {} of fuel, and its limit is {}", fuel_used, limits.fuel));
  if (heap_used > heap.limit())
    return error(
        fmt::format("the run has used {} bytes of heap, and its limit is {}", heap_used, heap.limit()));
  fuel = limits.fuel - fuel_used;
  in_body = (flags & kInBody) != 0;
  if ((flags & kHasHandled) != 0) {
    FLOW_TRY_STATUS(read_fault(in, handled, handled_trace));
    if (!in.is_good() || handled_trace.empty()) return malformed("the fault it has handled");
  }
  if ((flags & kHasBranches) != 0) {
    FLOW_TRY_STATUS(read_branches(in, heap_used));
  } else {
    waiting = (flags & kForLog) != 0 ? Waiting::ForLog : Waiting::ForCall;
    if (waiting == Waiting::ForLog ? logs == 0 : calls == 0) return malformed("it waits for nothing");
    number = (waiting == Waiting::ForLog ? logs : calls) - 1;
    FLOW_TRY_STATUS(read_only_fiber(in, heap_used));
  }
  if (!in.is_good() || in.left() != 0) return malformed("its end");
  heap.restore_counters(heap_used, threshold);
  return {};
}

Status Machine::State::read_only_fiber(ByteReader& in, std::size_t heap_used) {
  if (in.number() != 1) return malformed("how many fibers it has");
  ImageReader image(in, program.constants());
  if (!image.read_image(heap, heap_used)) return malformed("its heap");
  Conformity conformity(module.types, image.begin(), image.granules());
  KnownTypes known_types;
  const Frame begin{.routine = &flow, .function = nullptr, .pc = 0, .window = stack.begin()};
  return read_frames(in, image, conformity, known_types, begin);
}

// Into the stack of the fiber that runs, whose first routine is `frame`'s.
Status Machine::State::read_frames(ByteReader& in, ImageReader& image, Conformity& conformity,
                                   KnownTypes& known_types, Frame frame) {
  const std::uint64_t depth = in.number_up_to(in.left());
  if (depth == 0) return malformed("it runs nothing");
  for (std::uint64_t i = 0; i < depth; ++i) {
    const bool is_innermost = i + 1 == depth;
    const std::uint64_t pc = in.number();
    if (pc >= frame.routine->code.size()) return malformed("a place outside the code");
    frame.pc = static_cast<std::uint32_t>(pc);
    const Instruction instruction = frame.routine->code[frame.pc];
    if (!is_innermost ? instruction.op != Op::Invoke : !may_wait_at(instruction.op))
      return malformed("a place where no run waits");
    FLOW_TRY_STATUS(read_registers(image, conformity, known_types, frame,
                                   is_innermost && waiting != Waiting::ForBranches));
    at = &frame.routine->code[frame.pc];
    if (is_innermost) break;
    const FunctionCode& callee = module.functions[instruction.index()];
    if (!stack.grow(instruction.a, callee.registers))
      return error("the run needs a larger stack than its limit allows");
    *stack.callers++ = at + 1;
    stack.base += instruction.a;
    frame = {.routine = &callee, .function = &callee, .pc = 0, .window = stack.base};
  }
  return {};
}

bool Machine::State::may_wait_at(Op op) const {
  switch (waiting) {
    case Waiting::ForCall: return op == Op::Call;
    case Waiting::ForLog: return op == Op::Log;
    case Waiting::ForBranches: return op == Op::Each || op == Op::Parallel || op == Op::Race;
    default: return true;  // ready: it may go on anywhere
  }
}

Status Machine::State::read_branches(ByteReader& in, std::size_t heap_used) {
  const std::uint64_t places = in.number_up_to(kMostFibers + 1);
  if (places < 2) return malformed("how many fibers it has");
  ImageReader image(in, program.constants());
  if (!image.read_image(heap, heap_used)) return malformed("its heap");
  Conformity conformity(module.types, image.begin(), image.granules());
  KnownTypes known_types;
  fibers.resize(places);
  for (std::uint32_t place = 0; place < places; ++place)
    FLOW_TRY_STATUS(read_place(in, image, conformity, known_types, place));
  if (!fibers[0] || fibers[0]->branches != kNobody) return malformed("its first fiber");
  FLOW_TRY_STATUS(read_groups(in, image, conformity));
  stack = Stack(0, 0);  // nobody runs
  current = kNobody;
  waiting = Waiting::Ready;
  return check_branches();
}

// A fiber is read as the one that runs, and then put into its place.
Status Machine::State::read_place(ByteReader& in, ImageReader& image, Conformity& conformity,
                                  KnownTypes& known_types, std::uint32_t place) {
  const std::uint8_t is_there = in.byte();
  if (is_there > 1) return malformed("a fiber");
  if (is_there == 0) return {};
  auto fiber = std::make_unique<Fiber>(Fiber{.stack = Stack(0, 0), .handled = kNothingHandled});
  const std::uint8_t kind = in.byte();
  if (kind < static_cast<std::uint8_t>(Waiting::Ready) ||
      kind > static_cast<std::uint8_t>(Waiting::ForBranches))
    return malformed("what a fiber waits for");
  waiting = static_cast<Waiting>(kind);
  number = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  if ((waiting == Waiting::ForCall && number >= calls) || (waiting == Waiting::ForLog && number >= logs))
    return malformed("what a fiber waits for");
  fiber->branches = static_cast<std::uint32_t>(in.number_up_to(kMostFibers)) - 1u;  // 0 is nobody
  fiber->position = static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff));
  Frame begin{.routine = &flow, .function = nullptr, .pc = 0, .window = nullptr};
  if (fiber->branches == kNobody) {
    stack = Stack(flow.registers, limits.stack_bytes);
  } else {
    const std::uint64_t function = in.number();
    if (function >= module.functions.size()) return malformed("the function of a branch");
    begin.function = &module.functions[function];
    begin.routine = begin.function;
    stack = Stack(begin.function->registers, std::min(limits.stack_bytes, kBranchStackBytes));
    if (!stack.grow(0, begin.function->registers))
      return error("the run needs a larger stack than its limit allows");
    *stack.callers++ = program.branch_end(static_cast<std::uint32_t>(function));
  }
  begin.window = stack.base;
  const std::uint8_t has_handled = in.byte();
  handled = kNothingHandled;
  handled_trace.clear();
  if (has_handled > 1) return malformed("the fault a fiber has handled");
  if (has_handled == 1) FLOW_TRY_STATUS(read_fault(in, handled, handled_trace));
  FLOW_TRY_STATUS(read_frames(in, image, conformity, known_types, begin));
  if (!in.is_good()) return malformed("a fiber");
  exchange(*fiber);
  fibers[place] = std::move(fiber);
  return {};
}

Status Machine::State::read_groups(ByteReader& in, ImageReader& image, Conformity& conformity) {
  const std::uint64_t places = in.number_up_to(kMostFibers);
  for (std::uint64_t place = 0; place < places && in.is_good(); ++place) {
    groups.emplace_back();
    const std::uint8_t is_there = in.byte();
    if (is_there > 1) return malformed("a group of branches");
    if (is_there == 0) continue;
    const std::uint64_t parent = in.number(), next = in.number(), captured = in.number_up_to(256);
    if (parent >= fibers.size() || !fibers[parent] || fibers[parent]->waiting != Waiting::ForBranches)
      return malformed("who waits for a group of branches");
    const Instruction begin = *fibers[parent]->at;
    const bool is_each = begin.op == Op::Each;
    auto group = std::make_unique<Branches>(Branches{.kind = begin.op,
                                                     .parent = static_cast<std::uint32_t>(parent),
                                                     .function = begin.index(),
                                                     .count = begin.c,
                                                     .next = static_cast<std::uint32_t>(next),
                                                     .items = Slot::null(),
                                                     .results = Slot::null(),
                                                     .captured = {}});
    const auto items = image.read_slot(), results = image.read_slot();
    if (!items || !results) return malformed("the items of a group of branches");
    if (is_each) {
      group->items = *items;
      group->results = *results;
      group->count = items->size;
      if (!read_results(*group, static_cast<std::uint32_t>(place), conformity))
        return malformed("the items of a group of branches");
    }
    for (std::uint64_t k = 0; k < captured; ++k) {
      const auto slot = image.read_slot();
      if (!slot) return malformed("what branches were given");
      group->captured.push_back(*slot);
    }
    if (next > group->count || !are_given(*group, conformity)) return malformed("what branches were given");
    groups.back() = std::move(group);
  }
  for (std::uint64_t left = in.number_up_to(kMostFibers); left > 0; --left)
    ready.push_back(static_cast<std::uint32_t>(in.number_up_to(fibers.size())));
  for (std::uint64_t left = in.number_up_to(in.left()); left > 0; --left)
    cancelled.push_back(static_cast<std::uint32_t>(in.number_up_to(0xffff'ffff)));
  return {};
}

// The results are written to as branches end, so they get memory of their own: nothing else may lie there.
// Where no branch has ended there is nothing yet.
bool Machine::State::read_results(Branches& group, std::uint32_t place, Conformity& conformity) {
  const FunctionCode& function = module.functions[group.function];
  const Slot items = group.items, results = group.results;
  if (items.tag != Slot::Tag::List || results.tag != Slot::Tag::List || items.size != results.size ||
      group.next > group.count)
    return false;
  std::vector<bool> is_open(group.count);
  for (const auto& fiber : fibers)
    if (fiber && fiber->branches == place && fiber->position < group.count) is_open[fiber->position] = true;
  heap.lift_threshold();
  Slot* own = heap.allocate_slots(group.count);
  if (own == nullptr) return false;
  for (std::uint32_t k = 0; k < group.count; ++k) {
    if (!conformity.has_type(items.items[k], function.parameters[0])) return false;
    own[k] = Slot::null();
    if (k >= group.next || is_open[k]) continue;
    if (!conformity.has_type(results.items[k], function.result)) return false;
    own[k] = results.items[k];
  }
  group.results = Slot::with_items(Slot::Tag::List, own, group.count);
  return true;
}

// Whether every branch that can still begin finds what its function takes.
bool Machine::State::are_given(const Branches& group, Conformity& conformity) const {
  const bool is_each = group.kind == Op::Each;
  const std::size_t own = is_each ? 2 : 0;
  for (std::uint32_t k = 0; k < (is_each ? 1u : group.count); ++k) {
    const auto& parameters = module.functions[group.function + k].parameters;
    if (parameters.size() - own > group.captured.size()) return false;
    for (std::size_t i = own; i < parameters.size(); ++i)
      if (!conformity.has_type(group.captured[i - own], parameters[i])) return false;
  }
  return true;
}

// Fibers, groups and the queue must fit each other as if the machine had made them.
Status Machine::State::check_branches() {
  std::vector<bool> is_ready(fibers.size());
  for (const std::uint32_t fiber : ready) {
    if (fiber >= fibers.size() || !fibers[fiber] || fibers[fiber]->waiting != Waiting::Ready ||
        is_ready[fiber])
      return malformed("who is ready");
    is_ready[fiber] = true;
  }
  std::vector<std::uint32_t> groups_of(fibers.size());
  for (const auto& group : groups)
    if (group && ++groups_of[group->parent] > 1) return malformed("a fiber waits for two groups of branches");
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    if (!fibers[k]) continue;
    const Fiber& fiber = *fibers[k];
    if ((fiber.waiting == Waiting::Ready) != is_ready[k] ||
        (fiber.waiting == Waiting::ForBranches) != (groups_of[k] == 1))
      return malformed("what a fiber waits for");
    if (fiber.branches == kNobody) {
      if (k != 0) return malformed("a fiber that nobody began");
      continue;
    }
    if (fiber.branches >= groups.size() || !groups[fiber.branches])
      return malformed("a fiber that nobody began");
    Branches& group = *groups[fiber.branches];
    const std::uint32_t function = group.function + (group.kind == Op::Each ? 0 : fiber.position);
    const Instruction* begin = *fiber.stack.callers_begin - 1;
    // What began later has the higher number, or a fiber could wait for itself.
    if (fiber.position >= group.next || begin->index() != function || group.parent == k)
      return malformed("a branch");
    ++group.running;
  }
  for (const auto& group : groups)
    if (group && group->running == 0) return malformed("a group without branches");
  return has_cycle() ? malformed("fibers that wait for each other") : Status{};
}

bool Machine::State::has_cycle() const {
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    std::uint32_t fiber = k;
    for (std::size_t steps = 0; fibers[fiber] && fibers[fiber]->branches != kNobody; ++steps) {
      if (steps > fibers.size()) return true;
      fiber = groups[fibers[fiber]->branches]->parent;
    }
  }
  return false;
}

Status Machine::State::read_registers(ImageReader& image, Conformity& conformity, KnownTypes& known_types,
                                      const Frame& frame, bool is_innermost) {
  const auto [entry, is_new] = known_types.try_emplace(&frame.routine->code[frame.pc]);
  if (is_new) {
    entry->second = frame.function != nullptr ? register_types(module, *frame.function, frame.pc)
                                              : register_types(module, flow, frame.pc);
  }
  const std::vector<TypeId>& types = entry->second;
  if (types.empty()) return malformed("a place that no run can reach");
  const RegisterSet kept = kept_registers(frame, is_innermost);
  for (unsigned reg = 0; reg < frame.routine->registers; ++reg) {
    if (!kept[reg]) continue;
    const std::optional<Slot> value = image.read_slot();
    if (!value) return malformed(fmt::format("register {} of `{}`", reg, frame.routine->name));
    // Without a type, no instruction that can be reached reads it.
    if (types[reg] != kUnsetRegister && !conformity.has_type(*value, types[reg]))
      return malformed(fmt::format("register {} of `{}` is no {}", reg, frame.routine->name,
                                   module.types.name(types[reg])));
    frame.window[reg] = *value;
  }
  return {};
}

// --- the doors ---

std::string Machine::snapshot(std::uint64_t module_key) const {
  return state_->snapshot(module_key);
}

Result<Machine> Machine::restore(const Program& program, std::uint32_t flow, Limits limits,
                                 std::string_view snapshot, std::uint64_t module_key) {
  if (flow >= program.module().flows.size()) return error(fmt::format("the module has no flow {}", flow));
  Machine machine(program, flow, limits);
  FLOW_TRY_STATUS(machine.state_->restore(snapshot, module_key));
  if (!machine.state_->pending()) return malformed("what it waits for cannot be told");
  return machine;
}

// Each fiber that waits runs for as long as it takes to tell what for.
std::optional<std::vector<Step>> Machine::State::pending() {
  std::vector<Step> steps;
  const std::uint32_t running = current;
  if (fibers.empty()) {
    const auto step = waited_for();
    if (!step) return std::nullopt;
    steps.push_back(*step);
  }
  for (std::uint32_t k = 0; k < fibers.size(); ++k) {
    if (!fibers[k]) continue;
    switch_to(k);
    if (waiting != Waiting::ForCall && waiting != Waiting::ForLog) continue;
    const auto step = waited_for();
    if (!step) return std::nullopt;
    steps.push_back(*step);
  }
  if (running != kNobody) switch_to(running);
  return steps;
}

std::optional<Step> Machine::State::waited_for() {
  const Instruction i = *at;
  if (waiting == Waiting::ForLog)
    return LogLine{.number = number, .text = std::string(r(i.a).view()), .line = line()};
  const std::uint32_t counted = std::exchange(calls, number);  // it is counted already
  Call call;
  const bool is_told = prepare_call(i, call);
  calls = counted;
  if (!is_told) return std::nullopt;
  return call;
}

std::vector<Step> Machine::pending() const {
  FLOW_CHECK(state_->waiting != Waiting::NotStarted && !state_->is_over,
             "only a run that waits waits for something");
  return *state_->pending();
}

}  // namespace flow
