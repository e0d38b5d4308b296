// The inside of a Machine. loop.cpp is the loop over instructions, with all that is cheap; heavy.cpp has the
// instructions that take memory or look at whole texts, lists.cpp those on lists and maps, calls.cpp those
// that speak to the world, and machine.cpp how a run begins, faults and ends.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "vm/interp/heap.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/natives.hpp"
#include "vm/interp/stack.hpp"
#include "vm/interp/watch.hpp"

namespace flow {

class ByteReader;
class ByteWriter;
class Conformity;
class ImageReader;

struct Machine::State {
  State(const Program& in_program, std::uint32_t in_flow, Limits in_limits)
      : program(in_program),
        module(in_program.module()),
        flow_index(in_flow),
        flow(module.flows[in_flow]),
        limits(in_limits),
        heap(in_limits.heap_bytes, kFirstThreshold),
        stack(flow.registers, in_limits.stack_bytes) {}

  static constexpr std::uint64_t kBytesPerFuel = 64;
  static constexpr std::size_t kFirstThreshold = 4u << 20;  // most runs never collect

  inline static const Fault kNothingHandled{.kind = FaultKind::Failed, .message = "nothing was raised"};

  enum class Waiting : std::uint8_t { NotStarted, ForCall, ForLog, Ended };

  // machine.cpp
  Step start(std::string_view event_json);
  Step start(const ParsedEvent& event);
  Step resume(const Outcome& outcome);
  bool raise(FaultKind kind, std::string message);
  bool out_of_memory() { return raise(FaultKind::OutOfMemory, "the run used up its heap"); }
  bool out_of_fuel();
  bool too_large(const char* what, std::size_t limit);
  bool null_found(unsigned reg);
  bool to_handler();  // goes on where the fault is handled, if it is
  Step end(Ended::How how, std::string reason = {});
  Step fail();
  Step fail_as_handled();
  const Routine& routine() const;  // that runs
  std::uint32_t line() const;
  std::vector<Place> trace() const;
  std::string_view name_of(unsigned reg) const;

  // loop.cpp
  Step run();          // from `at` on
  Step run_watched();  // the same, for a watcher; watched_loop.cpp
  Step go_on() { return watcher == nullptr ? run() : run_watched(); }

  // watch.cpp
  Position position() const;
  Moment moment(std::size_t value_bytes) const;
  const std::vector<TypeId>& types_at(const Routine& routine, std::uint32_t pc) const;

  // collect.cpp. Executes the instruction at `at` again, after a collection, when it failed for lack of
  // memory.
  using Execute = bool (State::*)(Instruction);
  bool try_again(Execute execute, std::uint64_t fuel_before);
  bool collect();  // false when its fuel is not there
  void forget_dead_registers();

  // heavy.cpp, lists.cpp. False when `fault` is set; then nothing has changed but the fuel.
  bool heavy(Instruction i);
  bool on_lists(Instruction i);
  bool compare_text(Instruction i);
  bool new_record(Instruction i);
  bool to_text(Instruction i);
  bool concat(Instruction i);
  bool escape_html(Instruction i);
  bool quote_kql(Instruction i);
  bool native(Instruction i);
  bool new_list(Instruction i);
  bool contains(Instruction i);
  bool append(Instruction i);
  bool join_lists(Instruction i);
  bool slice(Instruction i);
  bool reverse(Instruction i);
  bool sort_by(Instruction i);
  bool distinct(Instruction i);
  bool join_texts(Instruction i);
  bool range(Instruction i);
  bool get_key(Instruction i);
  bool set_key(Instruction i);
  bool entries(Instruction i);

  char* new_text(std::size_t size);    // nullptr with the fault set
  Slot* new_items(std::size_t count);  // nullptr with the fault set
  bool keep_text(unsigned reg, std::string_view text, Form form);
  bool spend(std::uint64_t units);  // of fuel

  // calls.cpp
  bool prepare_call(Instruction i, Call& call);
  bool accept(const Outcome& outcome);  // after a collection, if the heap has no place for it
  bool accept_result(const Outcome& outcome);

  // snapshot.cpp
  std::string snapshot(std::uint64_t module_key);
  Status restore(std::string_view bytes, std::uint64_t module_key);  // into a state that is new
  std::optional<Step> pending();  // what the run waits for; nothing when its arguments cannot be told
  struct Frame;
  using KnownTypes = std::map<const Instruction*, std::vector<TypeId>>;
  std::vector<Frame> frames() const;  // the flow first
  RegisterSet kept_registers(const Frame& frame, bool is_innermost) const;
  void write_fiber(ByteWriter& out);
  Status read_fiber(ByteReader& in, std::size_t heap_used);
  Status read_registers(ImageReader& image, Conformity& conformity, KnownTypes& known_types,
                        const Frame& frame, bool is_innermost);

  Slot& r(unsigned reg) { return stack.base[reg]; }

  const Program& program;
  const Module& module;
  const std::uint32_t flow_index;
  const FlowCode& flow;
  const Limits limits;
  Heap heap;
  Stack stack;
  std::unique_ptr<Patterns> patterns;  // made when the first is used
  const Instruction* at = nullptr;     // while waiting or at a fault, the instruction that led to it
  std::uint64_t fuel = 0;              // what is left
  std::uint32_t calls = 0;
  std::uint32_t logs = 0;
  Waiting waiting = Waiting::NotStarted;
  bool in_body = false;
  Fault fault;                      // the last one raised
  Fault handled = kNothingHandled;  // the last one a handler took
  std::vector<Place> handled_trace;
  Watcher* watcher = nullptr;
  mutable KnownTypes types_for_moments;
};

}  // namespace flow
