// A module that may run: it has passed the verifier, and what the machine needs of it again and again is at
// hand. Runs share it.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "vm/bytecode/liveness.hpp"
#include "vm/bytecode/module.hpp"
#include "vm/interp/event_fields.hpp"
#include "vm/interp/slot.hpp"

namespace flow {

class Program {
 public:
  // Verifies. The error says what is wrong with the module, and where.
  static Result<Program> load(Module module);
  Program(Program&&) noexcept = default;
  Program& operator=(Program&&) noexcept = default;

  const Module& module() const { return module_; }

  // For the machine: as Module::constants and Module::functions.
  struct Callee {
    const Instruction* code;
    std::uint32_t size;  // instructions, which is what a call costs
    std::uint32_t registers;
  };
  std::span<const Slot> constants() const { return constants_; }
  std::span<const Callee> callees() const { return callees_; }
  // Where a branch that executes this function returns to. The instruction before it names the function.
  const Instruction* branch_end(std::uint32_t function) const { return &branch_ends_[2 * function + 1]; }
  // What the flow alone reads of the event that starts it.
  const EventFields& fields_of_flow(std::uint32_t index) const { return fields_[index]; }
  bool cleans_up() const { return cleans_up_; }  // some routine has Routine::cleanups
  const Liveness& liveness_of_function(std::uint32_t index) const { return functions_[index]; }
  const Liveness& liveness_of_flow(std::uint32_t index) const { return flows_[index]; }

 private:
  explicit Program(Module module);

  Module module_;
  std::vector<Slot> constants_;  // texts lie in module_
  std::vector<Callee> callees_;
  std::vector<Instruction> branch_ends_;  // an Invoke and an EndBranch for each function
  std::vector<Liveness> functions_, flows_;
  std::vector<EventFields> fields_;
  bool cleans_up_ = false;
};

}  // namespace flow
