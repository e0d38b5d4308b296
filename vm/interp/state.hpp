// The inside of a Machine. loop.cpp is the loop over instructions, with all that is cheap; heavy.cpp has the
// instructions that take memory or look at whole texts, lists.cpp those on lists and maps, calls.cpp those
// that speak to the world, and machine.cpp how a run begins, faults and ends.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "vm/interp/fibers.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/natives.hpp"
#include "vm/interp/settings.hpp"
#include "vm/interp/stack.hpp"
#include "vm/interp/watch.hpp"

namespace flow {

class ByteReader;
class ByteWriter;
class Conformity;
class ImageReader;
class ImageWriter;

struct Machine::State {
  State(const Program& in_program, std::uint32_t in_flow, Limits in_limits)
      : program(in_program),
        module(in_program.module()),
        flow_index(in_flow),
        flow(module.flows[in_flow]),
        limits(in_limits),
        has_settings(takes_settings(flow)),
        heap(in_limits.heap_bytes, in_limits.collect_from_bytes),
        stack(flow.registers, in_limits.stack_bytes) {}

  static constexpr std::uint64_t kBytesPerFuel = 64;
  static constexpr std::uint64_t kFaultFuel = 64;  // what handling a fault takes: its message, a trace

  inline static const Fault kNothingHandled{.kind = FaultKind::Failed, .message = "nothing was raised"};

  // machine.cpp
  Step start(std::string_view event_json, std::string_view settings_json);
  Step start(const ParsedEvent& event, std::string_view settings_json);
  bool raise(FaultKind kind, std::string message);
  bool out_of_memory() { return raise(FaultKind::OutOfMemory, "the run used up its heap"); }
  bool out_of_fuel();
  bool too_large(const char* what, std::size_t limit);
  bool null_found(unsigned reg);
  bool to_handler();  // goes on where the fault is handled, if it is
  bool keep_message(unsigned reg);
  // The run is over; true, as `said` says so.
  bool end(Step& said, Ended::How how, std::string reason = {});
  bool fail(Step& said);
  const Routine& routine() const;  // that runs
  // One routine under way: the flow, or what an Invoke began.
  struct Frame {
    const Routine* routine;
    const FunctionCode* function;  // nullptr for the flow
    std::uint32_t pc;
    Slot* window;
  };
  // Of one fiber, outermost first.
  std::vector<Frame> frames(const Stack& of, const Instruction* where, bool is_in_branch) const;
  RegisterSet kept_registers(const Frame& frame, bool is_innermost) const;
  std::uint32_t line() const;
  template <class Visit>
  void up_the_run(Visit visit) const;
  std::vector<Place> trace() const;
  bool is_cleaning_up() const;  // what runs is in `on error`, `on undo` or `finally`, or was begun there
  std::string_view name_of(unsigned reg) const;

  // loop.cpp. From `at` on, until there is something to say; false when this fiber waits for branches or
  // has ended.
  bool run(Step& said);
  bool run_watched(Step& said);  // the same, for a watcher; watched_loop.cpp

  // watch.cpp
  Position position() const;
  Moment moment(std::size_t value_bytes) const;
  const std::vector<TypeId>& types_at(const Routine& routine, std::uint32_t pc) const;

  // fibers.cpp
  bool is_branch() const;
  void exchange(Fiber& fiber);
  void switch_to(std::uint32_t fiber);
  void find_waiting();
  bool take_turn();  // of the fiber that is ready longest
  bool go_on(Step& said);
  std::optional<Step> next();
  std::optional<Step> answer(Waiting kind, std::uint32_t of, const Outcome& outcome);
  bool begin_branches(Instruction i);
  bool begin_branch(std::uint32_t group);
  bool end_branch();
  void drop_branches(std::uint32_t group);
  void give_up_branch();
  void forget_fibers();

  // collect.cpp. Executes the instruction at `at` again, after a collection, when it failed for lack of
  // memory. What cannot be executed again (it answers the world, or handles a fault) does without the
  // threshold from the start.
  using Execute = bool (State::*)(Instruction);
  bool try_again(Execute execute, std::uint64_t fuel_before);
  bool collect();  // false when its fuel is not there
  // Gives the number of registers in use.
  std::uint64_t forget_dead_registers(Stack& its_stack, const Instruction* where, Waiting its_waiting,
                                      bool is_in_branch);

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
  bool group_by(Instruction i);
  bool join_texts(Instruction i);
  bool range(Instruction i);
  bool get_key(Instruction i);
  bool set_key(Instruction i);
  bool entries(Instruction i);

  // foreign.cpp
  bool foreign(Instruction i);
  bool json_part(Instruction i);
  bool json_to(Instruction i);
  bool to_json(Instruction i);
  bool write_json(TypeId type, Slot value, std::string& json);
  bool check_text(Instruction i);
  bool caught(Instruction i);
  std::uint32_t line_of_handled() const;
  void throw_error(Instruction i);  // sets the fault
  bool finish_with(Instruction i, Step& said);

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
  // What the run waits for; nothing when the arguments of a call cannot be told.
  std::optional<std::vector<Step>> pending();
  std::optional<Step> waited_for();  // by the fiber that runs
  using KnownTypes = std::map<const Instruction*, std::vector<TypeId>>;
  struct Kept;
  bool has_branches() const;
  Kept keep(const Stack& of, const Instruction* where, Waiting its_waiting, bool is_in_branch,
            std::vector<Slot>& roots) const;
  void write_fibers(ByteWriter& out);
  bool write_place(ByteWriter& out, std::size_t place) const;
  void write_groups(ByteWriter& out, ImageWriter& image) const;
  Status read_only_fiber(ByteReader& in, std::size_t heap_used);
  Status read_frames(ByteReader& in, ImageReader& image, Conformity& conformity, KnownTypes& known_types,
                     Frame frame);
  bool may_wait_at(Op op) const;
  Status read_branches(ByteReader& in, std::size_t heap_used);
  Status read_place(ByteReader& in, ImageReader& image, Conformity& conformity, KnownTypes& known_types,
                    std::uint32_t place);
  Status read_groups(ByteReader& in, ImageReader& image, Conformity& conformity);
  bool read_results(Branches& group, std::uint32_t place, Conformity& conformity);
  bool are_given(const Branches& group, Conformity& conformity) const;
  Status check_branches();
  bool has_cycle() const;
  Status read_registers(ImageReader& image, Conformity& conformity, KnownTypes& known_types,
                        const Frame& frame, bool is_innermost);

  Slot& r(unsigned reg) { return stack.base[reg]; }

  const Program& program;
  const Module& module;
  const std::uint32_t flow_index;
  const FlowCode& flow;
  const Limits limits;
  const bool has_settings;  // among its inputs
  Heap heap;
  Stack stack;
  std::unique_ptr<Patterns> patterns;  // made when the first is used
  const Instruction* at = nullptr;     // while waiting or at a fault, the instruction that led to it
  std::uint64_t fuel = 0;              // what is left
  std::uint32_t calls = 0;
  std::uint32_t logs = 0;
  Waiting waiting = Waiting::NotStarted;
  std::uint32_t number = 0;  // of the call or the log line that is waited for
  bool in_body = false;
  bool is_over = false;
  Fault fault;                      // the last one raised
  std::vector<Place> fault_trace;   // where, once that was asked
  Fault handled = kNothingHandled;  // the last one a handler took
  std::vector<Place> handled_trace;

  // The stack, `at`, what is waited for and what was handled belong to the fiber that runs. The others are
  // here, and the place of the one that runs is kept; without branches there are none.
  std::vector<std::unique_ptr<Fiber>> fibers;
  std::vector<std::unique_ptr<Branches>> groups;
  std::uint32_t current = 0;
  std::deque<std::uint32_t> ready;
  std::vector<std::uint32_t> cancelled;  // calls whose answers nobody wants

  Watcher* watcher = nullptr;
  mutable KnownTypes types_for_moments;
};

}  // namespace flow
