#include "vm/interp/snapshot.hpp"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include "vm/bytecode/verify_code.hpp"
#include "vm/interp/conform.hpp"
#include "vm/interp/heap_image.hpp"
#include "vm/interp/state.hpp"

namespace flow {
namespace {

constexpr std::string_view kMagic = "FLOWS\r\n\x1a";

enum Flag : std::uint8_t { kForLog = 1, kInBody = 2, kHasHandled = 4 };

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

// One routine under way: the flow, or what an Invoke began.
struct Machine::State::Frame {
  const Routine* routine;
  const FunctionCode* function;  // nullptr for the flow
  std::uint32_t pc;
  Slot* window;
};

std::vector<Machine::State::Frame> Machine::State::frames() const {
  std::vector<Frame> frames;
  Frame frame{.routine = &flow, .function = nullptr, .pc = 0, .window = stack.begin()};
  for (const Instruction** caller = stack.callers_begin; caller != stack.callers; ++caller) {
    const Instruction* invoke = *caller - 1;
    frame.pc = static_cast<std::uint32_t>(invoke - frame.routine->code.data());
    frames.push_back(frame);
    frame.function = &module.functions[invoke->index()];
    frame.routine = frame.function;
    frame.window += invoke->a;
  }
  frame.pc = static_cast<std::uint32_t>(at - frame.routine->code.data());
  frames.push_back(frame);
  return frames;
}

// What the routine may still read. The one that waits keeps the arguments of its call, so that what it waits
// for can be told again.
RegisterSet Machine::State::kept_registers(const Frame& frame, bool is_innermost) const {
  const Liveness& liveness = frame.function == nullptr
                                 ? program.liveness_of_flow(flow_index)
                                 : program.liveness_of_function(
                                       static_cast<std::uint32_t>(frame.function - module.functions.data()));
  return is_innermost ? liveness.before(frame.pc) : liveness.across(frame.pc);
}

// --- writing ---

std::string Machine::State::snapshot(std::uint64_t module_key) {
  FLOW_CHECK(waiting == Waiting::ForCall || waiting == Waiting::ForLog,
             "only a run that waits can be frozen");
  std::string bytes;
  bytes.reserve(1024);
  ByteWriter out(bytes);
  out.bytes(kMagic);
  out.byte(kSnapshotVersion & 0xff);
  out.byte(kSnapshotVersion >> 8);
  out.fixed64(0);  // the check
  out.fixed64(module_key);
  out.number(flow_index);
  const bool has_handled = !handled_trace.empty();
  out.byte(static_cast<std::uint8_t>((waiting == Waiting::ForLog ? kForLog : 0) | (in_body ? kInBody : 0) |
                                     (has_handled ? kHasHandled : 0)));
  out.number(limits.fuel - fuel);
  out.number(calls);
  out.number(logs);
  out.number(heap.used());
  out.number(heap.threshold());
  if (has_handled) write_fault(out, handled, handled_trace);
  write_fiber(out);
  const std::uint64_t check =
      XXH3_64bits(bytes.data() + kSnapshotPayloadAt, bytes.size() - kSnapshotPayloadAt);
  for (unsigned i = 0; i < 8; ++i) bytes[kSnapshotCheckAt + i] = static_cast<char>(check >> (8 * i));
  return bytes;
}

void Machine::State::write_fiber(ByteWriter& out) {
  const std::vector<Frame> under_way = frames();
  std::vector<Slot> roots;
  std::vector<std::size_t> counts;
  for (const Frame& frame : under_way) {
    const std::size_t before = roots.size();
    const RegisterSet kept = kept_registers(frame, &frame == &under_way.back());
    for (unsigned reg = 0; reg < frame.routine->registers; ++reg)
      if (kept[reg]) roots.push_back(frame.window[reg]);
    counts.push_back(roots.size() - before);
  }
  Marking marking(heap);
  marking.add_roots(roots);
  marking.number();

  ImageWriter image(out, marking, program.constants());
  out.number(1);  // fibers
  image.write_image();
  out.number(under_way.size());
  auto root = roots.begin();
  for (std::size_t i = 0; i < under_way.size(); ++i) {
    out.number(under_way[i].pc);
    for (std::size_t k = 0; k < counts[i]; ++k) image.write_slot(*root++);
  }
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
  if (!in.is_good() || flags > (kForLog | kInBody | kHasHandled)) return malformed("its head");
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
  waiting = (flags & kForLog) != 0 ? Waiting::ForLog : Waiting::ForCall;
  if (waiting == Waiting::ForLog ? logs == 0 : calls == 0) return malformed("it waits for nothing");
  FLOW_TRY_STATUS(read_fiber(in, heap_used));
  if (!in.is_good() || in.left() != 0) return malformed("its end");
  heap.restore_counters(heap_used, threshold);
  return {};
}

Status Machine::State::read_fiber(ByteReader& in, std::size_t heap_used) {
  if (in.number() != 1) return malformed("how many fibers it has");
  ImageReader image(in, program.constants());
  if (!image.read_image(heap, heap_used)) return malformed("its heap");
  Conformity conformity(module.types, image.begin(), image.granules());
  const std::uint64_t depth = in.number_up_to(in.left());
  if (depth == 0) return malformed("it runs nothing");
  Frame frame{.routine = &flow, .function = nullptr, .pc = 0, .window = stack.begin()};
  KnownTypes known_types;
  for (std::uint64_t i = 0; i < depth; ++i) {
    const bool is_innermost = i + 1 == depth;
    const std::uint64_t pc = in.number();
    if (pc >= frame.routine->code.size()) return malformed("a place outside the code");
    frame.pc = static_cast<std::uint32_t>(pc);
    const Instruction instruction = frame.routine->code[frame.pc];
    const Op wanted = !is_innermost ? Op::Invoke : waiting == Waiting::ForLog ? Op::Log : Op::Call;
    if (instruction.op != wanted) return malformed("a place where no run waits");
    FLOW_TRY_STATUS(read_registers(image, conformity, known_types, frame, is_innermost));
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

std::optional<Step> Machine::State::pending() {
  const Instruction i = *at;
  if (waiting == Waiting::ForLog)
    return LogLine{.number = logs - 1, .text = std::string(r(i.a).view()), .line = line()};
  const std::uint32_t counted = calls;
  --calls;  // it is counted already
  Call call;
  const bool is_told = prepare_call(i, call);
  calls = counted;
  if (!is_told) return std::nullopt;
  return call;
}

Step Machine::pending() const {
  FLOW_CHECK(state_->waiting == State::Waiting::ForCall || state_->waiting == State::Waiting::ForLog,
             "only a run that waits waits for something");
  return *state_->pending();
}

}  // namespace flow
