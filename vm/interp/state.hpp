// The inside of a Machine. machine.cpp is the loop over instructions, with all that is cheap; heavy.cpp has
// the instructions that take memory, look at whole texts or lists, or speak to the world.
#pragma once

#include <memory>
#include <optional>

#include "vm/interp/event_fields.hpp"
#include "vm/interp/heap.hpp"
#include "vm/interp/machine.hpp"
#include "vm/interp/natives.hpp"

namespace flow {

struct Machine::State {
  State(const Module& in_module, std::uint32_t flow, Limits in_limits)
      : module(in_module),
        code(in_module.flows[flow]),
        limits(in_limits),
        heap(in_limits.heap_bytes),
        registers(std::make_unique_for_overwrite<Slot[]>(code.registers)) {}

  enum class Waiting : std::uint8_t { NotStarted, ForCall, ForLog, Ended };

  Step start(std::string_view event_json);
  Step start(const ParsedEvent& event);
  Step resume(const Outcome& outcome);
  Step run();

  // heavy.cpp. False when `fault` is set.
  bool heavy(Instruction i);
  Slot constant(std::uint16_t index) const;
  bool compare_text(Instruction i);
  bool new_record(Instruction i);
  bool new_list(Instruction i);
  bool contains(Instruction i);
  bool to_text(Instruction i);
  bool concat(Instruction i);
  bool escape_html(Instruction i);
  bool quote_kql(Instruction i);
  bool native(Instruction i);
  bool keep_text(unsigned reg, std::string_view text, Form form);
  bool spend(std::uint64_t bytes);  // fuel for looking at so many bytes
  bool prepare_call(Instruction i, Call& call);
  bool accept_result(const Outcome& outcome);

  bool raise(FaultKind kind, std::string message);
  bool out_of_memory() { return raise(FaultKind::OutOfMemory, "the run used up its heap"); }
  bool null_found(unsigned reg);
  bool to_handler();
  Step end(Ended::How how, std::string reason = {});
  Step fail();
  std::uint32_t line() const;
  std::string_view name_of(unsigned reg) const;

  const Module& module;
  const FlowCode& code;
  const Limits limits;
  Heap heap;
  std::unique_ptr<Slot[]> registers;
  std::unique_ptr<Patterns> patterns;       // made when the first is used
  std::unique_ptr<EventFields> own_fields;  // of this flow alone; made when it starts from a text
  std::uint32_t pc = 0;                     // while waiting, the instruction that suspended the run
  std::uint64_t fuel_used = 0;
  std::uint32_t calls = 0;
  std::uint32_t logs = 0;
  Waiting waiting = Waiting::NotStarted;
  bool in_body = false;
  Fault fault;                                                                // the last one raised
  Fault handled{.kind = FaultKind::Failed, .message = "nothing was raised"};  // the last one a handler took
  std::uint32_t handled_line = 0;
};

}  // namespace flow
